"""What the tests of the bench's own service share: a client that speaks the protocol itself, also badly."""

from __future__ import annotations

import socket
from typing import Any

from bifente.simulator.pcsc.own.messages import COUNT, EVENT, LAYOUTS, STATE, Request, ServiceCommand, encode
from bifente.simulator.pcsc.own.service import OwnPcsc

PATIENCE = 40.0
SHARED, EXCLUSIVE, DIRECT = 2, 1, 3
LEAVE, RESET, UNPOWER = 0, 1, 2
T0, T1 = 1, 2


class RawClient:
    """One connection. Methods give the fields of the answer, the return code last."""

    def __init__(self, service: OwnPcsc, minor: int = 4) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(service.environment["PCSCLITE_CSOCK_NAME"])
        self.minor = minor
        self.context = 0

    def send(self, command: int, *fields: Any, data: bytes = b"") -> None:
        self.socket.sendall(encode(Request(command, fields, data)))

    def receive(self, size: int) -> bytes:
        read = b""
        while len(read) < size:
            chunk = self.socket.recv(size - len(read))
            if not chunk:
                raise EOFError(f"hung up after {len(read)} bytes")
            read += chunk
        return read

    def ask(self, command: int, *fields: Any, data: bytes = b"") -> tuple[Any, ...]:
        self.send(command, *fields, data=data)
        layout = LAYOUTS[command]
        return layout.unpack(self.receive(layout.size))

    def hung_up(self) -> bool:
        """Whether the other side has closed; anything it still says is a failure."""
        try:
            said = self.socket.recv(1)
        except ConnectionResetError:
            return True
        assert not said, "an answer where none is due"
        return True

    def silent(self, seconds: float = 0.05) -> bool:
        """Whether nothing comes for a while."""
        self.socket.settimeout(seconds)
        try:
            return not self.socket.recv(1, socket.MSG_PEEK) and False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(PATIENCE)

    def establish(self) -> RawClient:
        assert self.ask(ServiceCommand.VERSION, 4, self.minor, 0) == (4, self.minor, 0)
        _scope, self.context, code = self.ask(ServiceCommand.ESTABLISH_CONTEXT, 2, 0, 0)
        assert code == 0
        return self

    def connect(self, reader: str, share: int = SHARED, protocols: int = 3) -> tuple[int, int]:
        """The code and the handle."""
        said = self.ask(ServiceCommand.CONNECT, self.context, reader.encode(), share, protocols, 0, 0, 0)
        return said[6], said[4]

    def transmit(self, handle: int, command: bytes, protocol: int = T0, room: int = 65538) -> tuple[int, bytes]:
        """The code and the answer."""
        said = self.ask(ServiceCommand.TRANSMIT, handle, protocol, 8, len(command), 0, 8, room, 0, data=command)
        return said[7], self.receive(said[6]) if said[7] == 0 else b""

    def readers(self) -> list[tuple[Any, ...]]:
        """The places taken: name, counter, state, sharing, ATR, its length, protocol."""
        self.send(ServiceCommand.READERS)
        return states(self.receive(16 * STATE.size))

    def wait(self) -> list[tuple[Any, ...]]:
        """Ask to be told of the next change."""
        self.send(ServiceCommand.WAIT)
        if self.minor < 6:
            return states(self.receive(16 * STATE.size))
        self.send(ServiceCommand.READERS_SIZE)
        (count,) = COUNT.unpack(self.receive(COUNT.size))
        self.send(ServiceCommand.READERS_SIZED)
        return states(self.receive(count * STATE.size))

    def told(self) -> int:
        """The code of the event that comes."""
        timeout, code = EVENT.unpack(self.receive(EVENT.size))
        assert timeout == 0
        return int(code)

    def close(self) -> None:
        self.socket.close()


def states(array: bytes) -> list[tuple[Any, ...]]:
    found = []
    for start in range(0, len(array), STATE.size):
        name, events, bits, sharing, atr, length, protocol = STATE.unpack_from(array, start)
        if name[0]:
            found.append((name.rstrip(b"\0").decode(), events, bits, sharing, atr[:length], protocol))
    return found
