"""Faults made on a bench: what the catalogue says, done to slots, readers, terminals and services, and undone."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from bifente.ground.clock import Clock
from bifente.simulator.fault import Aim, Around, Fault, FaultError, Undo
from bifente.simulator.iso7816.card import Card
from bifente.simulator.readers.codes import PcscCode, ScardError
from bifente.simulator.readers.faults.line import (
    DeadCard,
    Effect,
    FaultyLine,
    Pause,
    failed,
    late,
    lay,
    micro_cut,
    mute,
    suspended,
    throttled,
    truncated,
    unpowered,
    withdrawn_after,
    withdrawn_during,
    wrong_status,
)
from bifente.simulator.readers.faults.mechanisms import ENDING, LINE, Mechanism
from bifente.simulator.readers.faults.trigger import Trigger, When
from bifente.simulator.readers.sharing import Share
from bifente.simulator.readers.slot import Slot


class Stoppable(Protocol):
    """A PC/SC service that a bench can stop and start."""

    def stop(self) -> None:
        """Stop it."""
        ...

    def start(self) -> None:
        """Start it again."""
        ...


class Rival(Protocol):
    """What another application does with its dialogue. Every method but ``disconnect`` may raise ScardError."""

    def reset(self, *, cold: bool) -> bytes:
        """Reset the card."""
        ...

    def begin(self) -> None:
        """Begin a transaction."""
        ...

    def end(self) -> None:
        """End it."""
        ...

    def disconnect(self) -> None:
        """Leave the card."""
        ...


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a fault is made: the slot it strikes, and what there is around it.

    ``slots`` are all of the device by role; ``rival`` opens the slot for another application, in a share mode.
    ``another_card`` puts in a card made as a fault's parameters say. ``service`` is None where there is none that the
    bench can act on. ``settle`` waits until whoever watches the slots has seen their last movement; ``revive`` makes
    sure, once a fault is gone, that the cards can be spoken to again: by a reset, if the fault ``ended`` dialogues.
    """

    slot: Slot
    clock: Clock
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - a draw of a test bench
    slots: Mapping[str, Slot] = field(default_factory=dict)
    rival: Callable[[Share], Rival] | None = None
    another_card: Callable[[Mapping[str, Any]], Undo] | None = None
    service: Stoppable | None = None
    settle: Callable[[], None] = lambda: None
    revive: Callable[[bool], None] = lambda ended: None

    def put_in(self, slot: Slot, card: Card) -> None:
        """Put a card in a slot, its removal seen first and its insertion afterwards; nothing if one is there."""
        if slot.card is None:
            self.settle()
            slot.insert(card)
            self.settle()

    def take_out(self, slot: Slot) -> Card:
        """Take a card out, and let it be seen. Raises SlotError if there is none."""
        card = slot.remove()
        self.settle()
        return card


def when(fault: Fault) -> When:
    """When a fault strikes unless told otherwise."""
    given = fault.parameters
    instruction, times = given.get("instruction"), given.get("times", "1")
    return When(
        command=int(given.get("command", 1)),
        instruction=None if instruction is None else int(instruction, 16),
        times=None if times == "always" else int(times),
    )


def make(fault: Fault, around: Around, aim: Aim | None) -> Undo:
    """Make a fault at the spot it strikes, by the catalogue's door. Raise FaultError; SlotError as ``inject``."""
    spot = around.part(Spot)
    undo = inject(fault, spot, _aimed(fault, aim), byte=aim.byte if aim is not None else None)

    def undone() -> None:
        undo()
        spot.revive(fault.mechanism in ENDING)

    return undone


def _aimed(fault: Fault, aim: Aim | None) -> When | None:
    if aim is None:
        return None
    usual = when(fault)
    times = usual.times if aim.times is None else aim.times
    return When(
        command=aim.command or usual.command,
        instruction=usual.instruction if aim.instruction is None else aim.instruction,
        times=None if times == "always" else times,
        percent=aim.percent or usual.percent,
    )


def inject(fault: Fault, spot: Spot, at: When | None = None, *, byte: int | None = None) -> Undo:
    """Make a fault; the function given back takes it away.

    ``at`` and ``byte`` (bytes of the answer that come through) replace the catalogue's own. Raises FaultError for a
    fault that is not made here, or where what it needs is missing; SlotError for a movement the slot cannot do.
    """
    if fault.mechanism in LINE:
        return _on_the_line(fault, spot, at or when(fault), byte)
    if at is not None or byte is not None:
        raise FaultError(f"{fault.id} strikes no command: it cannot be told which, nor at what byte")
    make = _MAKERS.get(fault.mechanism)
    if make is None:
        raise FaultError(f"{fault.id} is no fault of a reader: its place is {fault.place}")
    return make(fault, spot)


def _on_the_line(fault: Fault, spot: Spot, at: When, byte: int | None) -> Undo:
    if byte is not None and fault.mechanism != Mechanism.TRUNCATED:
        raise FaultError(f"{fault.id} leaves the bytes of the answer alone")
    given = fault.parameters if byte is None else {**fault.parameters, "byte": str(byte)}
    line = FaultyLine(spot.slot, Trigger(at, spot.chance), _EFFECTS[fault.mechanism](given), Pause(spot.clock))
    card = spot.slot.card
    lift = lay(spot.slot, line)

    def undo() -> None:
        lift()
        spot.settle()
        if card is not None:
            spot.put_in(spot.slot, card)  # what a hand does after it took a card out too early

    return undo


_EFFECTS: Mapping[str, Callable[[Mapping[str, str]], Effect]] = {
    Mechanism.MUTE: lambda given: mute(float(given["seconds"])),
    Mechanism.LATE: lambda given: late(float(given["seconds"])),
    Mechanism.TRUNCATED: lambda given: truncated(int(given["byte"])),
    Mechanism.STATUS: lambda given: wrong_status(int(given["sw"], 16)),
    Mechanism.FAILED: lambda given: failed(),
    Mechanism.WITHDRAWN_AFTER: lambda given: withdrawn_after(),
    Mechanism.WITHDRAWN_DURING: lambda given: withdrawn_during(),
    Mechanism.UNPOWERED: lambda given: unpowered(),
    Mechanism.MICRO_CUT: lambda given: micro_cut(),
    Mechanism.SUSPENDED: lambda given: suspended(float(given["seconds"])),
    Mechanism.THROTTLED: lambda given: throttled(float(given["latency"]), float(given["bits-a-second"])),
}


# -- what a hand does to cards and readers ----------------------------------------------------------------------------


def _removed(fault: Fault, spot: Spot) -> Undo:
    card = spot.take_out(spot.slot)
    return lambda: spot.put_in(spot.slot, card)


def _dead(fault: Fault, spot: Spot) -> Undo:
    """A card that gives no answer to reset has to be put in anew: one that has answered before is powered already."""
    card = spot.take_out(spot.slot)
    lift = lay(spot.slot, DeadCard())
    spot.put_in(spot.slot, card)

    def undo() -> None:
        lift()
        if spot.slot.card is card:
            spot.take_out(spot.slot)
        spot.put_in(spot.slot, card)

    return undo


def _lost(fault: Fault, spot: Spot) -> Undo:
    slots = tuple(spot.slots.values()) or (spot.slot,)

    def reach(reachable: bool) -> None:
        for slot in slots:
            slot.reach(reachable)
        spot.settle()

    reach(False)
    return lambda: reach(True)


def _swapped(fault: Fault, spot: Spot) -> Undo:
    others = [slot for slot in spot.slots.values() if slot is not spot.slot and slot.card is not None]
    if not others or spot.slot.card is None:
        raise FaultError(f"{fault.id} needs two cards in the device")
    pair = (spot.slot, others[0])

    def swap() -> None:
        if all(slot.card is not None for slot in pair):
            first, second = (spot.take_out(slot) for slot in pair)
            spot.put_in(pair[0], second)
            spot.put_in(pair[1], first)

    swap()
    return swap


def _another_card(fault: Fault, spot: Spot) -> Undo:
    if spot.another_card is None:
        raise FaultError(f"{fault.id} needs somebody who makes cards")
    return spot.another_card(fault.parameters)


# -- what another application does ------------------------------------------------------------------------------------


def _reset(fault: Fault, spot: Spot) -> Undo:
    other = _rival(fault, spot, Share.SHARED)
    other.reset(cold=False)
    other.disconnect()
    return _nothing


def _held(fault: Fault, spot: Spot) -> Undo:
    """An application that has the card for itself alone; beside one that has it open already, one in a transaction.

    In the latter case a real service makes whoever begins a transaction wait without limit.
    """
    try:
        other = _rival(fault, spot, Share.EXCLUSIVE)
    except ScardError as error:
        if error.code != PcscCode.SHARING_VIOLATION:
            raise
        other = _rival(fault, spot, Share.SHARED)
        other.begin()

    def undo() -> None:
        with suppress(ScardError):
            other.end()
        other.disconnect()

    return undo


def _rival(fault: Fault, spot: Spot, share: Share) -> Rival:
    if spot.rival is None:
        raise FaultError(f"{fault.id} needs another application's way to the card")
    return spot.rival(share)


def _service(fault: Fault, spot: Spot) -> Undo:
    if spot.service is None:
        raise FaultError(f"{fault.id} needs a PC/SC service of the bench's own")
    spot.service.stop()
    return spot.service.start


def _nothing() -> None:
    """What has happened leaves nothing to take away: the software goes on as the remedy says."""


_MAKERS: Mapping[str, Callable[[Fault, Spot], Undo]] = {
    Mechanism.REMOVED: _removed,
    Mechanism.DEAD: _dead,
    Mechanism.LOST: _lost,
    Mechanism.SWAPPED: _swapped,
    Mechanism.RESET: _reset,
    Mechanism.HELD: _held,
    Mechanism.SERVICE: _service,
    Mechanism.CARD: _another_card,
}
