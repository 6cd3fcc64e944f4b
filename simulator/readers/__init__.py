"""Readers and their slots, in process: what is inserted where, who shares it, and who is told."""

from bifente.simulator.cards.connection import Connection
from bifente.simulator.readers.access import PassingConnection, ReaderAccess
from bifente.simulator.readers.codes import PcscCode, ScardError
from bifente.simulator.readers.handle import Handle, ReaderStatus
from bifente.simulator.readers.pin_pad import PinPad
from bifente.simulator.readers.reader import Reader, ReaderIdentity
from bifente.simulator.readers.service import Context, PcscService
from bifente.simulator.readers.sharing import Disposition, Protocol, Share, State
from bifente.simulator.readers.slot import Interference, LineError, Slot, SlotError, SlotEvent, SlotEventKind

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
    "ReaderIdentity",
    "ReaderStatus",
    "ScardError",
    "Share",
    "Slot",
    "SlotError",
    "SlotEvent",
    "SlotEventKind",
    "State",
]
