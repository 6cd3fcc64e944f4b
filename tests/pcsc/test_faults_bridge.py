"""What the bridge makes of faults, on the reader's side of vpcd."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from pcsc_tools import PATIENCE, FakeReader, ScriptedCard, new_slot

from bifente.simulator.iso7816.card import Card
from bifente.simulator.pcsc import SlotBridge
from bifente.simulator.pcsc.bridge import NO_ANSWER
from bifente.simulator.pcsc.vpcd import tcp_connect
from bifente.simulator.readers import LineError, PcscCode, Slot
from bifente.simulator.readers.faults.line import DeadCard, lay

GET_ATR, ON, RESET = b"\4", b"\1", b"\2"
COMMAND = bytes.fromhex("00DA000001AA")
ANSWER = bytes.fromhex("AA9000")


class Broken:
    """An interference that breaks every exchange in one way, and may take the card out."""

    def __init__(self, slot: Slot, error: LineError | None, *, takes_out: bool = False) -> None:
        self.slot, self.error, self.takes_out = slot, error, takes_out

    def exchange(self, card: Card, command: bytes) -> bytes:
        answer = card.transmit(command)
        if self.takes_out:
            self.slot.remove()
        if self.error is not None:
            raise self.error
        return answer

    def power_on(self, card: Card) -> bytes:
        return card.power_on()


@pytest.fixture
def reader() -> Iterator[FakeReader]:
    fake = FakeReader()
    yield fake
    fake.close()


@pytest.fixture
def slot() -> Slot:
    slot = new_slot()
    slot.insert(ScriptedCard())
    return slot


@pytest.fixture
def bridge(reader: FakeReader, slot: Slot) -> Iterator[SlotBridge]:
    with SlotBridge(slot, lambda: tcp_connect(reader.port), absence=0, mute=0.05) as joined:
        yield joined
    assert joined.defects == (), "a fault is no defect of the bench"


def test_a_failed_exchange_is_one_byte_and_the_next_one_goes_through(
    reader: FakeReader, slot: Slot, bridge: SlotBridge
) -> None:
    slot.interference = Broken(slot, LineError(PcscCode.NOT_TRANSACTED))
    assert reader.accept().ask(COMMAND) == NO_ANSWER
    assert len(NO_ANSWER) == 1, "two bytes would be a status word"
    slot.interference = None
    assert reader.ask(COMMAND) == ANSWER


def test_the_bytes_that_came_through_are_given(reader: FakeReader, slot: Slot, bridge: SlotBridge) -> None:
    slot.interference = Broken(slot, LineError(PcscCode.NOT_TRANSACTED, partial=b"\xaa\x90"))
    assert reader.accept().ask(COMMAND) == b"\xaa\x90"


def test_a_mute_card_is_given_up_after_its_time(reader: FakeReader, slot: Slot, bridge: SlotBridge) -> None:
    slot.interference = Broken(slot, LineError(PcscCode.NOT_TRANSACTED, mute=True))
    reader.accept()
    started = time.monotonic()
    assert reader.ask(COMMAND) == NO_ANSWER
    assert 0.05 <= time.monotonic() - started < PATIENCE


def test_a_card_that_left_while_it_worked_ends_the_connection(
    reader: FakeReader, slot: Slot, bridge: SlotBridge
) -> None:
    slot.interference = Broken(slot, LineError(PcscCode.REMOVED_CARD), takes_out=True)
    assert reader.accept().ask(COMMAND) is None


def test_a_card_that_left_after_it_answered_ends_the_connection_after_its_answer(
    reader: FakeReader, slot: Slot, bridge: SlotBridge
) -> None:
    slot.interference = Broken(slot, None, takes_out=True)
    assert reader.accept().ask(COMMAND) == ANSWER
    assert reader.receive() is None
    slot.insert(ScriptedCard(b"next"))
    slot.interference = None
    reader.accept().send(ON)
    assert reader.ask(COMMAND) == b"next" + ANSWER


@pytest.mark.parametrize("control", [ON, RESET])
def test_a_card_without_answer_to_reset_ends_the_connection_once_asked(
    reader: FakeReader, slot: Slot, bridge: SlotBridge, control: bytes
) -> None:
    lift = lay(slot, DeadCard())
    reader.accept().send(control)
    assert reader.ask(GET_ATR) is None
    assert reader.accept().ask(GET_ATR) is not None, "it is present all the same"
    lift()
    reader.send(control)
    assert reader.ask(GET_ATR) == ScriptedCard().atr
    assert reader.ask(COMMAND) == ANSWER


def test_a_device_out_of_reach_shows_an_empty_slot_and_comes_back(
    reader: FakeReader, slot: Slot, bridge: SlotBridge
) -> None:
    assert reader.accept().ask(COMMAND) == ANSWER
    slot.reach(False)
    assert reader.receive() is None
    slot.reach(True)
    reader.accept().send(ON)
    assert reader.ask(COMMAND) == ANSWER


def test_a_device_that_goes_while_its_card_works_is_gone_at_once(
    reader: FakeReader, slot: Slot, bridge: SlotBridge
) -> None:
    """Its return would else meet a reader that has not seen it go."""

    class Suspended(Broken):
        def exchange(self, card: Card, command: bytes) -> bytes:
            slot.reach(False)
            gone.append(reader.receive())
            slot.reach(True)
            raise LineError(PcscCode.READER_UNAVAILABLE)

    gone: list[bytes | None] = []
    slot.interference = Suspended(slot, None)
    reader.accept().send(COMMAND)
    assert reader.accept().ask(GET_ATR) == ScriptedCard().atr
    assert gone == [None]
