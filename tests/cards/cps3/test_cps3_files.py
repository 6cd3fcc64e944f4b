from __future__ import annotations

from dataclasses import replace

import pytest
from card_driver import ACTIVITY, CONTENTS, CPS2TER_ACTIVITY, SITUATION, Driver, Maker

from bifente.simulator.cards.layout import Layout
from bifente.simulator.iso7816.image import CardImage, DedicatedFile, ElementaryFile

ACTIVITY_FILE = "00A4090C063F000001D121"
CPS_DATA_FILE = "00A4090C063F000001D107"


def _with_rule(image: CardImage, name: str, acl: str) -> CardImage:
    """The same card, one file's contact access rule changed: nothing but data."""

    def change(file: ElementaryFile | DedicatedFile) -> ElementaryFile | DedicatedFile:
        if isinstance(file, DedicatedFile):
            return replace(file, children=tuple(change(child) for child in file.children))
        return replace(file, acl=bytes.fromhex(acl)) if file.name == name else file

    volumes = {volume: change(tree) for volume, tree in image.volumes.items()}
    return replace(image, volumes={name: tree for name, tree in volumes.items() if isinstance(tree, DedicatedFile)})


def test_a_long_file_is_read_by_offsets(card: Driver) -> None:
    card.data("00A4090C063F000001A001")
    body = b"".join(card.data(f"00B0{offset:04X}{min(231, 1024 - offset):02X}") for offset in range(0, 1024, 231))
    assert body == CONTENTS["EF.C.SIG"]
    assert card.data("00B0000000") == CONTENTS["EF.C.SIG"][:256]


@pytest.mark.parametrize(
    ("apdu", "sw"),
    [
        ("00B0040001", 0x6B00),  # just past the end of 1024 bytes
        ("00B07FFF01", 0x6B00),
        ("00B0", 0x6700),
        ("00B000000101", 0x6700),
        ("00B0000000AA", 0x6700),
        ("00B0830001", 0x6A82),  # no such short identifier
        ("00B0E00001", 0x6A86),
        ("00B003FF05", 0x9000),  # after 6C01 and a second try
    ],
)
def test_reading_outside(card: Driver, apdu: str, sw: int) -> None:
    card.data("00A4090C063F000001A001")
    assert card.sw(apdu) == sw


def test_a_short_identifier_selects_in_the_current_folder(card: Driver) -> None:
    card.data("00A4090C043F000001")
    assert card.data("00B0910030") == CONTENTS["EF.ODF"]
    assert card.card.state().channels["ias"].current_name == "EF.ODF"
    assert card.data("00B0000202") == CONTENTS["EF.ODF"][2:4]
    assert card.sw("00B09C000C") == 0x6A82


def test_a_protected_file_opens_with_the_code_only(card: Driver) -> None:
    assert card.sw(ACTIVITY_FILE) == 0x9000  # its size may be known
    assert card.sw("00B0000022") == 0x6982
    assert card.sw("0020000208" + b"12345678".hex()) == 0x9000
    assert card.sw("00B0000022") == 0x6982  # the unblocking code opens nothing
    card.login()
    assert card.data("00B0000022") == ACTIVITY
    for wrong in ("0000", "9999"):
        assert card.sw("0020000104" + wrong.encode().hex()) & 0xFFF0 == 0x63C0
    assert card.sw("00B0000022") == 0x6982  # a refused code takes the right back


@pytest.mark.parametrize(
    "select", ["00A4090C023F00", "00A4040C088025000001FF0100", "00A4040C0DE828BD080F8025000001FF0010"]
)
def test_the_code_survives_selection(card: Driver, select: str) -> None:
    card.login()
    card.data(select)
    assert card.sw("0020000100") == 0x9000  # CARD-CPS3-23
    card.data(ACTIVITY_FILE)
    assert card.data("00B0000022") == ACTIVITY


@pytest.mark.parametrize(
    ("acl", "before", "after"),
    [
        ("7B FF FF FF FF FF 00", 0x9000, 0x9000),
        ("7B FF FF FF FF FF FF", 0x6982, 0x6982),
        ("7B FF FF FF FF FF 11", 0x6982, 0x9000),
        ("7B FF FF FF FF FF 13", 0x6982, 0x6982),  # the PUK's environment
        ("7B FF FF FF FF FF 45", 0x6982, 0x6982),  # secure messaging
        ("02 00", 0x6982, 0x6982),  # no word about reading
    ],
)
def test_the_read_rule_is_data(drive: Maker, image: CardImage, acl: str, before: int, after: int) -> None:
    card = drive(_with_rule(image, "CPS_ACTIVITY_01_PS", acl))
    card.data(ACTIVITY_FILE)
    assert card.sw("00B0000022") == before
    card.login()
    assert card.sw("00B0000022") == after


def test_the_rule_shown_is_the_rule_enforced(drive: Maker, image: CardImage) -> None:
    for acl in ("7BFFFFFFFFFF11", "7BFFFFFFFFFF00"):
        card = drive(_with_rule(image, "CPS_ID_CARD", acl))
        control = card.data("00A40904063F000001D110")
        assert bytes.fromhex("8C07" + acl) in control
        assert (card.sw("00B0000020") == 0x9000) == acl.endswith("00")


def test_the_holder_rewrites_his_data_after_the_code(card: Driver) -> None:
    card.data(CPS_DATA_FILE)
    assert card.sw("00D6000040" + "AA" * 64) == 0x6982  # CARD-CPS3-31
    assert card.data("00B0000040") == bytes(64)
    card.login()
    assert card.sw("00D6000040" + "AA" * 64) == 0x9000
    assert card.sw("00D60010025566") == 0x9000
    expected = b"\xaa" * 16 + b"\x55\x66" + b"\xaa" * 46
    assert card.data("00B0000040") == expected
    card.card.reset()
    card.data(CPS_DATA_FILE)
    assert card.data("00B0000040") == expected
    assert card.card.state().rewritten_files == ("ias:3F00/0001/D107",)


@pytest.mark.parametrize(
    ("apdu", "sw"),
    [
        ("00D60FFF020000", 0x6A84),
        ("00D610000100", 0x6B00),
        ("00D6000000", 0x6700),
        ("00D60000", 0x6700),
        ("00D681000100", 0x6A82),
    ],
)
def test_writing_outside_changes_nothing(card: Driver, apdu: str, sw: int) -> None:
    card.login()
    card.data(CPS_DATA_FILE)
    assert card.sw(apdu) == sw
    assert card.card.state().rewritten_files == ()


def test_no_other_file_is_written_even_with_both_codes(card: Driver, layout: Layout, image: CardImage) -> None:
    card.login()
    assert card.sw("0020000208" + b"12345678".hex()) == 0x9000
    names = {file.name for file in image.volumes["ias"].walk() if isinstance(file, ElementaryFile)} - {"CPS_DATA"}
    assert len(names) == 14
    for name in names:
        path = layout.path(name)
        card.data(f"00A4090C{len(path):02X}{path.hex()}")
        assert card.sw("00D600000100") == 0x6982, name


def test_the_image_is_never_changed(drive: Maker, image: CardImage) -> None:
    one = drive()
    one.login()
    one.data(CPS_DATA_FILE)
    one.data("00D6000001FF")
    other = drive()
    other.data(CPS_DATA_FILE)
    assert other.data("00B0000001") == b"\x00"


# -- the CPS2ter side (CARD-CPS3-32) --------------------------------------------------------------------------------


def test_the_cps2ter_exchange_of_a_real_client(card: Driver) -> None:
    assert card.raw("A0A40000023F00") == bytes.fromhex("9F0A")
    assert card.raw("A0A40000027F01") == bytes.fromhex("9F0A")
    assert card.raw("A0A40000024000") == bytes.fromhex("9F0A")
    assert card.raw("A0C000000A") == bytes.fromhex("85080022400004000000") + b"\x90\x00"
    assert card.sw("A0B0000022") == 0x6982
    card.login()  # on the other side: one code for the whole card
    assert card.data("A0B0000022") == SITUATION
    assert card.data("A0A40000023F00") == bytes.fromhex("850800003F0001000000")
    assert card.data("A0A40000027F01") == bytes.fromhex("850800007F0102000000")


def test_cps2ter_activities_lie_under_its_own_master(card: Driver) -> None:
    card.data("A0A40000023F00")
    card.data("A0A40000024010")
    card.login()
    assert card.data("A0B0000022") == CPS2TER_ACTIVITY
    assert card.raw("A0A40000024011") == bytes.fromhex("9404")
    assert card.raw("A0A40000022F00") == bytes.fromhex("9404")


@pytest.mark.parametrize(
    ("apdu", "sw"),
    [("A0A40100023F00", 0x6A86), ("A0A40004023F00", 0x6A86), ("A0A4000001AA", 0x6700), ("A0B0000001", 0x6986)],
)
def test_cps2ter_refusals(card: Driver, apdu: str, sw: int) -> None:
    assert card.sw(apdu) == sw


def test_the_two_sides_have_their_own_current_file_and_answers(card: Driver) -> None:
    card.data("00A4090C043F00D003")
    card.data("A0A40000027F01")
    assert card.data("00B000000C") == CONTENTS["EF.SN"]
    card.raw("A0A40000024000")
    assert card.raw("00C000000A") == bytes.fromhex("6985")


def test_a_card_without_cps2ter_part_refuses_its_class(drive: Maker, image: CardImage) -> None:
    card = drive(replace(image, volumes={"ias": image.volumes["ias"]}))
    assert card.raw("A0A40000023F00") == bytes.fromhex("6E00")
