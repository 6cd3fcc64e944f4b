"""A client of a PC/SC service, ours or pcscd, that needs no library: what libpcsclite says on the wire, said here.

The bench is an application of the workstation itself: it looks whether programs see the cards, and is the rival that
holds or resets one. libpcsclite keeps the name of its socket for the life of a process, and a bench may have several.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bifente.simulator.pcsc.own.messages import (
    FREE_PLACE,
    HEADER,
    LAYOUTS,
    MAJOR,
    MAX_DATA,
    OLDEST_MINOR,
    PLACES,
    STATE,
    Request,
    ServiceCommand,
    encode,
    name_of,
)
from bifente.simulator.readers import Disposition, PcscCode, ScardError, Share

_PATIENCE = 10.0
_BACK_OFF = 0.1
_ATTEMPTS = 30
"""How often a transaction that another has is asked for."""

_T0_OR_T1 = 3


@dataclass(frozen=True, slots=True)
class SeenReader:
    """A reader as the service shows it: ``state`` has the service's bits, ``events`` counts movements."""

    name: str
    events: int
    state: int
    sharing: int
    atr: bytes

    UNKNOWN = 0x01
    PRESENT = 0x04
    SWALLOWED = 0x08

    @property
    def present(self) -> bool:
        """Whether it shows a card."""
        return bool(self.state & self.PRESENT)


class WireClient:
    """One context. Raises ScardError: NO_SERVICE where nobody answers."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = self._connected()
        try:
            minor = self._agree(OLDEST_MINOR)
            if minor != OLDEST_MINOR:
                # pcscd wants its very own version, and a connection that was refused is of no more use.
                self._socket.close()
                self._socket = self._connected()
                self._agree(minor)
            self._context = int(self._ask(ServiceCommand.ESTABLISH_CONTEXT, 2, 0, 0)[1])
        except OSError as error:
            self._socket.close()
            raise ScardError(PcscCode.NO_SERVICE, str(error)) from None
        except ScardError:
            self._socket.close()
            raise

    def _connected(self) -> socket.socket:
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connected.settimeout(_PATIENCE)
        try:
            connected.connect(str(self._path))
        except OSError as error:
            connected.close()
            raise ScardError(PcscCode.NO_SERVICE, str(error)) from None
        return connected

    def _agree(self, minor: int) -> int:
        """Say which version is spoken, and give the one that the service speaks."""
        self._send(encode(Request(ServiceCommand.VERSION, (MAJOR, minor, 0))))
        layout = LAYOUTS[ServiceCommand.VERSION]
        _major, theirs, code = layout.unpack(self._receive(layout.size))
        if code and theirs not in (OLDEST_MINOR + 1,):
            raise ScardError(code)
        return int(theirs)

    def close(self) -> None:
        """Give the context back by leaving."""
        self._socket.close()

    def readers(self) -> Mapping[str, SeenReader]:
        """Return every reader by its name, in the service's order."""
        self._send(encode(Request(ServiceCommand.READERS, ())))
        array = self._receive(PLACES * STATE.size)
        found = {}
        for at in range(0, len(array), STATE.size):
            place = array[at : at + STATE.size]
            if place != FREE_PLACE and place[:1] != b"\0":
                name, events, state, sharing, atr, size, _protocol = STATE.unpack(place)
                found[name_of(name)] = SeenReader(name_of(name), events, state, sharing, atr[:size])
        return found

    def connect(self, reader: str, share: Share = Share.SHARED) -> WireConnection:
        """Open a dialogue."""
        protocols = 0 if share is Share.DIRECT else _T0_OR_T1
        name = reader.encode().ljust(128, b"\0")
        said = self._ask(ServiceCommand.CONNECT, self._context, name, int(share), protocols, 0, 0, 0)
        return WireConnection(self, int(said[4]), int(said[5]), share, reader)

    def call(self, command: ServiceCommand, *fields: object, data: bytes = b"") -> tuple[tuple[int, ...], bytes]:
        """Ask, and give the fields of the answer and the data behind it. Raises ScardError."""
        try:
            said = self._ask(command, *fields, data=data)
            size = int(said[6]) if command is ServiceCommand.TRANSMIT else 0
            size = int(said[4]) if command is ServiceCommand.CONTROL else size
            return said, self._receive(size)
        except OSError as error:
            raise ScardError(PcscCode.NO_SERVICE, str(error)) from None

    def _ask(self, command: ServiceCommand, *fields: object, data: bytes = b"") -> tuple[int, ...]:
        self._send(encode(Request(command, fields, data)))
        layout = LAYOUTS[command]
        said: tuple[int, ...] = layout.unpack(self._receive(layout.size))
        if said[-1]:
            raise ScardError(said[-1])
        return said

    def _send(self, request: bytes) -> None:
        # The size in the header is not looked at where there is no structure.
        assert len(request) >= HEADER.size  # noqa: S101
        self._socket.sendall(request)

    def _receive(self, size: int) -> bytes:
        parts = b""
        while len(parts) < size:
            chunk = self._socket.recv(size - len(parts))
            if not chunk:
                raise ScardError(PcscCode.NO_SERVICE, "the service hung up")
            parts += chunk
        return parts


class WireConnection:
    """A dialogue with a card."""

    def __init__(self, client: WireClient, handle: int, protocol: int, share: Share, reader: str) -> None:
        self._client, self._handle, self._protocol = client, handle, protocol
        self._share, self._reader = share, reader

    @property
    def atr(self) -> bytes:
        """The ATR that the service shows."""
        seen = self._client.readers().get(self._reader)
        return seen.atr if seen is not None else b""

    def transmit(self, command: bytes) -> bytes:
        """One command, one response. Raises ScardError."""
        fields = (self._handle, self._protocol, 8, len(command), self._protocol, 8, MAX_DATA, 0)
        return self._client.call(ServiceCommand.TRANSMIT, *fields, data=command)[1]

    def reset(self, *, cold: bool) -> bytes:
        """Take the card up anew with a reset, and give the ATR. Raises ScardError."""
        how = Disposition.UNPOWER if cold else Disposition.RESET
        fields = (self._handle, int(self._share), _T0_OR_T1, int(how), 0, 0)
        self._protocol = int(self._client.call(ServiceCommand.RECONNECT, *fields)[0][4])
        return self.atr

    def begin(self) -> None:
        """Begin a transaction; somebody else's is waited for a while. Raises ScardError."""
        for attempt in range(_ATTEMPTS):
            try:
                self._client.call(ServiceCommand.BEGIN, self._handle, 0)
            except ScardError as error:
                if error.code != PcscCode.SHARING_VIOLATION or attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(_BACK_OFF)
            else:
                return

    def end(self) -> None:
        """End it, the card left as it is. Raises ScardError."""
        self._client.call(ServiceCommand.END, self._handle, int(Disposition.LEAVE), 0)

    def disconnect(self) -> None:
        """Leave the card as it is."""
        try:
            self._client.call(ServiceCommand.DISCONNECT, self._handle, int(Disposition.LEAVE), 0)
        except ScardError:
            return
