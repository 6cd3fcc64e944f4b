"""What a contactless reader answers by itself: GET DATA of PC/SC part 3, and nothing of it with contacts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from readers_bench import Specimen

from bifente.conformance.bench.profiles import load_profile
from bifente.conformance.bench.several import together
from bifente.ground.clock import VirtualClock
from bifente.simulator.readers import Slot

UID = bytes.fromhex("1FA2B3C4")
GET_UID, GET_HISTORY = bytes.fromhex("FFCA000000"), bytes.fromhex("FFCA010000")
ATR, HISTORY = bytes.fromhex("3B8380010A0B0C0F"), bytes.fromhex("0A0B0C")


class InField(Specimen):
    uid = UID
    atr = ATR


def antenna(card: Specimen) -> Slot:
    slot = Slot("Antenna 00 00", VirtualClock())
    slot.antenna = True
    slot.insert(card)
    return slot


def test_the_identifier_and_the_historical_bytes_are_told() -> None:
    slot = antenna(InField())
    assert slot.exchange(GET_UID) == UID + b"\x90\x00"
    assert slot.exchange(GET_HISTORY) == HISTORY + b"\x90\x00"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("FFCA000004", UID.hex() + "9000"),
        ("FFCA000003", "6C04"),
        ("FFCA000007", UID.hex() + "6282"),
        ("FFCA010002", "6C03"),
        ("FFCA020000", "6A81"),
        ("FFCA000100", "6B00"),
        ("FFCA0000", "6700"),
        ("FF", "6700"),
        ("FFCA00000100", "6700"),
        ("FFB0000010", "6D00"),
    ],
)
def test_lengths_and_what_it_does_not_know(command: str, said: str) -> None:
    assert antenna(InField()).exchange(bytes.fromhex(command)) == bytes.fromhex(said)


def test_a_card_that_tells_no_identifier_has_none() -> None:
    assert antenna(Specimen()).exchange(GET_UID) == b"\x6a\x81"


def test_with_contacts_the_command_is_the_cards() -> None:
    slot = antenna(InField(b"mark"))
    slot.antenna = False
    assert slot.exchange(GET_UID) == InField(b"mark").transmit(GET_UID)


def test_every_other_class_is_the_cards() -> None:
    assert antenna(InField(b"mark")).exchange(bytes.fromhex("00CA000000")) == InField(b"mark").transmit(
        bytes.fromhex("00CA000000")
    )


@given(st.binary(max_size=12))
def test_whatever_comes_gets_a_status_word_and_never_reaches_the_card(rest: bytes) -> None:
    card = InField()
    answer = antenna(card).exchange(b"\xff" + rest)
    assert len(answer) >= 2
    assert card.history == []


def test_a_profile_says_which_of_its_slots_have_one() -> None:
    profile, _document = load_profile("readers/fei")
    assert [slot.antenna for slot in profile.reader(VirtualClock()).slots] == [False, False, False, True]


def test_readers_taken_together_keep_their_antenna_and_their_speed() -> None:
    two = {name: load_profile(f"readers/{name}")[0] for name in ("generic-contactless", "generic-real-speed")}
    slots = together(two).reader(VirtualClock()).slots
    assert [slot.antenna for slot in slots] == [True, False, False]
    assert [slot.pace is None for slot in slots] == [True, False, False]
