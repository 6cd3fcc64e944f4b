"""Readers and their slots, in process: what is inserted where, and who is told."""

from simulator.readers.access import Connection, ReaderAccess
from simulator.readers.codes import PcscCode, ScardError
from simulator.readers.reader import Reader
from simulator.readers.slot import Interference, LineError, Slot, SlotError, SlotEvent, SlotEventKind

__all__ = [
    "Connection",
    "Interference",
    "LineError",
    "PcscCode",
    "Reader",
    "ReaderAccess",
    "ScardError",
    "Slot",
    "SlotError",
    "SlotEvent",
    "SlotEventKind",
]
