from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifente.simulator.cards.cps3 import files as cps3
from bifente.simulator.cards.cpx import elementary, pkcs15
from bifente.simulator.cards.cpx.description import description
from bifente.simulator.cards.cpx.directories import Directories, common_files, object_file
from bifente.simulator.cards.layout import Layout

LAYOUT = Layout.load("cps3")
CPS3 = Directories(LAYOUT, description("cps3"))
SIZES = {"signature": 2048, "authentication": 2048}
# Bytes that two unmodified clients (ANS Cryptolib 5.2.2, OpenSC 0.23) accepted, or that a real card showed.
TOKEN_INFO = (
    "3081e20201000c0a415349502053414e544580114350533376332d32363030393731383435030206c0a281a6301702010102020220050003"
    "02010206052b0e03021a020110301b020102020202500500030201020609608648016503040201020140301a020103020106050003020640"
    "06092a864886f70d010105020112301a02010402014005000302064006092a864886f70d01010b020142301a020105020101050003020640"
    "06092a864886f70d010101020102301a02010602010105000302020406092a864886f70d01010102011aa511180f32303130303331363131"
    "303030305a"
)
AODF = (
    "303630150c0c436f646520706f7274657572030206c00401023003040101a1183016030203880a0101020104020104020104800101040100"
    "303830170c11436f6465206465206465626c6f63616765030207803003040102a1183016030200bb0a010102010802010802010880010204"
    "0100"
)
PRKDF = (
    "304d30200c0c4350535f505249565f534947030207800401013009300703020204040101301d040ee828bd080f8025000001ff0010010303"
    "060040030204b002020081a10a300830020400020208003056302a0c0c4350535f505249565f415554030206c00401013013300703020001"
    "04010130080303060040040101301c040ee828bd080f8025000001ff00100203020560030204b002020082a10a30083002040002020800"
)
CDF = (
    "304230200c1b43657274696669636174206465205369676e6174757265204350530301003010040ee828bd080f8025000001ff001001a10c"
    "300a300804063f000001a001304830260c214365727469666963617420642741757468656e74696669636174696f6e204350530301003010"
    "040ee828bd080f8025000001ff001002a10c300a300804063f000001a002"
)
DODF = (
    "3023300e0c084350535f444154410302064030050c03435053a10a300804063f000001d107302530100c0b4350535f49445f434152440301"
    "0030050c03435053a10a300804063f000001d110302530100c0b4350535f4e414d455f505303010030050c03435053a10a300804063f0000"
    "01d111302530100c0b4350535f4c414e475f505303010030050c03435053a10a300804063f000001d112302530100c0b4350535f494e464f"
    "5f505303010030050c03435053a10a300804063f000001d1133030301b0c124350535f41435449564954595f30315f505303020780040101"
    "30050c03435053a10a300804063f000001d1213030301b0c124350535f41435449564954595f30325f50530302078004010130050c034350"
    "53a10a300804063f000001d122"
)
PUKDF = (
    "303e30100c0b4350535f5055425f5349470301003018040ee828bd080f8025000001ff0010010302010202020081a110300e300804063f00"
    "0001d10302020800303e30100c0b4350535f5055425f4155540301003018040ee828bd080f8025000001ff0010020302018202020082a110"
    "300e300804063f000001d10402020800"
)
OBJECTS = (
    *("CPS_DATA", "CPS_ID_CARD", "CPS_NAME_PS", "CPS_LANG_PS", "CPS_INFO_PS"),
    *("CPS_ACTIVITY_01_PS", "CPS_ACTIVITY_02_PS"),
)

FILES = {
    "token info": (
        TOKEN_INFO,
        pkcs15.TokenInfo,
        CPS3.token_info("2600971845", datetime(2010, 3, 16, 11, tzinfo=UTC)),
    ),
    "codes": (AODF, pkcs15.AuthenticationObject, CPS3.authentication_objects()),
    "private keys": (PRKDF, pkcs15.KeyObject, CPS3.private_keys(SIZES)),
    "certificates": (CDF, pkcs15.CertificateObject, CPS3.certificates()),
    "data objects": (DODF, pkcs15.DataObject, CPS3.data_objects(OBJECTS)),
    "public keys": (PUKDF, pkcs15.KeyObject, CPS3.public_keys(SIZES)),
}


@pytest.mark.parametrize("name", FILES)
def test_bytes_are_those_real_clients_accept(name: str) -> None:
    expected, _, written = FILES[name]
    assert written.hex() == expected


@pytest.mark.parametrize("name", FILES)
def test_one_definition_reads_and_writes(name: str) -> None:
    expected, kind, _ = FILES[name]
    objects = pkcs15.load(kind, bytes.fromhex(expected))
    assert pkcs15.dump(kind(item.native) for item in objects).hex() == expected


def test_padding_after_the_last_object_is_skipped() -> None:
    for padding in (b"\0" * 7, b"\xff" * 7):
        assert len(pkcs15.load(pkcs15.DataObject, bytes.fromhex(DODF) + padding)) == 7


def test_object_directory_lists_codes_first() -> None:
    def entry(tag: str, file: str) -> str:
        return f"{tag}0a300804063f000001{file}"

    with_keys = CPS3.object_directory(with_public_keys=True)
    without = CPS3.object_directory(with_public_keys=False)
    entries = [entry(*e) for e in (("a8", "7001"), ("a0", "7002"), ("a1", "7004"), ("a4", "7005"), ("a7", "7006"))]
    assert with_keys.hex() == "".join(entries)
    assert without.hex() == "".join(entry for entry in entries if not entry.startswith("a1"))
    names = [item.name for item in pkcs15.load(pkcs15.ObjectDirectory, without)]
    assert names == ["authentication_objects", "private_keys", "certificates", "data_objects"]


@settings(deadline=None)
@given(data=st.binary(max_size=200), kind=st.sampled_from([kind for _, kind, _ in FILES.values()]))
def test_any_bytes_give_objects_or_one_error(data: bytes, kind: type) -> None:
    with contextlib.suppress(pkcs15.Pkcs15Error):
        pkcs15.load(kind, data)


@settings(deadline=None)
@given(name=st.sampled_from(sorted(FILES)), position=st.integers(0, 10_000), value=st.integers(0, 255))
def test_a_damaged_byte_gives_objects_or_one_error(name: str, position: int, value: int) -> None:
    good, kind, _ = FILES[name]
    data = bytearray.fromhex(good)
    data[position % len(data)] = value
    with contextlib.suppress(pkcs15.Pkcs15Error):
        pkcs15.load(kind, bytes(data))


def test_too_long_or_too_deep_is_refused() -> None:
    with pytest.raises(pkcs15.Pkcs15Error, match="too many"):
        pkcs15.load(pkcs15.TokenInfo, b"0" * (pkcs15.MAX_FILE + 1))
    with pytest.raises(pkcs15.Pkcs15Error):
        pkcs15.load(pkcs15.TokenInfo, b"\x30\x80" * (pkcs15.MAX_FILE // 2))


def test_directory_puts_the_contactless_application_first() -> None:
    file = cps3.application_directory(LAYOUT)
    assert len(file) == 101
    assert file.hex().upper() == (
        "61324F0DE828BD080F8025000001FF0020500A4350582049415320434C51043F000002730F4F0DE828BD080F8025000001FF0010"
        "612F4F0DE828BD080F8025000001FF001050074350582049415351043F000001730F4F0DE828BD080F8025000001FF0010"
    )


def test_small_files() -> None:
    assert elementary.serial_number("99213845").hex().upper() == "5A0A8025000001992138450F"
    assert elementary.answer_file(LAYOUT.aids["root"]).hex().upper() == (
        "804301B8460404B0ECC147039401804F088025000001FF0100E01002020104020201040202010002020100780806062B8122F8780282029000"
    )
    update = elementary.update_times(datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 1, 1, 12, 5, tzinfo=UTC))
    assert update.hex().upper() == "EC12810720260101120000820720260101120500"
    assert len(elementary.DAMAGED_UPDATE) == len(update)


@pytest.mark.parametrize("serial", ["9921384", "992138455", "9921384A", "", "９９２１３８４５"])
def test_wrong_serial_numbers(serial: str) -> None:
    with pytest.raises(ValueError, match="8 digits"):
        elementary.serial_number(serial)


def test_directories_are_those_of_the_layout_the_keys_and_the_objects_asked_for() -> None:
    moved = LAYOUT.moved("3F00/0001", "3F00/0005")
    for layout in (LAYOUT, moved, Layout.load("cps3"), Layout.load("cps4"), LAYOUT):
        fresh = Directories(layout, description(layout.family))
        for bits in (2048, 3072):
            sizes = dict.fromkeys(SIZES, bits)
            for with_public_keys in (False, True):
                kept = common_files(layout, tuple(sizes.items()), contactless=False, with_public_keys=with_public_keys)
                assert kept["EF.PrKDF"] == fresh.private_keys(sizes)
                assert kept["EF.CDF"] == fresh.certificates()
                assert kept["EF.ODF"] == fresh.object_directory(with_public_keys=with_public_keys)
                assert kept.get("EF.PuKDF") == (fresh.public_keys(sizes) if with_public_keys else None)
        for names in (OBJECTS, OBJECTS[:3], OBJECTS[::-1]):
            assert object_file(layout, names, contactless=False) == fresh.data_objects(names)
    given: dict[str, Any] = {"sizes": tuple(SIZES.items()), "contactless": False, "with_public_keys": False}
    assert common_files(LAYOUT, **given) != common_files(moved, **given)
