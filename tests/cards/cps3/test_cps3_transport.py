from __future__ import annotations

from dataclasses import replace

import pytest
from card_driver import CONTENTS, Driver, Maker

from bifente.simulator.iso7816.image import CardImage, Interface

CONTACTLESS_ATR = bytes.fromhex("3B8F80010031B86404B0ECC1739401808290000E")


@pytest.mark.parametrize("cla", [cla for cla in range(256) if cla not in (0x00, 0x10, 0xA0)])
def test_other_classes_are_refused(card: Driver, cla: int) -> None:
    assert card.raw(f"{cla:02X}A40904043F00D003") == bytes.fromhex("6E00")  # CARD-CPS3-04


def test_only_the_listed_instructions_are_served(card: Driver) -> None:
    served = {ins for ins in range(256) if card.raw(f"00{ins:02X}FFFF") != bytes.fromhex("6D00")}
    assert served == {0x20, 0x22, 0x24, 0x2A, 0x2C, 0x84, 0x88, 0xA4, 0xB0, 0xC0, 0xCB, 0xD6}
    served = {ins for ins in range(256) if card.raw(f"A0{ins:02X}FFFF") != bytes.fromhex("6D00")}
    assert served == {0xA4, 0xB0, 0xC0}


@pytest.mark.parametrize(
    "apdu", ["", "00", "00A4", "00A409", "00A40904", "00A409040400", "00B0000000000C", "00D60000000001AA"]
)
def test_bytes_that_are_no_short_command_get_a_wrong_length(card: Driver, apdu: str) -> None:
    assert card.raw(apdu) == bytes.fromhex("6700")


def test_a_wrong_expected_length_is_told(card: Driver) -> None:
    # Facts, section 4: a real client reads EF.SN so.
    assert card.raw("00B09C00C0") == bytes.fromhex("6C0C")
    assert card.raw("00B09C0000") == bytes.fromhex("6C0C")
    assert card.raw("00B09C000C")[-2:] == b"\x90\x00"


def test_waiting_data_may_be_read_in_pieces(card: Driver) -> None:
    assert card.raw("00A40904043F00D003") == bytes.fromhex("6127")
    assert card.raw("00C0000028") == bytes.fromhex("6C27")  # T=0: not a byte more than there is
    first = card.raw("00C0000020")
    assert first[-2:] == bytes.fromhex("6107")
    second = card.raw("00C0000007")
    assert (first[:-2] + second[:-2])[:2] == b"\x62\x25"
    assert second[-2:] == b"\x90\x00"
    assert card.raw("00C0000001") == bytes.fromhex("6985")


@pytest.mark.parametrize(
    "between", ["00B09C000C", "0020000100", "00A4090C023F00", "01A4", "", "00C0010027", "00C00000", "A0C0000027"]
)
def test_any_other_command_drops_waiting_data(card: Driver, between: str) -> None:
    assert card.raw("00A40904043F00D003") == bytes.fromhex("6127")
    card.raw(between)
    assert card.raw("00C0000027") == bytes.fromhex("6985")


def test_data_come_at_once_when_asked_for(card: Driver) -> None:
    assert len(card.raw("00A40904043F00D00300")) == 39 + 2
    part = card.raw("00A40904043F00D00304")
    assert part[:2] == b"\x62\x25"
    assert part[-2:] == bytes.fromhex("6123")


@pytest.mark.parametrize("other", ["00A40904043F00D003", "002A9E9A00", "102A9E9A01AA", "002A808101AA"])
def test_a_chain_not_continued_is_forgotten(card: Driver, other: str) -> None:
    assert card.raw("102A8086050102030405") == b"\x90\x00"
    assert card.card.state().channels["ias"].chained_bytes == 5
    card.raw(other)
    assert card.raw("002A80860101") == bytes.fromhex("6985")
    assert card.card.state().channels["ias"].chained_bytes == 0


def test_a_chain_is_bounded(card: Driver) -> None:
    answers = [card.raw("102A8086FF" + "00" * 255) for _ in range(6)]
    assert answers == [b"\x90\x00"] * 4 + [bytes.fromhex("6700"), b"\x90\x00"]


@pytest.mark.parametrize("ins", ["20", "22", "A4", "B0", "D6", "88"])
def test_only_security_operations_are_chained(card: Driver, ins: str) -> None:
    assert card.raw(f"10{ins}00010431323334") == bytes.fromhex("6884")


def test_reset_and_power_clear_everything_volatile(card: Driver) -> None:
    for clear in (card.card.reset, card.card.power_on, lambda: (card.card.power_off(), card.card.power_on())):
        card.login()
        card.data("00A4090C043F000001")
        assert card.sw("002241AA03800140") == 0x9000
        assert card.sw("002A90A0059000800161") == 0x9000
        assert card.sw("002241B606800142840181") == 0x9000
        assert card.raw("102A80860101") == b"\x90\x00"
        assert card.sw("A0A40000027F01") == 0x9000
        card.raw("00A40904043F00D003")
        before = card.card.state()
        assert before.pending_bytes == 39
        assert before.channels["ias"].hash_ready == "sha256"
        clear()
        after = card.card.state()
        assert after.pending_bytes == 0
        assert after.channels == {}
        assert not after.secrets["pin"].verified
        assert card.sw("00C0000027") == 0x6985
        assert card.sw("002A9E9A00") == 0x6985
        assert card.sw("0020000100") == 0x63C3
        assert card.sw("00B000000C") == 0x6986
        assert card.sw("A0A40000024000") == 0x9404


def test_power_off_alone_forgets_and_a_command_powers_on(card: Driver) -> None:
    card.login()
    card.card.power_off()
    assert not card.card.state().powered
    assert not card.card.state().secrets["pin"].verified
    assert card.sw("0020000100") == 0x63C3
    assert card.card.state().powered


def test_power_on_gives_the_atr(card: Driver) -> None:
    atr = bytes.fromhex("3BAC00402A001225006480000310009000")  # CARD-CPS3-01
    assert card.card.atr == card.card.power_on() == card.card.reset() == atr


def test_two_cards_share_nothing(drive: Maker) -> None:
    one, other = drive(), drive()
    one.login()
    assert other.sw("0020000100") == 0x63C3


def test_t1_reads_what_there_is(drive: Maker, image: CardImage) -> None:
    card = drive(replace(image, atr=CONTACTLESS_ATR, interface=Interface.CONTACTLESS))
    assert card.raw("00B09C0000") == CONTENTS["EF.SN"] + b"\x90\x00"
    assert card.raw("00B09C00C0") == CONTENTS["EF.SN"] + bytes.fromhex("6282")
    assert card.raw("00A40904043F00D00300")[-2:] == b"\x90\x00"
    assert card.raw("00A4040C08" + "8025000001FF0100") == b"\x90\x00"


@pytest.mark.parametrize(
    ("apdu", "sw"),
    [
        ("0084000008", 0x9000),
        ("0084000007", 0x6C08),
        ("0084000009", 0x6C08),
        ("0084000000", 0x6C08),
        ("00840100 08", 0x6A86),
        ("00840000", 0x6700),
        ("008400000100", 0x6700),
    ],
)
def test_challenges_are_eight_bytes(card: Driver, apdu: str, sw: int) -> None:
    answer = card.raw(apdu)
    assert int.from_bytes(answer[-2:], "big") == sw
    assert len(answer) == (10 if sw == 0x9000 else 2)


def test_challenges_differ_and_a_seed_repeats_them(drive: Maker) -> None:
    one, other = drive(), drive()
    first, second = one.raw("0084000008"), one.raw("0084000008")
    assert first != second
    assert [other.raw("0084000008"), other.raw("0084000008")] == [first, second]


def test_a_hand_that_takes_the_card_out_while_it_works_breaks_nothing(card: Driver) -> None:
    """Its command is answered to nobody, and what it left behind goes with the power."""
    body = card.card

    def taken_out(size: int) -> bytes:
        body.power_off()
        return bytes(size)

    body.power_on()
    body.random = taken_out
    assert card.raw("0084000008") == bytes(8) + b"\x90\x00"
    assert card.sw("0020000100") == 0x63C3, "put in again, it answers"
    assert body.trust.challenge is None


@pytest.mark.parametrize("cut", ["0020000104", "00A4040C08", "002A9E9A14", "00D6000002", "002241B606"])
def test_a_command_cut_short_at_its_header_has_a_wrong_length(card: Driver, cut: str) -> None:
    assert card.sw(cut) == 0x6700
