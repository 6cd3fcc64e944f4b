"""Faults of INSi, made and taken away."""

from __future__ import annotations

from bifente.simulator.fault import Aim, Around, Fault, Undo
from bifente.simulator.services.insi.service import Insi


def make(fault: Fault, around: Around, aim: Aim | None) -> Undo:
    """Make the service around suffer a fault. Raise FaultError where there is none."""
    service = around.part(Insi)
    service.strike(fault.id)
    return lambda: service.relieve(fault.id)
