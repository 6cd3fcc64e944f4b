"""Faults made on a bench: what the catalogue says, done to slots, readers, terminals and services, and undone."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from bifente.ground.clock import Clock
from bifente.simulator.iso7816.card import Card
from bifente.simulator.readers.codes import PcscCode, ScardError
from bifente.simulator.readers.faults.catalogue import Fault, FaultError, Mechanism
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
from bifente.simulator.readers.faults.trigger import Trigger, When
from bifente.simulator.readers.sharing import Share
from bifente.simulator.readers.slot import Slot
from bifente.simulator.readers.wireless import Link, Session, Terminal


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


Undo = Callable[[], None]
"""Takes a fault away: the bench is as usable as before. Called once."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a fault is made: the slot it strikes, and what there is around it.

    ``slots`` are all of the device by role; ``rival`` opens the slot for another application, in a share mode.
    ``terminal`` and ``service`` are None where there is none that the bench can act on. ``settle`` waits until whoever
    watches the slots has seen their last movement; ``reopen`` begins a session of the terminal anew.
    """

    slot: Slot
    clock: Clock
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - a draw of a test bench
    slots: Mapping[str, Slot] = field(default_factory=dict)
    rival: Callable[[Share], Rival] | None = None
    terminal: Terminal | None = None
    service: Stoppable | None = None
    settle: Callable[[], None] = lambda: None
    reopen: Callable[[], object] | None = None

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


def inject(fault: Fault, spot: Spot, at: When | None = None, *, byte: int | None = None) -> Undo:
    """Make a fault; the function given back takes it away.

    ``at`` and ``byte`` (bytes of the answer that come through) replace the catalogue's own. Raises FaultError for a
    fault that is not made here, or where what it needs is missing; SlotError for a movement the slot cannot do.
    """
    if fault.mechanism.on_the_line:
        return _on_the_line(fault, spot, at or when(fault), byte)
    if at is not None or byte is not None:
        raise FaultError(f"{fault.id} strikes no command: it cannot be told which, nor at what byte")
    make = _MAKERS.get(fault.mechanism)
    if make is None:
        raise FaultError(f"{fault.id} is no fault of a reader: its place is {fault.place}")
    return make(fault, spot)


def _on_the_line(fault: Fault, spot: Spot, at: When, byte: int | None) -> Undo:
    if byte is not None and fault.mechanism is not Mechanism.TRUNCATED:
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


_EFFECTS: Mapping[Mechanism, Callable[[Mapping[str, str]], Effect]] = {
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


# -- what happens to a wireless terminal ------------------------------------------------------------------------------


def _terminal(fault: Fault, spot: Spot) -> Undo:
    terminal = spot.terminal
    if terminal is None:
        raise FaultError(f"{fault.id} needs a wireless terminal")
    undo = _TERMINAL[str(fault.parameters["action"])](terminal, fault)
    spot.settle()

    def all_undone() -> None:
        undo()
        # While another fault keeps the terminal away, the session is for whoever takes that one away.
        if terminal.session is not Session.OPEN and terminal.condition.connected:
            (spot.reopen or terminal.open_session)()
        spot.settle()

    return all_undone


def _forget_code(terminal: Terminal, fault: Fault) -> Undo:
    terminal.forget_code()
    return _nothing


def _link_lost(terminal: Terminal, fault: Fault) -> Undo:
    terminal.set_link(Link.LOST)
    return lambda: terminal.set_link(Link.UP)


def _link_weak(terminal: Terminal, fault: Fault) -> Undo:
    quiet = replace(terminal.parameters.weak, lost=0.0, late=0.0)
    terminal.set_link(Link.WEAK, weak=quiet, losses=int(fault.parameters["losses"]))
    return lambda: terminal.set_link(Link.UP)


def _battery_empty(terminal: Terminal, fault: Fault) -> Undo:
    terminal.charge(0)
    return lambda: terminal.charge(100)


def _session_closed(terminal: Terminal, fault: Fault) -> Undo:
    terminal.close()
    return _nothing


_TERMINAL: Mapping[str, Callable[[Terminal, Fault], Undo]] = {
    "forget-code": _forget_code,
    "link-lost": _link_lost,
    "link-weak": _link_weak,
    "battery-empty": _battery_empty,
    "session-closed": _session_closed,
}


def _nothing() -> None:
    """What has happened leaves nothing to take away: the software goes on as the remedy says."""


_MAKERS: Mapping[Mechanism, Callable[[Fault, Spot], Undo]] = {
    Mechanism.REMOVED: _removed,
    Mechanism.DEAD: _dead,
    Mechanism.LOST: _lost,
    Mechanism.SWAPPED: _swapped,
    Mechanism.RESET: _reset,
    Mechanism.HELD: _held,
    Mechanism.SERVICE: _service,
    Mechanism.TERMINAL: _terminal,
}
