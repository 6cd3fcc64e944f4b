"""The PC/SC service in process: who may reach which card, and the code that says why not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from readers_bench import SELECT, Specimen, refused, workstation

from bifente.ground.clock import VirtualClock
from bifente.simulator.iso7816.card import Card
from bifente.simulator.pcsc.echo import EchoCard
from bifente.simulator.readers import (
    Context,
    Disposition,
    Handle,
    LineError,
    PcscCode,
    PcscService,
    PinPad,
    Protocol,
    Reader,
    ScardError,
    Share,
    Slot,
    State,
)
from bifente.simulator.readers.sharing import COUNTER, PNP_NOTIFICATION

NAME, EMPTY = "TL 0", "TL 1"


@pytest.fixture
def bench() -> tuple[PcscService, list[Reader], VirtualClock]:
    service, readers, clock = workstation(2)
    readers[0].slots[0].insert(Specimen())
    return service, readers, clock


@pytest.fixture
def service(bench: tuple[PcscService, list[Reader], VirtualClock]) -> PcscService:
    return bench[0]


@pytest.fixture
def reader(bench: tuple[PcscService, list[Reader], VirtualClock]) -> Reader:
    return bench[1][0]


@pytest.fixture
def slot(reader: Reader) -> Slot:
    return reader.slots[0]


@pytest.fixture
def one(service: PcscService) -> Context:
    return service.establish()


@pytest.fixture
def two(service: PcscService) -> Context:
    return service.establish()


def uses(handle: Handle) -> tuple[Callable[[], object], ...]:
    return (lambda: handle.transmit(SELECT), handle.begin, handle.end)


# -- share modes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("held", list(Share))
@pytest.mark.parametrize("asked", list(Share))
def test_only_an_exclusive_dialogue_keeps_others_out(one: Context, two: Context, held: Share, asked: Share) -> None:
    first = one.connect(NAME, held)
    if Share.EXCLUSIVE in (held, asked):
        with refused(PcscCode.SHARING_VIOLATION):
            two.connect(NAME, asked)
        first.disconnect()
    assert two.connect(NAME, asked).transmit(SELECT)


def test_a_dialogue_becomes_exclusive_only_alone(one: Context, two: Context) -> None:
    first, second = one.connect(NAME), two.connect(NAME)
    with refused(PcscCode.SHARING_VIOLATION):
        first.reconnect(Share.EXCLUSIVE)
    second.disconnect()
    first.reconnect(Share.EXCLUSIVE)
    with refused(PcscCode.SHARING_VIOLATION):
        two.connect(NAME)
    first.reconnect(Share.SHARED)
    with refused(PcscCode.SHARING_VIOLATION):
        two.connect(NAME)
    first.end()
    assert two.connect(NAME).transmit(SELECT), "pcscd keeps the lock of what was held alone until an end"


def test_whoever_has_the_card_alone_ends_only_what_it_began(one: Context) -> None:
    alone = one.connect(NAME, Share.EXCLUSIVE)
    alone.begin()
    alone.end()
    with refused(PcscCode.NOT_TRANSACTED):
        alone.end()


def test_a_failed_exclusive_connection_leaves_nothing_behind(one: Context, two: Context) -> None:
    first = one.connect(NAME)
    for _ in range(3):
        with refused(PcscCode.SHARING_VIOLATION):
            two.connect(NAME, Share.EXCLUSIVE)
    first.disconnect()
    assert two.connect(NAME, Share.EXCLUSIVE)


def test_the_reader_opens_without_a_card_but_answers_nothing(one: Context) -> None:
    direct = one.connect(EMPTY, Share.DIRECT, Protocol.NONE)
    assert direct.atr == b""
    with refused(PcscCode.NO_SMARTCARD):
        direct.transmit(SELECT)
    with refused(PcscCode.NO_SMARTCARD):
        direct.reconnect(Share.SHARED)
    for share in (Share.SHARED, Share.EXCLUSIVE):
        with refused(PcscCode.NO_SMARTCARD):
            one.connect(EMPTY, share)


def test_the_protocol_must_be_one_that_the_atr_offers(one: Context, slot: Slot) -> None:
    slot.remove()
    slot.insert(EchoCard(atr=bytes.fromhex("3BAC00402A001225006480000310009000")))
    with refused(PcscCode.PROTO_MISMATCH):
        one.connect(NAME, protocols=Protocol.T1)
    with refused(PcscCode.PROTO_MISMATCH):
        one.connect(NAME, protocols=Protocol.NONE)
    assert one.connect(NAME, protocols=Protocol.T0)


def test_an_unknown_reader(one: Context) -> None:
    for use in (lambda: one.connect("Nowhere"), lambda: one.status_change({"Nowhere": 0})):
        with refused(PcscCode.UNKNOWN_READER):
            use()


# -- transactions ---------------------------------------------------------------------------------------------------


def test_a_transaction_begun_twice_is_ended_twice(one: Context, two: Context) -> None:
    first, second = one.connect(NAME), two.connect(NAME)
    first.begin()
    first.begin()
    first.end()
    with refused(PcscCode.SHARING_VIOLATION):
        second.transmit(SELECT)
    first.end()
    assert second.transmit(SELECT)
    with refused(PcscCode.NOT_TRANSACTED):
        first.end()


def test_nothing_gets_into_a_transaction(one: Context, two: Context) -> None:
    first, second = one.connect(NAME), two.connect(NAME)
    first.begin()
    for use in (*uses(second), lambda: second.reconnect(), lambda: second.reset(cold=True), lambda: two.connect(NAME)):
        with refused(PcscCode.SHARING_VIOLATION):
            use()
    second.disconnect(Disposition.RESET)
    assert first.transmit(SELECT), "leaving does not reset a card that another holds"


def test_a_transaction_that_ends_by_a_reset_tells_everybody(one: Context, two: Context, slot: Slot) -> None:
    first, second = one.connect(NAME), two.connect(NAME)
    first.begin()
    first.end(Disposition.RESET)
    assert isinstance(slot.card, Specimen)
    assert slot.card.history[-1] == "reset"
    for handle in (first, second):
        with refused(PcscCode.RESET_CARD):
            handle.transmit(SELECT)
        handle.reconnect()
        assert handle.transmit(SELECT)


def test_a_disconnected_holder_holds_nothing(one: Context, two: Context) -> None:
    first, second = one.connect(NAME), two.connect(NAME)
    first.begin()
    first.begin()
    first.disconnect()
    assert second.transmit(SELECT)


def test_a_released_context_lets_everything_go(one: Context, two: Context) -> None:
    mine = one.connect(NAME, Share.EXCLUSIVE)
    one.release()
    assert two.connect(NAME).transmit(SELECT)
    with refused(PcscCode.INVALID_HANDLE):
        mine.transmit(SELECT)
    for use in (one.release, one.readers, lambda: one.connect(NAME)):
        with refused(PcscCode.INVALID_HANDLE):
            use()


def test_a_lease_lets_go_at_its_time(
    bench: tuple[PcscService, list[Reader], VirtualClock], one: Context, two: Context
) -> None:
    clock = bench[2]
    mine = one.connect(NAME, Share.EXCLUSIVE)
    mine.lease = clock.monotonic() + 2.0
    clock.advance(1.999)
    with refused(PcscCode.SHARING_VIOLATION):
        two.connect(NAME)
    clock.advance(0.001)
    assert two.connect(NAME).transmit(SELECT)
    with refused(PcscCode.INVALID_HANDLE):
        mine.transmit(SELECT)


def test_a_leased_transaction_lets_go_at_its_time(
    bench: tuple[PcscService, list[Reader], VirtualClock], one: Context, two: Context
) -> None:
    clock = bench[2]
    mine, other = one.connect(NAME), two.connect(NAME)
    mine.begin()
    mine.lease = clock.monotonic() + 1
    with refused(PcscCode.SHARING_VIOLATION):
        other.transmit(SELECT)
    clock.advance(1)
    assert other.transmit(SELECT)


# -- the power of the card ------------------------------------------------------------------------------------------


def test_dispositions(one: Context, slot: Slot) -> None:
    assert isinstance(slot.card, Specimen)
    history = slot.card.history
    for how, trace in (
        (Disposition.LEAVE, ["on"]),
        (Disposition.RESET, ["reset"]),
        (Disposition.UNPOWER, ["off"]),
        (Disposition.LEAVE, ["on"]),
    ):
        history.clear()
        one.connect(NAME).disconnect(how)
        assert history == trace


def test_a_card_left_unpowered_is_powered_anew(one: Context, two: Context, slot: Slot) -> None:
    first, second = one.connect(NAME), two.connect(NAME)
    first.disconnect(Disposition.UNPOWER)
    assert isinstance(slot.card, Specimen)
    assert not slot.card.powered
    with refused(PcscCode.RESET_CARD):
        second.transmit(SELECT)
    second.reconnect()
    assert not slot.card.powered, "taken up as it is"
    with refused(PcscCode.UNPOWERED_CARD):
        two.connect(NAME)
    second.disconnect()
    assert one.connect(NAME)
    assert slot.card.powered
    with refused(PcscCode.INVALID_HANDLE):
        first.close()


def test_a_card_that_gives_no_atr(one: Context, slot: Slot) -> None:
    class Dead:
        def exchange(self, card: Card, command: bytes) -> bytes:
            raise LineError(PcscCode.COMM_ERROR, partial=b"\x61")

        def power_on(self, card: Card) -> bytes:
            raise LineError(PcscCode.UNRESPONSIVE_CARD)

    slot.interference = Dead()
    with refused(PcscCode.UNRESPONSIVE_CARD):
        one.connect(NAME)
    assert State.MUTE in one.status_change({NAME: 0})[0].flags
    slot.interference = None
    handle = one.connect(NAME)
    assert State.MUTE not in one.status_change({NAME: 0})[0].flags
    slot.interference = Dead()
    with refused(PcscCode.COMM_ERROR):
        handle.transmit(SELECT)
    with refused(PcscCode.UNRESPONSIVE_CARD):
        handle.reset(cold=True)
    slot.interference = None
    assert handle.reset(cold=True)
    assert handle.transmit(SELECT), "the bench is usable after it"


def test_a_card_withdrawn_during_the_command(one: Context, slot: Slot) -> None:
    class Hand:
        def exchange(self, card: Card, command: bytes) -> bytes:
            slot.remove()
            raise LineError(PcscCode.REMOVED_CARD)

        def power_on(self, card: Card) -> bytes:
            return card.power_on()

    handle = one.connect(NAME)
    slot.interference = Hand()
    for _ in range(2):
        with refused(PcscCode.REMOVED_CARD):
            handle.transmit(SELECT)


# -- the link -------------------------------------------------------------------------------------------------------


def test_a_device_out_of_reach(one: Context, slot: Slot) -> None:
    handle = one.connect(NAME)
    slot.reach(False)
    for use in (*uses(handle), lambda: handle.reset(cold=True), lambda: one.connect(NAME)):
        with refused(PcscCode.READER_UNAVAILABLE):
            use()
    assert one.status_change({NAME: 0})[0].flags == State.UNAVAILABLE | State.CHANGED
    assert not one.wait(NAME, present=True, timeout=0)
    assert one.readers() == (NAME, EMPTY)
    slot.reach(True)
    for use in uses(handle):
        with refused(PcscCode.REMOVED_CARD):
            use()
    assert handle.reset(cold=True) == handle.atr
    assert handle.transmit(SELECT)


# -- status changes -------------------------------------------------------------------------------------------------


def test_a_state_known_already_is_no_news(one: Context, slot: Slot, service: PcscService) -> None:
    before = service.clock.monotonic()
    (now,) = one.status_change({NAME: 0})
    assert now.flags == State.PRESENT | State.CHANGED
    assert now.events == 1
    assert now.atr == slot.card.atr if slot.card else False
    with refused(PcscCode.TIMEOUT):
        one.status_change({NAME: now.state}, timeout=3)
    assert service.clock.monotonic() == before + 3, "the wait is spent on the clock"


def test_every_movement_counts_even_one_that_nobody_saw(one: Context, slot: Slot) -> None:
    known = one.status_change({NAME: 0})[0].state
    slot.insert(slot.remove())
    (now,) = one.status_change({NAME: known})
    assert now.events == (known >> COUNTER) + 2
    assert State.PRESENT in now.flags


def test_states_tell_who_has_the_card(one: Context, two: Context) -> None:
    def flags() -> State:
        return one.status_change({NAME: 0})[0].flags & (State.INUSE | State.EXCLUSIVE)

    assert not flags()
    first = two.connect(NAME)
    assert flags() == State.INUSE
    first.disconnect()
    first = two.connect(NAME, Share.EXCLUSIVE)
    assert State.EXCLUSIVE in flags()
    first.disconnect()
    assert not flags()


def test_the_arrival_of_a_reader_is_told(one: Context, service: PcscService) -> None:
    state = one.status_change({PNP_NOTIFICATION: 0})[0].state
    assert state >> COUNTER == 2
    with refused(PcscCode.TIMEOUT):
        one.status_change({PNP_NOTIFICATION: state})
    service.plug(Reader.of("New", ["New 0"], service.clock))
    assert one.status_change({PNP_NOTIFICATION: state})[0].state >> COUNTER == 3


# -- the reader comes and goes --------------------------------------------------------------------------------------


def test_an_unplugged_reader(service: PcscService, reader: Reader, slot: Slot, one: Context) -> None:
    handle = one.connect(NAME)
    service.unplug(reader)
    assert isinstance(slot.card, Specimen)
    assert not slot.card.powered, "its cards have lost their power"
    for use in (*uses(handle), lambda: handle.reset(cold=False)):
        with refused(PcscCode.READER_UNAVAILABLE):
            use()
    with refused(PcscCode.UNKNOWN_READER):
        one.connect(NAME)
    with refused(PcscCode.NO_READERS_AVAILABLE):
        one.readers()
    with pytest.raises(ValueError, match="not plugged in"):
        service.unplug(reader)
    service.plug(reader)
    with refused(PcscCode.READER_UNAVAILABLE):
        handle.transmit(SELECT)
    assert one.connect(NAME).transmit(SELECT)


def test_a_reader_comes_back_under_another_name(service: PcscService, reader: Reader, one: Context) -> None:
    service.unplug(reader)
    service.plug(reader, ["TL 7", "TL 8"])
    with refused(PcscCode.UNKNOWN_READER):
        one.connect(NAME)
    assert one.readers() == ("TL 7", "TL 8")
    assert service.name_of(reader.slots[0]) == "TL 7"
    assert one.connect("TL 7").transmit(SELECT)


def test_two_slots_never_bear_one_name(service: PcscService, reader: Reader) -> None:
    other = Reader.of("XL", ["XL 0", "XL 1"], service.clock)
    for names in (["TL 0", "XL 1"], ["XL 0", "XL 0"]):
        with pytest.raises(ValueError, match="two readers would bear the name"):
            service.plug(other, names)
    with pytest.raises(ValueError, match="2 slots, not 1"):
        service.plug(other, ["XL 0"])
    with pytest.raises(ValueError, match="plugged in already"):
        service.plug(reader, ["XL 5", "XL 6"])
    assert not service.plugged(other.slots[0])


def test_a_stopped_service_is_dead_to_all_it_knew(service: PcscService, one: Context) -> None:
    handle = one.connect(NAME, Share.EXCLUSIVE)
    service.stop()
    for use in (*uses(handle), service.establish, one.readers, lambda: one.connect(NAME)):
        with refused(PcscCode.NO_SERVICE):
            use()
    assert not service.running
    service.start()
    for use in (*uses(handle), one.readers, lambda: one.status_change({NAME: 0})):
        with refused(PcscCode.NO_SERVICE):
            use()
    handle.disconnect()
    fresh = service.establish()
    assert fresh.connect(NAME).transmit(SELECT), "nothing is held any more"


def test_a_reader_without_keys_has_no_control(one: Context) -> None:
    with refused(PcscCode.UNSUPPORTED_FEATURE):
        one.connect(NAME).control(0x42000000 + 3400, b"")


def test_slots_do_not_share_anything() -> None:
    service, readers, _clock = workstation(8, 9)
    for reader in readers:
        for number, slot in enumerate(reader.slots):
            slot.insert(Specimen(reader.name.encode() + bytes((number,))))
    context = service.establish()
    handles = {name: context.connect(name, Share.EXCLUSIVE) for name in context.readers()}
    assert len(handles) == 17
    for name, handle in handles.items():
        stem, number = name.split(" ")  # type: ignore[assignment]
        assert handle.transmit(SELECT).startswith(stem.encode() + bytes((int(number),)))
    readers[0].slots[3].remove()
    dead = [name for name, handle in handles.items() if _refusal(handle)]
    assert dead == ["TL 3"]


def _refusal(handle: Handle) -> int | None:
    try:
        handle.transmit(SELECT)
    except ScardError as error:
        return error.code
    return None


def test_several_devices_taken_as_one() -> None:
    clock = VirtualClock()
    parts = [Reader.of(name, [f"{name} 0"], clock, pin_pad=PinPad()) for name in ("A", "B")]
    together = Reader.together("Both", parts)
    assert [slot.name for slot in together.slots] == ["A 0", "B 0"]
    assert together.devices == tuple(parts)
    assert parts[0].devices == (parts[0],)
