"""Faults of the reading service, made and taken away."""

from __future__ import annotations

from bifente.simulator.fault import Aim, Around, Fault, Undo
from bifente.simulator.services.cloudfsv.app import CloudFsvService


def make(fault: Fault, around: Around, aim: Aim | None) -> Undo:
    """Make the service around suffer a fault. Raise FaultError where there is none."""
    service = around.part(CloudFsvService)
    service.strike(fault.id)
    return lambda: service.relieve(fault.id)
