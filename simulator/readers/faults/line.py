"""Faults of the card, the contacts and the line: what stands between the reader and the card once one is injected."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from bifente.ground.clock import Clock
from bifente.simulator.iso7816.card import Card
from bifente.simulator.readers.codes import PcscCode
from bifente.simulator.readers.faults.trigger import Trigger
from bifente.simulator.readers.slot import Interference, LineError, Slot

LONGEST_WAIT = 2.0
"""Seconds of real time a fault holds a command at most: on a clock that cannot be advanced, somebody is waiting."""

_STATUS = 2


@dataclass(slots=True)
class Pause:
    """Lets time pass on the bench clock, or in earnest where it is the machine's; ``end`` frees whoever waits."""

    clock: Clock
    _over: threading.Event = field(default_factory=threading.Event, init=False)

    def __call__(self, seconds: float) -> None:
        """Let ``seconds`` pass, at most ``LONGEST_WAIT`` of them in earnest."""
        if self.clock.earnest:
            self._over.wait(min(seconds, LONGEST_WAIT))
        else:
            self.clock.wait(seconds)

    def end(self) -> None:
        """Nobody waits any more."""
        self._over.set()


@dataclass(frozen=True, slots=True)
class Stroke:
    """One struck command: the slot it came to, the card there, and ``answer``, which asks the card (or what is below).

    ``answer`` may raise LineError, for a fault below.
    """

    slot: Slot
    card: Card
    command: bytes
    answer: Callable[[], bytes]
    pause: Pause


Effect = Callable[[Stroke], bytes]
"""What a fault does to one command: the answer the reader gets. Raises LineError."""


def mute(seconds: float) -> Effect:
    """The card takes the command and never answers; the reader gives up after ``seconds`` and tells a failed exchange.

    PC/SC says NOT_TRANSACTED (pcsc-lite gives it for any exchange its driver could not finish).
    """

    def strike(stroke: Stroke) -> bytes:
        stroke.answer()
        if not stroke.pause.clock.earnest:
            stroke.pause(seconds)
        # In earnest, it is whoever stands for the reader that waits: it alone knows how long its client can.
        raise LineError(PcscCode.NOT_TRANSACTED, mute=True)

    return strike


def late(seconds: float) -> Effect:
    """The card asks for more time and answers ``seconds`` later, as it may (ISO/IEC 7816-3, waiting time extension)."""

    def strike(stroke: Stroke) -> bytes:
        stroke.pause(seconds)
        return stroke.answer()

    return strike


def truncated(keep: int) -> Effect:
    """The line breaks after ``keep`` bytes of the answer, at the latest before its last byte."""

    def strike(stroke: Stroke) -> bytes:
        answer = stroke.answer()
        raise LineError(PcscCode.NOT_TRANSACTED, partial=answer[: min(keep, len(answer) - 1)])

    return strike


def wrong_status(sw: int) -> Effect:
    """The card refuses with a status word of its own instead of doing what it is asked; it keeps no trace of it."""
    answer = sw.to_bytes(_STATUS, "big")
    return lambda stroke: answer


def failed() -> Effect:
    """The exchange fails before the card sees the command: a dirty contact, a parity error that repeats."""

    def strike(stroke: Stroke) -> bytes:
        raise LineError(PcscCode.NOT_TRANSACTED)

    return strike


def withdrawn_after() -> Effect:
    """The answer comes through, then the card is taken out: whoever asks next finds the slot empty."""

    def strike(stroke: Stroke) -> bytes:
        answer = stroke.answer()
        _take_out(stroke)
        return answer

    return strike


def withdrawn_during() -> Effect:
    """The card is taken out while it works: it has done what it was asked, nobody hears it say so."""

    def strike(stroke: Stroke) -> bytes:
        stroke.answer()
        _take_out(stroke)
        raise LineError(PcscCode.REMOVED_CARD)

    return strike


def unpowered() -> Effect:
    """The reader cuts the power of a card in use, as some do to save a battery: the card forgets its session."""

    def strike(stroke: Stroke) -> bytes:
        stroke.card.power_off()
        raise LineError(PcscCode.UNPOWERED_CARD)

    return strike


def micro_cut() -> Effect:
    """The contacts part for a moment: the card starts anew, the exchange fails, and nobody is told of a reset."""

    def strike(stroke: Stroke) -> bytes:
        stroke.card.power_off()
        stroke.card.power_on()
        raise LineError(PcscCode.NOT_TRANSACTED)

    return strike


def suspended(seconds: float) -> Effect:
    """The bus puts the device to sleep for ``seconds``: it goes and comes back, its card without power."""

    def strike(stroke: Stroke) -> bytes:
        stroke.slot.reach(False)
        stroke.pause(seconds)
        stroke.slot.reach(True)
        raise LineError(PcscCode.READER_UNAVAILABLE)

    return strike


def throttled(latency: float, bits_a_second: float) -> Effect:
    """Every exchange takes ``latency`` seconds and the time its bytes take at this rate."""

    def strike(stroke: Stroke) -> bytes:
        answer = stroke.answer()
        stroke.pause(latency + 8 * (len(stroke.command) + len(answer)) / bits_a_second)
        return answer

    return strike


def _take_out(stroke: Stroke) -> None:
    if stroke.slot.card is stroke.card:
        stroke.slot.remove()


@dataclass(slots=True)
class FaultyLine:
    """An interference that lets a fault strike when its trigger says so; what was there before works below it."""

    slot: Slot
    trigger: Trigger
    effect: Effect
    pause: Pause
    below: Interference | None = None
    over: bool = False

    def exchange(self, card: Card, command: bytes) -> bytes:
        """The answer to one command. Raises LineError."""

        def answer() -> bytes:
            if self.slot.card is not card:  # taken out while the fault let time pass: it hears no more
                raise LineError(PcscCode.REMOVED_CARD)
            return card.transmit(command) if self.below is None else self.below.exchange(card, command)

        if self.over or not self.trigger.strikes(command):
            return answer()
        return self.effect(Stroke(self.slot, card, command, answer, self.pause))

    def power_on(self, card: Card) -> bytes:
        """Power comes through."""
        return card.power_on() if self.below is None else self.below.power_on(card)


@dataclass(slots=True)
class DeadCard:
    """An interference that lets nothing through: the card gives no answer to reset, thus no answer at all."""

    below: Interference | None = None
    over: bool = False

    def exchange(self, card: Card, command: bytes) -> bytes:
        """Raises LineError: it never had power."""
        if not self.over:
            raise LineError(PcscCode.UNRESPONSIVE_CARD)
        return card.transmit(command) if self.below is None else self.below.exchange(card, command)

    def power_on(self, card: Card) -> bytes:
        """Raises LineError: no answer to reset."""
        if not self.over:
            raise LineError(PcscCode.UNRESPONSIVE_CARD, mute=True)
        return card.power_on() if self.below is None else self.below.power_on(card)


def lay(slot: Slot, interference: FaultyLine | DeadCard) -> Callable[[], None]:
    """Put an interference on a slot, over what is there; the function returned takes it off. Faults may leave in any
    order: one that is no longer on top lets everything through.
    """
    interference.below = slot.interference
    slot.interference = interference

    def lift() -> None:
        interference.over = True
        if isinstance(interference, FaultyLine):
            interference.pause.end()
        while isinstance(slot.interference, FaultyLine | DeadCard) and slot.interference.over:
            slot.interference = slot.interference.below

    return lift
