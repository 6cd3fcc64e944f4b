"""A client's connection: bytes in, answers out, never waiting for either."""

from __future__ import annotations

import os
import select
import socket
import struct
from collections.abc import Callable

from bifente.simulator.pcsc.own.messages import LONGEST, BrokenMessageError, Decoder
from bifente.simulator.pcsc.own.session import Floor, Session

_CHUNK = 1 << 17
_PEER = struct.Struct("3i")
READ, WRITE = select.EPOLLIN, select.EPOLLOUT


def allowed(peer: socket.socket) -> bool:
    """Whether whoever is at the other end is the user that runs this process, or root."""
    _pid, uid = peer_of(peer)
    return uid in (os.geteuid(), 0)


def peer_of(peer: socket.socket) -> tuple[int, int]:
    """Return the process that connected, and its user."""
    pid, uid, _gid = _PEER.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    return pid, uid


class ClientConnection:
    """Feeds a session from its socket. ``watch`` says what to wait for on it.

    A client that does not read its answers is not read from either, so that what is kept for it is bounded; one that
    sends more than a request while it waits for the answer to another is no client and is hung up on.
    """

    def __init__(
        self,
        connected: socket.socket,
        floor: Floor,
        watch: Callable[[ClientConnection, int], None],
        client: int = 0,
    ) -> None:
        connected.setblocking(False)
        self.socket = connected
        self.session = Session(floor, self._send, client)
        self._watch = watch
        self._decoder = Decoder()
        self._unsent = b""

    @property
    def stalled(self) -> bool:
        """Whether something came that waits for the answer to what came before."""
        return self.session.busy and self._decoder.pending > 0

    def on_event(self, event: int) -> bool:
        """Do what the socket is ready for; False if it is to be closed."""
        try:
            if event & WRITE:
                self._flush()
            if event & ~WRITE:
                chunk = self.socket.recv(_CHUNK)
                if not chunk:
                    return False
                self._decoder.feed(chunk)
            return self.go_on()
        except BlockingIOError:
            return True
        except (OSError, BrokenMessageError):
            return False

    def go_on(self) -> bool:
        """Handle what has come, unless the last request waits; False if the connection is to be closed."""
        try:
            while not self.session.busy and not self._unsent:
                request = self._decoder.take()
                if request is None:
                    break
                self.session.handle(request)
        except (OSError, BrokenMessageError):
            return False
        return self._decoder.pending <= LONGEST

    def close(self) -> None:
        """Hang up; the session drops all it holds."""
        self.socket.close()
        self.session.leave()

    def _send(self, data: bytes) -> None:
        if not self._unsent:
            try:
                sent = self.socket.send(data, socket.MSG_NOSIGNAL)
            except BlockingIOError:
                sent = 0
            except OSError:
                return  # its end is read next
            if sent == len(data):
                return
            data = data[sent:]
            self._watch(self, WRITE)
        self._unsent += data

    def _flush(self) -> None:
        sent = self.socket.send(self._unsent, socket.MSG_NOSIGNAL)
        self._unsent = self._unsent[sent:]
        if not self._unsent:
            self._watch(self, READ)
