"""Faults of a front end, made and taken away."""

from __future__ import annotations

from bifente.simulator.fault import Aim, Around, Fault, Undo
from bifente.simulator.services.frontal.frontal import Frontal


def make(fault: Fault, around: Around, aim: Aim | None) -> Undo:
    """Make the front end around suffer a trouble, beside those it has. Raise FaultError where there is none."""
    frontal = around.part(Frontal)
    frontal.strike(fault.id)
    return lambda: frontal.relieve(fault.id)
