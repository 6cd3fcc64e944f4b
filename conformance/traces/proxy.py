"""Between a program and its PC/SC service: passes every byte on as it is, and tells the commands that go by.

The program is told the proxy's socket in place of the service's (``PCSCLITE_CSOCK_NAME``), so that nothing of it is
changed, whatever it is linked with. What cannot be understood is passed on all the same.
"""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from bifente.conformance.traces.seen import Seen, SeenApdu, SeenAtr
from bifente.ground.clock import Clock
from bifente.ground.temporary import HeldFolder
from bifente.simulator.pcsc.own.messages import (
    FREE_PLACE,
    LAYOUTS,
    STATE,
    BrokenMessageError,
    Decoder,
    Request,
    ServiceCommand,
    name_of,
)

VARIABLE = "PCSCLITE_CSOCK_NAME"
USUAL_SOCKET = Path("/run/pcscd/pcscd.comm")
_CHUNK = 1 << 16
_LONGEST_ANSWER = 1 << 17
"""Bytes of an answer that are kept to be understood: more than the longest response and its structure."""


class _Tap:
    """Understands one connection: what was asked, then the bytes that came back until the next request."""

    def __init__(self, number: int, see: Callable[[Seen], None], clock: Clock) -> None:
        self._client = str(number)
        self._see = see
        self._clock = clock
        self._decoder = Decoder()
        self._lost = False
        self._asked: Request | None = None
        self._at: datetime = clock.now()
        self._began = 0.0
        self._ended = 0.0
        self._answer = bytearray()
        self._readers: dict[int, str] = {}

    def sent(self, data: bytes) -> None:
        """Bytes of the program."""
        if self._lost:
            return
        try:
            self._decoder.feed(data)
            while (request := self._decoder.take()) is not None:
                self.over()
                self._asked, self._at, self._began = request, self._clock.now(), self._clock.monotonic()
                self._ended = self._began
        except BrokenMessageError:
            # A protocol of another version: passed on, not understood.
            self._lost = True

    def received(self, data: bytes) -> None:
        """Bytes of the service."""
        self._ended = self._clock.monotonic()
        if self._asked is not None and len(self._answer) < _LONGEST_ANSWER:
            self._answer += data

    def over(self) -> None:
        """The answer to what was asked is whole."""
        request, answer = self._asked, bytes(self._answer)
        self._asked = None
        self._answer.clear()
        if request is None:
            return
        if request.command == ServiceCommand.TRANSMIT:
            self._transmitted(request, answer)
        elif request.command == ServiceCommand.CONNECT:
            layout = LAYOUTS[ServiceCommand.CONNECT]
            if len(answer) >= layout.size:
                fields = layout.unpack_from(answer)
                self._readers[int(fields[4])] = name_of(request.fields[1])
        elif request.command in (ServiceCommand.READERS, ServiceCommand.READERS_SIZED):
            self._showed(answer)

    def _transmitted(self, request: Request, answer: bytes) -> None:
        layout = LAYOUTS[ServiceCommand.TRANSMIT]
        response = b""
        if len(answer) >= layout.size:
            fields = layout.unpack_from(answer)
            if not fields[-1]:
                response = answer[layout.size : layout.size + int(fields[6])]
        self._see(
            SeenApdu(
                request.data.hex().upper(),
                response.hex().upper(),
                0,
                self._at,
                self._readers.get(int(request.fields[0])),
                self._client,
                max(0, round((self._ended - self._began) * 1_000_000)),
            )
        )

    def _showed(self, answer: bytes) -> None:
        for at in range(0, len(answer), STATE.size):
            place = answer[at : at + STATE.size]
            if len(place) < STATE.size or place == FREE_PLACE or place[:1] == b"\0":
                continue
            name, _events, _state, _sharing, atr, size, _protocol = STATE.unpack(place)
            if 2 <= size <= len(atr):
                self._see(SeenAtr(atr[:size].hex().upper(), 0, self._at, name_of(name)))


class PcscProxy:
    """Listens on a socket of its own, only for its owner. A context manager. ``see`` is called one at a time.

    Raise OSError where the service does not answer.
    """

    def __init__(self, see: Callable[[Seen], None], *, clock: Clock, service: Path | None = None) -> None:
        self._service = service or Path(os.environ.get(VARIABLE) or USUAL_SOCKET)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as tried:
            tried.connect(str(self._service))
        self._clock = clock
        self._folder = HeldFolder("bifente-rec-")
        self.socket = Path(self._folder.name) / "pcscd.comm"
        self._lock = threading.Lock()
        self._see = see
        self._stop, self._stopping = os.pipe()
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.bind(str(self.socket))
        self.socket.chmod(0o600)
        self._listening.listen(64)
        self.clients = 0
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, name="pcsc-proxy", daemon=True)
        self._accepting.start()

    def __enter__(self) -> PcscProxy:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    @property
    def environment(self) -> Mapping[str, str]:
        """What a program's environment needs to go through here."""
        return {VARIABLE: str(self.socket)}

    def close(self) -> None:
        """Hang up; programs that are still there lose their service."""
        os.write(self._stopping, b"x")
        self._accepting.join()
        for thread in self._threads:
            thread.join()
        self._listening.close()
        os.close(self._stop)
        os.close(self._stopping)
        self._folder.cleanup()

    def _tell(self, seen: Seen) -> None:
        with self._lock:
            self._see(seen)

    def _accept(self) -> None:
        while _ready(self._listening, stop=self._stop):
            client, _address = self._listening.accept()
            self.clients += 1
            thread = threading.Thread(target=self._pass, args=(client, self.clients), daemon=True)
            self._threads = [one for one in self._threads if one.is_alive()] + [thread]
            thread.start()

    def _pass(self, client: socket.socket, number: int) -> None:
        """Pass on both ways, until either side ends or the proxy does."""
        tap = _Tap(number, self._tell, self._clock)
        with client, suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as service:
            self._both_ways(client, service, tap)
        tap.over()

    def _both_ways(self, client: socket.socket, service: socket.socket, tap: _Tap) -> None:
        service.connect(str(self._service))
        sides = {client: (service, tap.sent), service: (client, tap.received)}
        # What the service said is heard before what the program asks next.
        open_sides = [service, client]
        while open_sides and (ready := _ready(*open_sides, stop=self._stop)):
            for side in ready:
                other, hear = sides[side]
                data = side.recv(_CHUNK)
                if not data:
                    open_sides.remove(side)
                    with suppress(OSError):
                        other.shutdown(socket.SHUT_WR)
                    continue
                hear(data)
                other.sendall(data)


def _ready(*sockets: socket.socket, stop: int) -> list[socket.socket]:
    """Wait until one of the sockets can be read, and return those that can, in this order; none once told to stop."""
    poll = select.poll()
    for number in (*(one.fileno() for one in sockets), stop):
        poll.register(number, select.POLLIN)
    numbers = {number for number, _event in poll.poll()}
    return [] if stop in numbers else [one for one in sockets if one.fileno() in numbers]
