"""Faults of the apCV service, made and taken away."""

from __future__ import annotations

from bifente.simulator.fault import Aim, Around, Fault, Undo
from bifente.simulator.services.apcv.service import ApcvService


def make(fault: Fault, around: Around, aim: Aim | None) -> Undo:
    """Make the service around suffer a fault. Raise FaultError where there is none."""
    service = around.part(ApcvService)
    service.strike(fault.id)
    return lambda: service.relieve(fault.id)
