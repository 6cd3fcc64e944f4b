"""Faults of the DMP and of the line to it, made and taken away."""

from __future__ import annotations

from bifente.simulator.fault import Aim, Around, Fault, Undo
from bifente.simulator.services.dmp.line import DmpLine
from bifente.simulator.services.dmp.service import DmpService


def make(fault: Fault, around: Around, aim: Aim | None) -> Undo:
    """Make what is around suffer a fault. Raise FaultError where there is none."""
    if fault.mechanism == "line":
        line = around.part(DmpLine)
        before = line.shape()
        line.set_shape(fault.parameters)
        return lambda: line.set_shape(before)
    service = around.part(DmpService)
    service.strike(fault.id)
    return lambda: service.relieve(fault.id)
