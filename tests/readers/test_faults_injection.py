"""When a fault strikes, what it does on the line, and that it leaves nothing behind."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.ground.clock import VirtualClock, WallClock
from bifente.simulator.fault import FaultError
from bifente.simulator.faults import catalogue, fault, rooms
from bifente.simulator.readers import LineError, PcscCode, PcscService, Reader, ScardError, Slot, SlotError
from bifente.simulator.readers.faults import LONGEST_WAIT, Mechanism, Spot, When, inject
from bifente.simulator.readers.faults.line import FaultyLine, Pause, failed, late, lay, mute, truncated, unpowered
from bifente.simulator.readers.faults.mechanisms import LINE
from bifente.simulator.readers.faults.trigger import Trigger

READ, VERIFY = bytes.fromhex("00B0000003"), bytes.fromhex("0020000100")


class Card:
    """Answers three bytes and 9000, counts what it is asked, and remembers its power."""

    atr = b"\x3b\x00"

    def __init__(self) -> None:
        self.asked = 0
        self.starts = 0

    def power_on(self) -> bytes:
        self.starts += 1
        return self.atr

    def power_off(self) -> None:
        self.starts += 1

    def reset(self) -> bytes:
        return self.atr

    def transmit(self, command: bytes) -> bytes:
        self.asked += 1
        return b"abc\x90\x00"


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(datetime(2026, 3, 3, tzinfo=UTC))


@pytest.fixture
def slot(clock: VirtualClock) -> Slot:
    slot = Slot("one", clock)
    slot.insert(Card())
    return slot


def card_of(slot: Slot) -> Card:
    assert isinstance(slot.card, Card)
    return slot.card


def outcome(slot: Slot, command: bytes = READ) -> str:
    try:
        return slot.exchange(command).hex()
    except LineError as error:
        return error.code.name


OK = b"abc\x90\x00".hex()


def strikes(when: When, commands: list[bytes], seed: int = 1) -> list[bool]:
    trigger = Trigger(when, random.Random(seed))
    return [trigger.strikes(command) for command in commands]


@given(command=st.integers(1, 8), times=st.none() | st.integers(1, 8), count=st.integers(0, 20))
def test_a_trigger_strikes_from_the_nth_command_on_so_many_times(command: int, times: int | None, count: int) -> None:
    last = count if times is None else command + times - 1
    expected = [command <= number <= last for number in range(1, count + 1)]
    assert strikes(When(command, None, times), [READ] * count) == expected


def test_a_trigger_counts_the_commands_of_its_instruction_only() -> None:
    commands = [VERIFY, READ, VERIFY, READ, READ, b"", b"\x00"]
    assert strikes(When(2, 0xB0, 1), commands) == [False, False, False, True, False, False, False]


@given(percent=st.integers(1, 99), seed=st.integers(0, 50))
def test_chance_is_repeated_by_its_seed(percent: int, seed: int) -> None:
    when = When(times=None, percent=percent)
    assert strikes(when, [READ] * 50, seed) == strikes(when, [READ] * 50, seed)


def test_chance_is_about_its_percentage() -> None:
    assert 200 < sum(strikes(When(times=None, percent=30), [READ] * 1000)) < 400
    assert all(strikes(When(times=None, percent=100), [READ] * 100))


@pytest.mark.parametrize(
    "wrong", [{"command": 0}, {"instruction": 256}, {"instruction": -1}, {"times": 0}, {"percent": 0}, {"percent": 101}]
)
def test_an_impossible_trigger_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"command|instruction|strikes|chance"):
        When(**wrong)


def laid(slot: Slot, clock: VirtualClock, effect: object, when: When | None = None) -> object:
    return lay(slot, FaultyLine(slot, Trigger(when or When(), random.Random(1)), effect, Pause(clock)))  # type: ignore[arg-type]


def test_a_mute_card_did_what_it_was_asked_and_the_wait_is_on_the_clock(slot: Slot, clock: VirtualClock) -> None:
    laid(slot, clock, mute(1.5))
    with pytest.raises(LineError) as met:
        slot.exchange(READ)
    assert (met.value.code, met.value.mute, met.value.partial) == (PcscCode.NOT_TRANSACTED, True, b"")
    assert card_of(slot).asked == 1
    assert clock.monotonic() == 1.5


def test_a_failed_exchange_never_reaches_the_card(slot: Slot, clock: VirtualClock) -> None:
    laid(slot, clock, failed())
    assert [outcome(slot), outcome(slot)] == ["NOT_TRANSACTED", OK]
    assert card_of(slot).asked == 1


@pytest.mark.parametrize(("keep", "came"), [(0, b""), (1, b"a"), (4, b"abc\x90"), (5, b"abc\x90"), (99, b"abc\x90")])
def test_a_cut_answer_never_comes_through_whole(slot: Slot, clock: VirtualClock, keep: int, came: bytes) -> None:
    laid(slot, clock, truncated(keep))
    with pytest.raises(LineError) as met:
        slot.exchange(READ)
    assert met.value.partial == came


def test_power_is_cut_for_good_or_for_a_moment(slot: Slot) -> None:
    inject(fault("card-unpowered"), Spot(slot, VirtualClock()))
    assert outcome(slot) == "UNPOWERED_CARD"
    assert card_of(slot).starts == 1
    inject(fault("micro-cut"), Spot(slot, VirtualClock()))
    assert outcome(slot) == "NOT_TRANSACTED"
    assert card_of(slot).starts == 3


def test_a_rate_is_paid_by_the_byte(slot: Slot, clock: VirtualClock) -> None:
    undo = inject(fault("narrow-band"), Spot(slot, clock))
    assert outcome(slot) == OK
    assert clock.monotonic() == pytest.approx(0.01 + 8 * 10 / 9600)
    undo()
    assert outcome(slot) == OK
    assert clock.monotonic() == pytest.approx(0.01 + 8 * 10 / 9600)


class HandsMove(VirtualClock):
    """A clock on which a hand moves while somebody waits, once."""

    move: Callable[[], object] | None = None

    def wait(self, seconds: float) -> None:
        super().wait(seconds)
        move, self.move = self.move, None
        if move is not None:
            move()


@pytest.mark.parametrize("again", [False, True], ids=["out", "another-in"])
def test_a_card_taken_out_before_it_is_late_is_asked_nothing(again: bool) -> None:
    clock = HandsMove()
    slot, gone = Slot("one", clock), Card()
    slot.insert(gone)
    laid(slot, clock, late(5))

    def move() -> None:
        slot.remove()
        if again:
            slot.insert(Card())

    clock.move = move
    assert outcome(slot) == "REMOVED_CARD"
    assert gone.asked == 0
    if again:
        assert outcome(slot) == OK
    else:
        with pytest.raises(SlotError):
            outcome(slot)


def test_in_earnest_a_wait_is_bounded_and_ends_with_the_fault() -> None:
    pause = Pause(WallClock())
    pause.end()
    pause(3600)  # would be LONGEST_WAIT
    assert LONGEST_WAIT <= 5


@given(order=st.permutations(range(4)))
def test_faults_leave_in_any_order_and_nothing_stays(order: list[int]) -> None:
    clock = VirtualClock()
    slot = Slot("one", clock)
    slot.insert(Card())
    effects = [late(1), late(10), unpowered(), failed()]
    lifts = [laid(slot, clock, effect, When(times=None)) for effect in effects]
    for number in order:
        lifts[number]()  # type: ignore[operator]
    assert slot.interference is None
    assert outcome(slot) == OK
    assert clock.monotonic() == 0


def test_a_fault_lies_over_what_was_there(slot: Slot, clock: VirtualClock) -> None:
    first = laid(slot, clock, late(5), When(times=None))
    below = slot.interference
    second = laid(slot, clock, late(2))
    outcome(slot)
    assert clock.monotonic() == 7
    first()  # type: ignore[operator]
    outcome(slot)
    assert clock.monotonic() == 7
    second()  # type: ignore[operator]
    assert slot.interference is None is not below


@pytest.mark.parametrize("identifier", ["withdrawn-between-commands", "withdrawn-during-command", "card-absent"])
def test_the_same_card_is_put_back(slot: Slot, clock: VirtualClock, identifier: str) -> None:
    card = slot.card
    undo = inject(fault(identifier), Spot(slot, clock))
    if slot.card is not None:
        outcome(slot)
    assert slot.card is None
    undo()
    assert slot.card is card


def test_a_hand_that_was_faster_is_respected(slot: Slot, clock: VirtualClock) -> None:
    undo = inject(fault("card-absent"), Spot(slot, clock))
    other = Card()
    slot.insert(other)
    undo()
    assert slot.card is other


@pytest.mark.parametrize(
    ("identifier", "at", "byte", "said"),
    [
        ("card-absent", When(), None, "card-absent strikes no command"),
        ("card-absent", None, 1, "card-absent strikes no command"),
        ("card-mute", None, 1, "card-mute leaves the bytes of the answer alone"),
        ("galss-ini-missing", None, None, "galss-ini-missing is no fault of a reader"),
        ("slots-swapped", None, None, "slots-swapped needs two cards"),
        ("exclusivity-held", None, None, "exclusivity-held needs another application"),
        ("reset-by-another-application", None, None, "needs another application"),
        ("service-stopped", None, None, "service-stopped needs a PC/SC service"),
        ("terminal-out-of-range", None, None, "terminal-out-of-range is no fault of a reader"),
        ("front-end-down", None, None, "front-end-down is no fault of a reader"),
        ("code-blocked", None, None, "code-blocked needs somebody who makes cards"),
    ],
)
def test_what_cannot_be_made_is_refused_in_a_sentence(
    slot: Slot, clock: VirtualClock, identifier: str, at: When | None, byte: int | None, said: str
) -> None:
    with pytest.raises(FaultError, match=said):
        inject(fault(identifier), Spot(slot, clock), at, byte=byte)
    assert slot.interference is None
    assert slot.card is not None


@pytest.mark.parametrize("already_open", [True, False])
def test_a_card_that_is_held_is_another_s_until_the_fault_is_gone(
    slot: Slot, clock: VirtualClock, already_open: bool
) -> None:
    reader = Reader("one", (slot,))
    service = PcscService([reader], clock)
    ours, theirs = service.establish(), service.establish()
    handle = ours.connect("one") if already_open else None
    undo = inject(fault("exclusivity-held"), Spot(slot, clock, rival=partial(theirs.connect, "one")))
    with pytest.raises(ScardError, match="SHARING_VIOLATION"):
        handle.transmit(READ) if handle is not None else ours.connect("one")
    undo()
    assert (handle or ours.connect("one")).transmit(READ) == b"abc\x90\x00"


def test_every_mechanism_is_used() -> None:
    assert {one.mechanism for one in catalogue().values() if one.room == "readers"} == set(Mechanism)


def test_the_room_says_of_itself_what_it_can() -> None:
    assert rooms()["readers"].mechanisms == frozenset(Mechanism)
    assert rooms()["readers"].aimed == LINE
