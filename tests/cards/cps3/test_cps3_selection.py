from __future__ import annotations

from dataclasses import replace

import pytest
from card_driver import APPLICATION, ROOT, Driver, Maker

from bifente.simulator.iso7816.fcp import FileControl
from bifente.simulator.iso7816.image import CardImage

EF_SN_FCP = bytes.fromhex("62258002000C8201018302D0038801E0A1128C077BFFFFFFFFFF009C077BFFFFFFFFFF008A0105")
EF_DIR_FCP = bytes.fromhex(
    "6225800200658201018302 2F008801F0A1128C077B45FFFFFF45009C077BFFFFFFFFFF008A0105".replace(" ", "")
)
DF_FCP = bytes.fromhex("621F82013883020001840DE828BD080F8025000001FF00108A0105A1048C020200")
MF_FCP = bytes.fromhex("621A82013883023F0084088025000001FF01008A0105A1048C020200")


def test_the_serial_number_file_as_on_a_real_card(card: Driver) -> None:
    # The whole first exchange of a real client (facts, 6.1): 61 27, FCP, content.
    assert card.raw("00A40904043F00D003") == bytes.fromhex("6127")
    assert card.raw("00C0000027") == EF_SN_FCP + b"\x90\x00"
    assert card.raw("00B000000C") == bytes.fromhex("5A0A8025000001992138450F9000")


@pytest.mark.parametrize(
    ("apdu", "control"),
    [
        ("00A40904043F002F00", EF_DIR_FCP),
        ("00A40904043F000001", DF_FCP),
        ("00A40904023F00", MF_FCP),
        ("00A40204023F00", MF_FCP),
        ("00A40004023F00", MF_FCP),
        ("00A4040" + "40D" + APPLICATION, DF_FCP),
        ("00A4080402D003", EF_SN_FCP),
    ],
)
def test_control_parameters(card: Driver, apdu: str, control: bytes) -> None:
    assert card.data(apdu) == control


def test_a_file_without_short_identifier_says_so(card: Driver) -> None:
    raw = card.data("00A40904063F0000017001")
    assert raw[:2] == b"\x62\x24"
    assert b"\x88\x00" in raw
    assert FileControl.parse(raw).short_identifier == 0


@pytest.mark.parametrize("p2", ["00", "04", "0C"])
def test_the_root_application_answers_no_data_at_any_time(card: Driver, p2: str) -> None:
    # CARD-CPS3-05
    for before in ("00A40904063F000001D107", "00A4040C0D" + APPLICATION, "0020000104" + b"1234".hex()):
        assert card.sw(before) == 0x9000
        assert card.raw(f"00A404{p2}08{ROOT}") == b"\x90\x00"
        assert card.raw("00B000000C") == bytes.fromhex("6986")


@pytest.mark.parametrize(
    ("apdu", "sw"),
    [
        ("00A40000023F00", 0x6A86),  # the way a Vitale is told from a CPS
        ("00A40904043F00FFFF", 0x6A82),
        ("00A40904043F00D010", 0x6A82),  # never updated: no EF_ACTUA
        ("00A40904063F00D003D003", 0x6A82),
        ("00A4040C08" + ROOT[:-2] + "01", 0x6A82),
        ("00A4040C07" + ROOT[:-2], 0x6A82),
        ("00A4040C0C" + APPLICATION[:-2], 0x6A82),
        ("00A40904033F00D0", 0x6700),
        ("00A4090400", 0x6700),
        ("00A40C04023F00", 0x6A86),
        ("00A40908023F00", 0x6A86),
        ("00A40902023F00", 0x6A86),
        ("00A4030C023F00", 0x6700),
        ("00A4000C033F0001", 0x6700),
        ("00A4040C11" + "00" * 17, 0x6700),
    ],
)
def test_what_cannot_be_selected_leaves_the_current_file(card: Driver, apdu: str, sw: int) -> None:
    card.data("00A4090C043F00D003")
    assert card.sw(apdu) == sw
    assert card.data("00B000000C")[:2] == b"\x5a\x0a"


def test_selecting_a_file_makes_its_folder_current(card: Driver) -> None:
    card.data("00A4090C063F0000015031")
    assert card.data("00A40204025032")[4:6] == b"\x00\xe5"
    assert card.data("00A40904025031")[4:6] == b"\x00\x30"
    assert card.sw("00A4030C00") == 0x9000
    assert card.card.state().channels["ias"].current_file == "3F00"


def test_the_first_file_after_power_is_the_master(card: Driver) -> None:
    assert card.sw("00B000000C") == 0x6986
    assert card.data("00B09C000C")[:2] == b"\x5a\x0a"


def test_a_file_not_personalised_is_not_there_and_one_added_is(drive: Maker, image: CardImage) -> None:
    tree = image.volumes["ias"]
    without = replace(tree, children=tuple(child for child in tree.children if child.name != "EF.SN"))
    card = drive(replace(image, volumes={**image.volumes, "ias": without}))
    assert card.sw("00A40904043F00D003") == 0x6A82
    assert card.sw("00B09C000C") == 0x6A82
