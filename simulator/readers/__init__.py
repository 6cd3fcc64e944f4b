"""Readers and their slots, in process: what is inserted where, who shares it, and who is told."""

from simulator.readers.access import Connection, PassingConnection, ReaderAccess
from simulator.readers.codes import PcscCode, ScardError
from simulator.readers.handle import Handle, ReaderStatus
from simulator.readers.pin_pad import PinPad
from simulator.readers.reader import Reader
from simulator.readers.service import Context, PcscService
from simulator.readers.sharing import Disposition, Protocol, Share, State
from simulator.readers.slot import Interference, LineError, Slot, SlotError, SlotEvent, SlotEventKind

__all__ = [
    "Connection",
    "Context",
    "Disposition",
    "Handle",
    "Interference",
    "LineError",
    "PassingConnection",
    "PcscCode",
    "PcscService",
    "PinPad",
    "Protocol",
    "Reader",
    "ReaderAccess",
    "ReaderStatus",
    "ScardError",
    "Share",
    "Slot",
    "SlotError",
    "SlotEvent",
    "SlotEventKind",
    "State",
]
