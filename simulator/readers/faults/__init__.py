"""Faults of cards, contacts, lines and readers: the rows (``faults.yaml``), and their injection into slots."""

from bifente.simulator.readers.faults.injection import Spot, inject, when
from bifente.simulator.readers.faults.line import LONGEST_WAIT
from bifente.simulator.readers.faults.mechanisms import Mechanism
from bifente.simulator.readers.faults.trigger import When

__all__ = ["LONGEST_WAIT", "Mechanism", "Spot", "When", "inject", "when"]
