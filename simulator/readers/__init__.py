"""Readers and their slots, in process: what is inserted where, and who is told."""

from simulator.readers.reader import Reader
from simulator.readers.slot import Slot, SlotEvent, SlotEventKind

__all__ = ["Reader", "Slot", "SlotEvent", "SlotEventKind"]
