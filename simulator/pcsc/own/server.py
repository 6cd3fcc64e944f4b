"""The loop that serves clients on a Unix socket: one thread, no lock, nobody waited for."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from bifente.ground.clock import Clock
from bifente.simulator.pcsc.own.connection import READ, ClientConnection, allowed, peer_of
from bifente.simulator.pcsc.own.floor import ReadersFloor, SlotSeed
from bifente.simulator.pcsc.own.link import SlotLink
from bifente.simulator.pcsc.own.ticker import Ticker
from bifente.simulator.pcsc.own.witness import Witness
from bifente.simulator.readers import ReaderIdentity

MAX_CONNECTIONS = 200
"""As pcscd: one more is hung up on."""

_BACKLOG = 128
_EVENTS = 64


class Server:
    """Serves the readers of a floor. ``acknowledge`` is told the movements that all clients can see from now on."""

    def __init__(self, path: Path, clock: Clock, acknowledge: Callable[[int], None]) -> None:
        self._path = path
        self.floor = ReadersFloor(clock)
        self._acknowledge = acknowledge
        self._epoll = select.epoll()
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._connections: dict[int, ClientConnection] = {}
        self._stalled: set[ClientConnection] = set()
        self._listening: socket.socket | None = None
        self._running = True
        self._clients = 0
        self._ticker = Ticker()
        self.listen(self._ticker.fileno(), lambda _event: self._on_tick())

    # -- orders of the bench ------------------------------------------------------------------------------------------

    def listen(self, fd: int, handler: Callable[[int], None]) -> None:
        """Call ``handler`` when there is something to read."""
        self._handlers[fd] = handler
        self._epoll.register(fd, READ)

    def plug(self, number: int, seeds: Sequence[SlotSeed], identity: ReaderIdentity) -> None:
        """Plug a reader in."""
        for link in self.floor.plug(number, seeds, identity):
            self.listen(link.socket.fileno(), lambda _event, link=link: self._hear(link))  # type: ignore[misc]

    def unplug(self, number: int) -> None:
        """Pull a reader out."""
        for link in self.floor.unplug(number):
            self._forget(link.socket.fileno())
            link.close()

    def open(self) -> None:
        """Begin to serve. Raises OSError."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        before = os.umask(0o177)
        try:
            listening.bind(str(self._path))
        except OSError:
            listening.close()
            raise
        finally:
            os.umask(before)
        listening.listen(_BACKLOG)
        self._listening = listening
        self.listen(listening.fileno(), self._accept)

    def shut(self) -> None:
        """Serve nobody any more: every connection is closed, then the socket goes."""
        if self._listening is None:
            return
        listening, self._listening = self._listening, None
        self._forget(listening.fileno())
        for connection in tuple(self._connections.values()):
            self._hang_up(connection)
        self.floor.settle()
        listening.close()
        with suppress(FileNotFoundError):
            self._path.unlink()

    def watch(self, watcher: socket.socket) -> None:
        """Tell a watcher what clients ask from now on, in place of the one before."""
        self.unwatch()
        self.floor.witness = Witness(watcher)

    def unwatch(self) -> None:
        """Tell nobody any more."""
        witness, self.floor.witness = self.floor.witness, None
        if witness is not None:
            witness.close()

    def tell(self) -> bool:
        """Tell the watcher all that was seen so far; whether it took it all: where it did not, it has to read first."""
        witness = self.floor.witness
        if witness is not None:
            witness.flush()
        return witness is None or not witness.pending

    def end(self) -> None:
        """Leave the loop."""
        self._running = False

    # -- the loop -----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Serve until ``end``."""
        floor, poll, handlers = self.floor, self._epoll.poll, self._handlers
        while self._running:
            due = floor.due()
            witness = floor.witness
            if witness is not None and witness.pending:
                if witness.many:
                    witness.flush()
                else:
                    self._ticker.start()
            for fd, event in poll(due, _EVENTS):
                handler = handlers.get(fd)
                if handler is not None:
                    handler(event)
            if due is not None:
                floor.pass_time()
            for number in floor.settle():
                self._acknowledge(number)
            for connection in [one for one in self._stalled if not one.session.busy]:
                self._after(connection, connection.go_on())
        self.shut()
        if floor.witness is not None:
            floor.witness.close()

    def _on_tick(self) -> None:
        self._ticker.heard()
        witness = self.floor.witness
        if witness is not None and witness.pending:
            witness.flush()
        else:
            self._ticker.stop()

    def _accept(self, _event: int) -> None:
        assert self._listening is not None  # noqa: S101 - else nothing listens
        with suppress(OSError):
            connected, _ = self._listening.accept()
            if len(self._connections) >= MAX_CONNECTIONS or not allowed(connected):
                connected.close()
                return
            self._clients += 1
            connection = ClientConnection(connected, self.floor, self._watch, self._clients)
            if self.floor.witness is not None:
                self.floor.witness.came(self._clients, peer_of(connected)[0])
            fd = connected.fileno()
            self._connections[fd] = connection
            self.floor.sessions.add(connection.session)
            self.listen(fd, lambda event: self._serve(connection, event))

    def _serve(self, connection: ClientConnection, event: int) -> None:
        self._after(connection, connection.on_event(event))

    def _after(self, connection: ClientConnection, open_still: bool) -> None:
        self._stalled.discard(connection)
        if not open_still:
            self._hang_up(connection)
        elif connection.stalled:
            self._stalled.add(connection)

    def _hang_up(self, connection: ClientConnection) -> None:
        fd = connection.socket.fileno()
        if fd < 0:
            return
        self._forget(fd)
        del self._connections[fd]
        self._stalled.discard(connection)
        self.floor.sessions.discard(connection.session)
        connection.close()
        if self.floor.witness is not None:
            self.floor.witness.left(connection.session.client)

    def _watch(self, connection: ClientConnection, what: int) -> None:
        self._epoll.modify(connection.socket.fileno(), what)

    def _forget(self, fd: int) -> None:
        del self._handlers[fd]
        self._epoll.unregister(fd)

    def _hear(self, link: SlotLink) -> None:
        heard = self.floor.hear(link)
        if heard is None:
            if not link.dead:
                self._forget(link.socket.fileno())
            return
        if heard:
            # Whoever moved the card waits until every client can see it.
            heard += self.floor.settle()
            for number in heard:
                self._acknowledge(number)
