from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pcsc_tools import PATIENCE, FakeReader, MuteCard, ScriptedCard, new_slot

from bifente.simulator.pcsc import BridgedExchange, Defect, DefectKind, EchoCard, ExchangeKind, PcscdError, SlotBridge
from bifente.simulator.pcsc.bridge import MissedRemovalError
from bifente.simulator.pcsc.errors import Link
from bifente.simulator.pcsc.vpcd import tcp_connect
from bifente.simulator.readers import Slot

GET_ATR, ON, OFF, RESET = b"\4", b"\1", b"\0", b"\2"
COMMAND = bytes.fromhex("00DA000001AA")
ANSWER = bytes.fromhex("AA9000")


@pytest.fixture
def reader() -> Iterator[FakeReader]:
    fake = FakeReader()
    yield fake
    fake.close()


@pytest.fixture
def slot() -> Slot:
    return new_slot()


@pytest.fixture
def bridge(reader: FakeReader, slot: Slot) -> Iterator[SlotBridge]:
    with SlotBridge(slot, lambda: tcp_connect(reader.port), absence=0) as joined:
        yield joined


def defects_of(bridge: SlotBridge, count: int = 1) -> tuple[Defect, ...]:
    """The defects once there are that many: the reply that the test saw may precede the record by a moment."""
    bridge.close()
    assert len(bridge.defects) == count
    return bridge.defects


def test_insertion_opens_and_removal_closes(reader: FakeReader, slot: Slot, bridge: SlotBridge) -> None:
    assert not reader.waiting()
    assert not bridge.connected
    card = ScriptedCard()
    slot.insert(card)
    assert bridge.wait_connected(PATIENCE)
    assert reader.accept().ask(GET_ATR) == card.atr
    slot.remove()
    assert reader.receive() is None
    slot.insert(card)
    reader.accept().send(ON)
    assert reader.ask(COMMAND) == ANSWER
    assert bridge.defects == ()


def test_a_card_is_not_shown_before_the_reader_noticed_the_removal(reader: FakeReader, slot: Slot) -> None:
    with SlotBridge(slot, lambda: tcp_connect(reader.port), absence=0.2) as bridge:
        slot.insert(EchoCard())
        assert reader.accept().ask(COMMAND) == ANSWER
        removed = time.monotonic()
        slot.remove()
        slot.insert(EchoCard())
        assert bridge.wait_connected(PATIENCE)
        assert time.monotonic() - removed >= 0.2


def test_a_removal_the_reader_did_not_notice_is_a_defect(reader: FakeReader, slot: Slot, bridge: SlotBridge) -> None:
    slot.insert(EchoCard())
    assert reader.accept().ask(COMMAND) == ANSWER
    slot.remove()
    slot.insert(EchoCard())
    assert reader.accept().ask(GET_ATR) == EchoCard().atr
    assert reader.ask(COMMAND) == ANSWER
    (defect,) = defects_of(bridge)
    assert isinstance(defect.error, MissedRemovalError)


def test_a_card_already_inside_is_shown(reader: FakeReader, slot: Slot) -> None:
    slot.insert(EchoCard())
    with SlotBridge(slot, lambda: tcp_connect(reader.port)):
        assert reader.accept().ask(COMMAND) == ANSWER


def test_controls_reach_the_card_and_only_get_atr_is_answered(
    reader: FakeReader, slot: Slot, bridge: SlotBridge
) -> None:
    card = ScriptedCard()
    slot.insert(card)
    reader.accept()
    for control in (ON, RESET, OFF):
        reader.send(control)
    assert reader.ask(GET_ATR) == card.atr
    assert card.history == ["on", "reset", "off"]


def test_another_one_byte_payload_is_an_apdu(reader: FakeReader, slot: Slot, bridge: SlotBridge) -> None:
    slot.insert(EchoCard())
    assert reader.accept().ask(b"\5") == b"\x90\x00"


def test_replacing_the_card_does_not_close(reader: FakeReader, slot: Slot, bridge: SlotBridge) -> None:
    slot.insert(EchoCard(b"one"))
    assert reader.accept().ask(COMMAND) == b"one" + ANSWER
    slot.replace(EchoCard(b"two", atr=bytes.fromhex("3B00")))
    assert reader.ask(COMMAND) == b"two" + ANSWER
    assert reader.ask(GET_ATR) == bytes.fromhex("3B00")


def test_a_removal_the_reader_never_saw_keeps_the_only_place_in_its_queue(
    reader: FakeReader, slot: Slot, bridge: SlotBridge
) -> None:
    slot.insert(EchoCard(b"one"))
    assert bridge.wait_connected(PATIENCE)
    slot.remove()
    slot.insert(EchoCard(b"two"))
    assert reader.accept().ask(COMMAND) == b"two" + ANSWER
    assert not reader.waiting()


def test_a_removal_the_reader_never_saw_shows_an_empty_slot(reader: FakeReader, slot: Slot, bridge: SlotBridge) -> None:
    slot.insert(EchoCard())
    assert bridge.wait_connected(PATIENCE)
    slot.remove()
    assert reader.accept().ask(GET_ATR) is None
    slot.insert(EchoCard())
    assert reader.accept().ask(COMMAND) == ANSWER


def test_the_observer_has_seen_what_the_client_got(reader: FakeReader, slot: Slot) -> None:
    seen: list[BridgedExchange] = []
    slot.insert(EchoCard())
    with SlotBridge(slot, lambda: tcp_connect(reader.port), seen.append):
        reader.accept().send(ON)
        reader.ask(GET_ATR)
        assert reader.ask(COMMAND) == ANSWER
        assert [(each.slot, each.kind, each.command, each.response) for each in seen] == [
            ("slot", ExchangeKind.POWER_ON, b"", EchoCard().atr),
            ("slot", ExchangeKind.APDU, COMMAND, ANSWER),
        ]
        assert all(0 <= each.seconds < PATIENCE for each in seen)


def test_an_observer_that_fails_changes_nothing_for_the_client(reader: FakeReader, slot: Slot) -> None:
    def fail(_: BridgedExchange) -> None:
        raise RuntimeError("journal full")

    slot.insert(EchoCard())
    with SlotBridge(slot, lambda: tcp_connect(reader.port), fail) as bridge:
        assert reader.accept().ask(COMMAND) == ANSWER
        assert [(each.kind, str(each.error)) for each in defects_of(bridge)] == [(DefectKind.OBSERVER, "journal full")]


@pytest.mark.parametrize("answer", [RuntimeError("bug"), b"", b"\x90", bytes(65536), "text", 5])
def test_a_defect_of_the_card_is_answered_and_kept(
    reader: FakeReader, slot: Slot, bridge: SlotBridge, answer: object
) -> None:
    slot.insert(ScriptedCard(answer=answer))
    assert reader.accept().ask(bytes.fromhex("0020000104") + b"1234") == bytes.fromhex("6F00")
    (defect,) = defects_of(bridge)
    assert (defect.slot, defect.kind) == ("slot", DefectKind.CARD)
    assert defect.header == bytes.fromhex("00200001"), "the code must not be kept"
    if isinstance(answer, Exception):
        assert defect.error is answer


@pytest.mark.parametrize("atr", [b"", b"\x3b", bytes(34), "3B00"])
def test_a_card_without_atr_hangs_up_for_good(reader: FakeReader, slot: Slot, bridge: SlotBridge, atr: object) -> None:
    card = ScriptedCard()
    card._atr = atr  # type: ignore[assignment]
    slot.insert(card)
    assert reader.accept().ask(GET_ATR) is None
    assert defects_of(bridge)[0].kind is DefectKind.CARD
    assert not reader.waiting()


def test_a_power_defect_is_kept_and_the_connection_goes_on(reader: FakeReader, slot: Slot, bridge: SlotBridge) -> None:
    card = ScriptedCard()
    card.power_on = lambda: 1 / 0  # type: ignore[assignment,method-assign,return-value]
    slot.insert(card)
    reader.accept().send(ON)
    assert reader.ask(COMMAND) == ANSWER
    assert isinstance(defects_of(bridge)[0].error, ZeroDivisionError)


@pytest.mark.parametrize("garbage", [b"\0\0", b"\xff\xff\x01", b"\0", b"\0\x05\x00\xa4", b"\0\0\0\0\0\0"])
@pytest.mark.parametrize("abruptly", [False, True])
def test_the_slot_survives_what_no_reader_says(
    reader: FakeReader, slot: Slot, bridge: SlotBridge, garbage: bytes, abruptly: bool
) -> None:
    slot.insert(EchoCard())
    reader.accept().raw(garbage)
    reader.drop(abruptly)
    assert reader.accept().ask(COMMAND) == ANSWER
    assert bridge.defects == ()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.binary(max_size=2000))
def test_the_slot_survives_arbitrary_bytes(reader: FakeReader, slot: Slot, bridge: SlotBridge, garbage: bytes) -> None:
    if slot.card is None:
        slot.insert(EchoCard())
    reader.accept().raw(garbage)
    reader.drop()
    reader.accept()
    assert reader.ask(COMMAND) == ANSWER
    reader.drop()


def test_a_card_stays_in_a_reader_that_hangs_up(reader: FakeReader, slot: Slot, bridge: SlotBridge) -> None:
    slot.insert(EchoCard())
    for _ in range(3):
        assert reader.accept().ask(COMMAND) == ANSWER
        reader.drop()
    assert reader.accept().ask(COMMAND) == ANSWER


def test_closing_frees_a_client_that_waits(reader: FakeReader, slot: Slot, bridge: SlotBridge) -> None:
    card = MuteCard()
    slot.insert(card)
    reader.accept().send(COMMAND)
    assert card.asked.wait(PATIENCE)
    closing = threading.Thread(target=bridge.close)
    closing.start()
    assert reader.receive() is None
    card.release.set()
    closing.join(PATIENCE)
    assert not closing.is_alive()


def test_a_mute_card_does_not_hold_up_the_next(reader: FakeReader, slot: Slot, bridge: SlotBridge) -> None:
    mute = MuteCard()
    slot.insert(mute)
    reader.accept().send(COMMAND)
    assert mute.asked.wait(PATIENCE)
    slot.remove()
    assert reader.receive() is None
    slot.insert(EchoCard(b"next"))
    assert reader.accept().ask(COMMAND) == b"next" + ANSWER
    mute.release.set()
    assert reader.ask(COMMAND) == b"next" + ANSWER


def test_a_reader_that_comes_late_is_met(slot: Slot) -> None:
    attempts: list[int] = []
    fake = FakeReader()

    def late() -> socket.socket:
        attempts.append(1)
        if len(attempts) < 3:
            raise ConnectionRefusedError
        return tcp_connect(fake.port)

    slot.insert(EchoCard())
    with SlotBridge(slot, late) as bridge:
        assert fake.accept().ask(COMMAND) == ANSWER
        assert bridge.defects == ()
    fake.close()


def test_a_dead_pcscd_is_a_defect_and_is_not_tried_again(slot: Slot) -> None:
    attempts: list[int] = []
    error = PcscdError(Link.PRIVATE_PCSCD, "dead")

    def dead() -> socket.socket:
        attempts.append(1)
        raise error

    slot.insert(EchoCard())
    with SlotBridge(slot, dead) as bridge:
        assert [each.error for each in defects_of(bridge)] == [error]
    assert attempts == [1]


def test_no_thread_is_left_and_the_slot_is_no_longer_followed(reader: FakeReader, slot: Slot) -> None:
    slot.insert(EchoCard())
    bridge = SlotBridge(slot, lambda: tcp_connect(reader.port)).start()
    reader.accept().ask(COMMAND)
    bridge.close()
    bridge.close()
    slot.remove()
    slot.insert(EchoCard())
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("vpcd ")]
    assert not bridge.connected
