"""libpcsclite as any program uses it, by ctypes: nothing of the bench is in here."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_char_p, c_long, c_ulong, c_void_p, create_string_buffer
from dataclasses import dataclass

SHARED, EXCLUSIVE = 2, 1
LEAVE, RESET = 0, 1
PRESENT = 0x20
SHARING_VIOLATION = 0x8010000B
_CHANGED, _TIMEOUT = 2, 0x8010000A
_T0_OR_T1 = 3
_LONGEST = 65548


class PcscError(Exception):
    """A call that failed; ``code`` is PC/SC's."""

    def __init__(self, call: str, code: int) -> None:
        super().__init__(f"{call}: {code:08X}")
        self.code = code


class _Pci(ctypes.Structure):
    _fields_ = (("protocol", c_ulong), ("length", c_ulong))


class _ReaderState(ctypes.Structure):
    _fields_ = (
        ("reader", c_char_p),
        ("user", c_void_p),
        ("current", c_ulong),
        ("event", c_ulong),
        ("atr_length", c_ulong),
        ("atr", ctypes.c_ubyte * 33),
    )


@dataclass(frozen=True, slots=True)
class SeenSlot:
    """A reader by its name, whether a card is in, and its ATR."""

    name: str
    present: bool
    atr: bytes


class PcscStation:
    """One context of the PC/SC service. Every method raises PcscError."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libpcsclite.so.1")
        self._context = c_long()
        self._call("SCardEstablishContext", c_ulong(2), None, None, byref(self._context))

    def _call(self, name: str, *arguments: object) -> None:
        code = int(getattr(self._library, name)(*arguments)) & 0xFFFFFFFF
        if code:
            raise PcscError(name, code)

    def readers(self) -> list[str]:
        """Return the names of the readers."""
        size = c_ulong(4096)
        names = create_string_buffer(size.value)
        self._call("SCardListReaders", self._context, None, names, byref(size))
        return [name.decode() for name in names.raw[: size.value].split(b"\0") if name]

    def look(self) -> list[SeenSlot]:
        """Return every reader and what it shows."""
        names = self.readers()
        states = (_ReaderState * len(names))()
        for state, name in zip(states, names, strict=True):
            state.reader = name.encode()
        self._call("SCardGetStatusChange", self._context, c_ulong(0), states, c_ulong(len(names)))
        return [
            SeenSlot(name, bool(state.event & PRESENT), bytes(state.atr[: state.atr_length]))
            for state, name in zip(states, names, strict=True)
        ]

    def wait(self, seconds: float) -> None:
        """Wait until something changes at a reader, so long at most."""
        names = self.readers()
        states = (_ReaderState * len(names))()
        for state, name in zip(states, names, strict=True):
            state.reader = name.encode()
        self._call("SCardGetStatusChange", self._context, c_ulong(0), states, c_ulong(len(names)))
        for state in states:
            state.current = state.event & ~_CHANGED
        until = c_ulong(round(seconds * 1000))
        code = int(self._library.SCardGetStatusChange(self._context, until, states, c_ulong(len(names)))) & 0xFFFFFFFF
        if code not in (0, _TIMEOUT):
            raise PcscError("SCardGetStatusChange", code)

    def connect(self, reader: str, share: int = SHARED) -> CardLine:
        """Open a dialogue with the card in a reader."""
        handle, protocol = c_long(), c_ulong()
        self._call(
            "SCardConnect",
            self._context,
            reader.encode(),
            c_ulong(share),
            c_ulong(_T0_OR_T1),
            byref(handle),
            byref(protocol),
        )
        return CardLine(self._library, handle, protocol.value)

    def leave(self) -> None:
        """Give the context back."""
        self._call("SCardReleaseContext", self._context)


class CardLine:
    """A dialogue with one card. Every method raises PcscError."""

    def __init__(self, library: ctypes.CDLL, handle: c_long, protocol: int) -> None:
        self._library, self._handle, self._protocol = library, handle, protocol

    def _call(self, name: str, *arguments: object) -> None:
        code = int(getattr(self._library, name)(self._handle, *arguments)) & 0xFFFFFFFF
        if code:
            raise PcscError(name, code)

    def begin(self) -> None:
        """Begin a transaction."""
        self._call("SCardBeginTransaction")

    def end(self) -> None:
        """End it."""
        self._call("SCardEndTransaction", c_ulong(LEAVE))

    def transmit(self, command: bytes) -> bytes:
        """Return the answer to a command, as it is."""
        pci = _Pci(self._protocol, ctypes.sizeof(_Pci))
        answer, size = create_string_buffer(_LONGEST), c_ulong(_LONGEST)
        self._call("SCardTransmit", byref(pci), command, c_ulong(len(command)), None, answer, byref(size))
        return answer.raw[: size.value]

    def close(self, disposition: int = LEAVE) -> None:
        """Leave the card."""
        self._call("SCardDisconnect", c_ulong(disposition))
