"""Faults of the apCV service, made and taken away."""

from __future__ import annotations

from bifente.simulator.fault import Aim, Around, Fault, Undo
from bifente.simulator.services.apcv.service import ApcvService


def make(fault: Fault, around: Around, aim: Aim | None) -> Undo:
    """Take the service around off the network. Raise FaultError where there is none."""
    service = around.part(ApcvService)
    before, service.online = service.online, False

    def undo() -> None:
        service.online = before

    return undo
