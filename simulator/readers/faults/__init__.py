"""Faults of the field: a catalogue as data, and their injection into slots, readers, terminals and services."""

from bifente.simulator.readers.faults.catalogue import (
    UNREADABLE,
    Artefact,
    Codes,
    Fault,
    FaultError,
    Mechanism,
    Place,
    catalogue,
    fault,
    search,
)
from bifente.simulator.readers.faults.injection import Spot, Undo, inject, when
from bifente.simulator.readers.faults.line import LONGEST_WAIT
from bifente.simulator.readers.faults.trigger import When

__all__ = [
    "LONGEST_WAIT",
    "UNREADABLE",
    "Artefact",
    "Codes",
    "Fault",
    "FaultError",
    "Mechanism",
    "Place",
    "Spot",
    "Undo",
    "When",
    "catalogue",
    "fault",
    "inject",
    "search",
    "when",
]
