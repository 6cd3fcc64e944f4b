"""Faults of the provider, made and taken away; each can be aimed at a client, a user, the nth of their requests."""

from __future__ import annotations

from bifente.simulator.fault import Aim, Around, Fault, Undo
from bifente.simulator.services.psc.service import PscService


def make(fault: Fault, around: Around, aim: Aim | None) -> Undo:
    """Make the provider around suffer a fault. Raise FaultError where there is none."""
    service = around.part(PscService)
    service.strike(fault.id, aim)
    return lambda: service.relieve(fault.id)
