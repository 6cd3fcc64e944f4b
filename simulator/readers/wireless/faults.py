"""Faults of a wireless terminal, made and taken away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from bifente.simulator.fault import Aim, Around, Fault, Undo
from bifente.simulator.readers.faults.injection import Spot
from bifente.simulator.readers.wireless.states import RadioLink, TerminalSession
from bifente.simulator.readers.wireless.terminal import Terminal


@dataclass(frozen=True, slots=True)
class TerminalSpot:
    """The terminal a fault strikes. ``reopen`` begins a session anew; ``settle`` as that of ``Spot``."""

    terminal: Terminal
    reopen: Callable[[], object]
    settle: Callable[[], None] = lambda: None


def make(fault: Fault, around: Around, aim: Aim | None) -> Undo:
    """Make a fault of the terminal around, by the catalogue's door. Raise FaultError where there is none."""
    spot, slots = around.part(TerminalSpot), around.part(Spot)
    undo = inject(fault, replace(spot, settle=slots.settle))

    def undone() -> None:
        undo()
        slots.revive(True)

    return undone


def inject(fault: Fault, spot: TerminalSpot) -> Undo:
    """Make a fault of a terminal; the function given back takes it away."""
    undo = _ACTIONS[fault.mechanism](spot.terminal, fault)
    spot.settle()

    def all_undone() -> None:
        undo()
        # While another fault keeps the terminal away, the session is for whoever takes that one away.
        if spot.terminal.session is not TerminalSession.OPEN and spot.terminal.condition.connected:
            spot.reopen()
        spot.settle()

    return all_undone


def _nothing() -> None:
    """What has happened leaves nothing to take away: the software goes on as the remedy says."""


def _forget_code(terminal: Terminal, fault: Fault) -> Undo:
    terminal.forget_code()
    return _nothing


def _link_lost(terminal: Terminal, fault: Fault) -> Undo:
    terminal.set_link(RadioLink.LOST)
    return lambda: terminal.set_link(RadioLink.UP)


def _link_weak(terminal: Terminal, fault: Fault) -> Undo:
    quiet = replace(terminal.parameters.weak, lost=0.0, late=0.0)
    terminal.set_link(RadioLink.WEAK, weak=quiet, losses=int(fault.parameters["losses"]))
    return lambda: terminal.set_link(RadioLink.UP)


def _battery_empty(terminal: Terminal, fault: Fault) -> Undo:
    terminal.charge(0)
    return lambda: terminal.charge(100)


def _session_closed(terminal: Terminal, fault: Fault) -> Undo:
    terminal.close()
    return _nothing


_ACTIONS: Mapping[str, Callable[[Terminal, Fault], Undo]] = {
    "forget-code": _forget_code,
    "link-lost": _link_lost,
    "link-weak": _link_weak,
    "battery-empty": _battery_empty,
    "session-closed": _session_closed,
}
