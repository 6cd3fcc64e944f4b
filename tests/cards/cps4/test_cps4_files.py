from __future__ import annotations

import pytest
from card_driver import ACTIVITY, CPS2TER_ACTIVITY, CPS4_CONTENTS, PIN, PUK, SITUATION, Driver, Maker
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bifente.simulator.cards.layout import Layout
from bifente.simulator.iso7816.image import CardImage, ElementaryFile

CPS_DATA = "01A40800040001D107"
# CARD-CPS4-26, CL-T3: the activities of both kinds and the billing situations need the code.
GUARDED = {"D110": ACTIVITY, "D210": CPS2TER_ACTIVITY, "D108": SITUATION}


@pytest.mark.parametrize("file", GUARDED)
def test_a_protected_file_opens_with_the_code_only(cps4: Driver, file: str) -> None:
    select, read = f"01A40800040001{file}", "01B0000022"
    assert cps4.data(select)[:2] == b"\x6f\x0e"  # its size may be known
    assert cps4.sw(read) == 0x6982
    assert cps4.sw("0120000208" + PUK.hex()) == 0x9000
    assert cps4.sw(read) == 0x6982  # the unblocking code opens nothing
    cps4.login()
    assert cps4.data(read) == GUARDED[file]
    assert cps4.sw("0120000104" + b"0000".hex()) == 0x63C2
    assert cps4.sw(read) == 0x6982  # a refused code takes the right back
    cps4.login()
    assert cps4.data(read) == GUARDED[file]


def test_the_holder_rewrites_his_data_as_a_real_client_does(cps4: Driver) -> None:
    # Facts, 7.10: the whole file, in three commands.
    body = bytes(i % 251 for i in range(512))
    writes = [(0, body[:255]), (255, body[255:510]), (510, body[510:])]
    commands = [f"01D6{offset:04X}{len(part):02X}{part.hex()}" for offset, part in writes]
    cps4.data(CPS_DATA)
    assert [cps4.sw(apdu) for apdu in commands] == [0x6982] * 3
    cps4.login()
    assert [cps4.raw(apdu) for apdu in commands] == [b"\x90\x00"] * 3
    assert cps4.data("01B0000000") + cps4.data("01B0010000") == body
    assert cps4.sw("01D600100255AA") == 0x9000
    assert cps4.data("01B0000F04") == body[15:16] + b"\x55\xaa" + body[18:19]
    cps4.card.reset()
    assert cps4.card.state().rewritten_files == ("chipdoc:3F00/0001/D107",)


@pytest.mark.parametrize(
    ("apdu", "sw"),
    [
        ("01D601FF020000", 0x6A84),
        ("01D601000000", 0x6700),
        ("01D602000100", 0x6B00),
        ("01D67FFF0100", 0x6B00),
        ("01D6000000", 0x6700),
        ("01D681000100", 0x6A82),  # no short identifiers
        ("11D600000100", 0x6884),
    ],
)
def test_writing_outside_changes_nothing(cps4: Driver, apdu: str, sw: int) -> None:
    cps4.login()
    cps4.data(CPS_DATA)
    assert cps4.sw(apdu) == sw
    assert cps4.card.state().rewritten_files == ()


@pytest.mark.parametrize(
    ("apdu", "sw"), [("01B0020001", 0x6B00), ("01B0910001", 0x6A82), ("01B0", 0x6700), ("11B000000C", 0x6884)]
)
def test_reading_outside(cps4: Driver, apdu: str, sw: int) -> None:
    cps4.data(CPS_DATA)
    assert cps4.sw(apdu) == sw


def test_no_other_file_is_written_even_with_both_codes(
    cps4: Driver, cps4_layout: Layout, cps4_image: CardImage
) -> None:
    cps4.login()
    assert cps4.sw("0120000208" + PUK.hex()) == 0x9000
    names = {file.name for file in cps4_image.volumes["chipdoc"].walk() if isinstance(file, ElementaryFile)}
    assert len(names - {"CPS_DATA"}) == len(CPS4_CONTENTS) - 1
    for name in names - {"CPS_DATA"}:
        path = cps4_layout.path(name)[2:]
        cps4.data(f"01A40800{len(path):02X}{path.hex()}")
        assert cps4.sw("01D600000100") == 0x6982, name


def test_who_writes_is_data(drive4: Maker, cps4_layout: Layout, keys: dict[str, RSAPrivateKey]) -> None:
    # CARD-CPS4-62 is a guess: another card may let anybody write.
    changed = cps4_layout.changed({"rules": {"holder-writes": {"contact": "7B FF FF FF FF 00 00"}}})
    card = drive4(changed.fill(contents=CPS4_CONTENTS, codes={"pin": PIN, "puk": PUK}, keys=keys))
    card.data(CPS_DATA)
    assert card.sw("01D600000155") == 0x9000
