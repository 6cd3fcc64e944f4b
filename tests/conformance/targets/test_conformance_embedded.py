from __future__ import annotations

from random import Random

import pytest
from conformance_bench import Lab

from bifente.conformance.model import CardChoice
from bifente.conformance.targets.base import PcscCode, ScardError
from bifente.conformance.targets.embedded import EmbeddedTarget
from bifente.ground.clock import VirtualClock
from bifente.simulator.readers import Reader, Slot

STATUS = bytes.fromhex("0020000100")
NAME = "Bench 00 00"


@pytest.fixture
def slot(lab: Lab) -> Slot:
    clock = VirtualClock()
    slot = Reader.of("Bench", [NAME, "Bench 00 01"], clock).slots[0]
    choice = CardChoice(template="medecin-generaliste")
    slot.insert(lab.workshop.make(choice, Random(1), at=clock.now()).card)
    return slot


@pytest.fixture
def target(slot: Slot) -> EmbeddedTarget:
    return EmbeddedTarget([Reader("Bench", (slot, Slot("Bench 00 01", VirtualClock())))])


def refused(expected: PcscCode) -> pytest.RaisesExc[ScardError]:
    return pytest.raises(ScardError, match=f"^{expected.name} ")


def test_readers_are_the_slots_by_name(target: EmbeddedTarget) -> None:
    assert target.readers() == (NAME, "Bench 00 01")


def test_an_unknown_reader_an_empty_slot_and_a_card(target: EmbeddedTarget) -> None:
    with refused(PcscCode.UNKNOWN_READER):
        target.connect("Nowhere")
    with refused(PcscCode.UNKNOWN_READER):
        target.wait("Nowhere", present=True, timeout=0)
    with refused(PcscCode.NO_SMARTCARD):
        target.connect("Bench 00 01")
    assert target.wait(NAME, present=True, timeout=0)
    assert not target.wait(NAME, present=False, timeout=9)
    assert not target.wait("Bench 00 01", present=True, timeout=9)
    connection = target.connect(NAME)
    assert connection.atr[:1] == b"\x3b"
    assert connection.transmit(STATUS) == bytes.fromhex("63C3")


def test_a_removed_card_is_told_to_every_connection_even_if_it_comes_back(target: EmbeddedTarget, slot: Slot) -> None:
    one, two = target.connect(NAME), target.connect(NAME)
    card = slot.remove()
    for use in (lambda: one.transmit(STATUS), two.begin, two.end):
        with refused(PcscCode.REMOVED_CARD):
            use()
    assert one.atr == b""
    with refused(PcscCode.NO_SMARTCARD):
        target.connect(NAME)
    slot.insert(card)
    with refused(PcscCode.REMOVED_CARD):
        one.transmit(STATUS)
    assert target.connect(NAME).transmit(STATUS)
    assert one.reset(cold=True) == one.atr
    assert one.transmit(STATUS), "a reset takes up the card that is there now"


def test_a_reset_of_an_empty_slot_is_refused_and_told_to_all_in_place_of_the_removal(
    target: EmbeddedTarget, slot: Slot
) -> None:
    # As pcscd: it marks every dialogue before it looks for a card, and keeps the last mark.
    one, two = target.connect(NAME), target.connect(NAME)
    slot.remove()
    with refused(PcscCode.NO_SMARTCARD):
        two.reset(cold=False)
    for connection in (one, two):
        with refused(PcscCode.RESET_CARD):
            connection.transmit(STATUS)


def test_a_reset_is_told_to_the_others_until_they_reset_or_connect_again(target: EmbeddedTarget) -> None:
    one, two = target.connect(NAME), target.connect(NAME)
    atr = one.reset(cold=False)
    assert one.transmit(STATUS)
    for _ in range(2):
        with refused(PcscCode.RESET_CARD):
            two.transmit(STATUS)
    with refused(PcscCode.RESET_CARD):
        two.begin()
    assert target.connect(NAME).transmit(STATUS)
    assert two.reset(cold=True) == two.atr
    assert atr
    assert two.transmit(STATUS)
    with refused(PcscCode.RESET_CARD):
        one.transmit(STATUS)


@pytest.mark.parametrize("cold", [False, True])
def test_a_reset_closes_what_a_code_had_opened(target: EmbeddedTarget, cold: bool) -> None:
    connection = target.connect(NAME)
    assert connection.transmit(bytes.fromhex("00200001 04 31323334")) == bytes.fromhex("9000")
    assert connection.transmit(STATUS) == bytes.fromhex("9000")
    connection.reset(cold=cold)
    assert connection.transmit(STATUS) == bytes.fromhex("63C3")


def test_exclusivity_keeps_the_others_out(target: EmbeddedTarget, slot: Slot) -> None:
    one, two = target.connect(NAME), target.connect(NAME)
    one.begin()
    for use in (lambda: two.transmit(STATUS), lambda: two.reset(cold=False), two.begin):
        with refused(PcscCode.SHARING_VIOLATION):
            use()
    with refused(PcscCode.SHARING_VIOLATION):
        two.end()  # ending what one does not hold lets nobody in
    with refused(PcscCode.SHARING_VIOLATION):
        two.transmit(STATUS)
    assert one.transmit(STATUS)
    one.end()
    assert two.transmit(STATUS)
    one.begin()
    one.disconnect()
    assert two.transmit(STATUS)
    two.begin()
    card = slot.remove()
    slot.insert(card)
    assert target.connect(NAME).transmit(STATUS)


def test_a_connection_that_was_closed_is_no_longer_a_handle(target: EmbeddedTarget) -> None:
    connection = target.connect(NAME)
    connection.disconnect()
    connection.disconnect()
    for use in (
        lambda: connection.transmit(STATUS),
        lambda: connection.reset(cold=True),
        connection.begin,
        connection.end,
    ):
        with refused(PcscCode.INVALID_HANDLE):
            use()
    assert target.connect(NAME).transmit(STATUS)


def test_an_error_names_its_code_in_words_and_in_hexadecimal() -> None:
    assert str(ScardError(PcscCode.NO_SMARTCARD)) == "NO_SMARTCARD (8010000C)"
    assert str(ScardError(0x80100001, "odd")) == "80100001 (80100001): odd"
    assert PcscCode.label(-1) == "FFFFFFFF"
