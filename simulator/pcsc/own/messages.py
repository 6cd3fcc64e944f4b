"""pcsc-lite's client protocol on the wire, versions 4:4 to 4:6: what a client asks and what it is answered.

A request is a header (size of the structure, command), the structure, then data for two of them; an answer has no
header. Host byte order, no padding but in a reader's state; the same for clients of 32 and of 64 bits. Source:
pcsc-lite's ``winscard_msg.h``, read for interoperability.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import Any

MAJOR, OLDEST_MINOR, NEWEST_MINOR = 4, 4, 6
PLACES = 16
"""Readers in the array that a client of 4:4 or 4:5 is given, free places included."""

MAX_DATA = 65548
"""Bytes of a command or of an answer (MAX_BUFFER_SIZE_EXTENDED)."""

MAX_ATTRIBUTE = 264
MAX_NAME = 127
"""Bytes of a reader's name, its final zero left out."""


class ServiceCommand(IntEnum):
    """What a client asks."""

    ESTABLISH_CONTEXT = 0x01
    RELEASE_CONTEXT = 0x02
    CONNECT = 0x04
    RECONNECT = 0x05
    DISCONNECT = 0x06
    BEGIN = 0x07
    END = 0x08
    TRANSMIT = 0x09
    CONTROL = 0x0A
    STATUS = 0x0B
    CANCEL = 0x0D
    GET_ATTRIBUTE = 0x0F
    SET_ATTRIBUTE = 0x10
    VERSION = 0x11
    READERS = 0x12
    WAIT = 0x13
    STOP_WAITING = 0x14
    READER_EVENTS = 0x15
    READERS_SIZE = 0x16
    READERS_SIZED = 0x17


HEADER = Struct("=II")
NOTHING = Struct("")
LAYOUTS: dict[int, Struct] = {
    ServiceCommand.ESTABLISH_CONTEXT: Struct("=III"),
    ServiceCommand.RELEASE_CONTEXT: Struct("=II"),
    ServiceCommand.CONNECT: Struct("=I128sIIiII"),
    ServiceCommand.RECONNECT: Struct("=iIIIII"),
    ServiceCommand.DISCONNECT: Struct("=iII"),
    ServiceCommand.BEGIN: Struct("=iI"),
    ServiceCommand.END: Struct("=iII"),
    ServiceCommand.TRANSMIT: Struct("=iIIIIIII"),
    ServiceCommand.CONTROL: Struct("=iIIIII"),
    ServiceCommand.STATUS: Struct("=iI"),
    ServiceCommand.CANCEL: Struct("=iI"),
    ServiceCommand.GET_ATTRIBUTE: Struct(f"=iI{MAX_ATTRIBUTE}sII"),
    ServiceCommand.SET_ATTRIBUTE: Struct(f"=iI{MAX_ATTRIBUTE}sII"),
    ServiceCommand.VERSION: Struct("=iiI"),
    ServiceCommand.READERS: NOTHING,
    ServiceCommand.WAIT: NOTHING,
    ServiceCommand.STOP_WAITING: NOTHING,
    ServiceCommand.READER_EVENTS: NOTHING,
    ServiceCommand.READERS_SIZE: NOTHING,
    ServiceCommand.READERS_SIZED: NOTHING,
}
"""The structure of each command; the return code is its last field."""

EVENT = Struct("=II")
"""Timeout (0) and code: sent unasked to whoever waits for a change, and as the answer to STOP_WAITING."""

COUNT = Struct("=i")
STATE = Struct("=128sIIi33s3xII")
"""A reader: name, event counter, state, sharing, ATR, its length, protocol."""

_SENT = {ServiceCommand.TRANSMIT: 3, ServiceCommand.CONTROL: 2}
"""The field that says how much data comes behind the structure."""

_TAKEN = {ServiceCommand.TRANSMIT: 6, ServiceCommand.CONTROL: 3}
"""The field that says how much data the client can take."""

_ATTRIBUTES = frozenset({ServiceCommand.GET_ATTRIBUTE, ServiceCommand.SET_ATTRIBUTE})

LONGEST = HEADER.size + max(layout.size for layout in LAYOUTS.values()) + MAX_DATA
"""No request is longer."""


class BrokenMessageError(Exception):
    """What came is no request of the protocol: nothing that follows can be understood."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request: the fields of its structure in order, and the data behind it."""

    command: int
    fields: tuple[Any, ...]
    data: bytes = b""


class Decoder:
    """Cuts a stream into requests, however it was chunked."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def pending(self) -> int:
        """Bytes received that were not taken yet."""
        return len(self._buffer)

    def feed(self, chunk: bytes | memoryview) -> None:
        """Take in what came."""
        self._buffer += chunk

    def take(self) -> Request | None:
        """The next request if it is there whole. Raises BrokenMessageError as soon as it cannot be one."""
        buffer = self._buffer
        if len(buffer) < HEADER.size:
            return None
        size, command = HEADER.unpack_from(buffer)
        layout = LAYOUTS.get(command)
        if layout is None:
            raise BrokenMessageError(f"no command {command:#x}")
        # The client gives a size for what has no structure too, and pcscd does not look at it.
        if layout is not NOTHING and size != layout.size:
            raise BrokenMessageError(f"{size} bytes for command {command:#x} instead of {layout.size}")
        end = HEADER.size + layout.size
        if len(buffer) < end:
            return None
        fields = layout.unpack_from(buffer, HEADER.size)
        data = b""
        sent = _SENT.get(command)
        if sent is not None:
            length = fields[sent]
            if length > MAX_DATA or fields[_TAKEN[command]] > MAX_DATA:
                raise BrokenMessageError(f"{length} bytes of data")
            if len(buffer) < end + length:
                return None
            data = bytes(buffer[end : end + length])
            end += length
        elif command in _ATTRIBUTES and fields[3] > MAX_ATTRIBUTE:
            raise BrokenMessageError(f"an attribute of {fields[3]} bytes")
        del buffer[:end]
        return Request(command, fields, data)


def encode(request: Request) -> bytes:
    """A request as a client sends it."""
    layout = LAYOUTS[request.command]
    return HEADER.pack(layout.size, request.command) + layout.pack(*request.fields) + request.data


def answer(command: int, *fields: Any, data: bytes = b"") -> bytes:
    """An answer as a client reads it."""
    return LAYOUTS[command].pack(*fields) + data


def event(code: int = 0) -> bytes:
    """What a waiting client is told."""
    return EVENT.pack(0, code)


def state(name: str, events: int, bits: int, sharing: int, atr: bytes, protocol: int) -> bytes:
    """One reader of the array."""
    return STATE.pack(name.encode(), events, bits, sharing, atr, len(atr), protocol)


FREE_PLACE = bytes(STATE.size)
"""A place of the array without a reader."""


def name_of(field: bytes) -> str:
    """The reader's name in a structure, up to its zero; what is not UTF-8 names no reader."""
    return field.partition(b"\0")[0].decode(errors="replace")
