"""The wire protocol of vsmartcard's vpcd driver, on the card's side.

A message is a 2-byte big-endian length and that many bytes. A payload of one byte 00, 01, 02 or 04 is a control
(power off, power on, reset, get ATR); only "get ATR" is answered. Everything else is a command APDU and is answered.
The protocol cannot tell a one-byte APDU of those values from a control: no card-side cure exists.
Source: vsmartcard's ``vpcd.c`` and ``vpcd.h``, read for interoperability.
"""

from __future__ import annotations

import select
import socket
from enum import IntEnum

MAX_PAYLOAD = 0xFFFF
"""Bytes a message can carry, since its length is written on 2 bytes."""

_LENGTH_SIZE = 2
_CHUNK = 8192
# Linux only: elsewhere the constant is missing and so is the 40 ms delay it cures.
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)


class Control(IntEnum):
    """What the reader asks by a payload of one byte."""

    POWER_OFF = 0
    POWER_ON = 1
    RESET = 2
    GET_ATR = 4


_CONTROLS = {bytes([control]): control for control in Control}


def control_of(payload: bytes) -> Control | None:
    """The control that ``payload`` stands for, or None if it is an APDU (or nothing)."""
    return _CONTROLS.get(payload)


def encode(payload: bytes) -> bytes:
    """``payload`` as one message. Raises ValueError if it is empty (vpcd would wait for ever) or over 65535 bytes."""
    if not 0 < len(payload) <= MAX_PAYLOAD:
        raise ValueError(f"a vpcd message carries 1 to {MAX_PAYLOAD} bytes, not {len(payload)}")
    return len(payload).to_bytes(_LENGTH_SIZE, "big") + payload


class VpcdDecoder:
    """Cuts a stream into payloads, however it was chunked; holds at most one message."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """The payloads that ``chunk`` completes, in order; an empty message gives an empty payload."""
        buffer = self._buffer
        buffer += chunk
        payloads = []
        start = 0
        while len(buffer) - start >= _LENGTH_SIZE:
            end = start + _LENGTH_SIZE + (buffer[start] << 8 | buffer[start + 1])
            if len(buffer) < end:
                break
            payloads.append(bytes(buffer[start + _LENGTH_SIZE : end]))
            start = end
        if start:
            del buffer[:start]
        return payloads

    @property
    def pending(self) -> int:
        """Bytes received that do not make a message yet."""
        return len(self._buffer)


class CardConnection:
    """One connection to vpcd: messages in, replies out. Owned by one thread, except ``hang_up``."""

    __slots__ = ("_decoder", "_socket")

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._decoder = VpcdDecoder()
        connected.settimeout(None)
        if connected.family != socket.AF_UNIX:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def receive(self) -> list[bytes] | None:
        """Wait for bytes and give the payloads they complete (maybe none yet); None once the other side has closed.

        A message cut by the end of the connection is dropped with it.
        """
        try:
            # vpcd 3.3 writes length and body by two sends with Nagle on: unless the first is acknowledged at once, the
            # second leaves 40 ms later. The option wears off with traffic, hence before every recv.
            if _QUICKACK is not None and self._socket.family != socket.AF_UNIX:
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
            chunk = self._socket.recv(_CHUNK)
        except OSError:
            return None
        return self._decoder.feed(chunk) if chunk else None

    def speaks_within(self, seconds: float) -> bool:
        """Whether the other side says something, or ends, within so many seconds."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def send(self, payload: bytes) -> bool:
        """Send one reply in one write; False if the other side has gone. Raises ValueError as :func:`encode` does."""
        message = encode(payload)
        try:
            self._socket.sendall(message)
        except OSError:
            return False
        return True

    def hang_up(self) -> None:
        """End the connection from any thread: ``receive`` returns, and a client waiting for a reply is freed."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # already ended by the other side

    def close(self) -> None:
        """Give the socket back to the system."""
        self._socket.close()


def tcp_connect(port: int, host: str = "127.0.0.1", timeout: float = 0.1) -> socket.socket:
    """Connect to a vpcd port. Raises OSError if nothing listens or if its queue of one is full for ``timeout`` s."""
    return connect(socket.socket(socket.AF_INET, socket.SOCK_STREAM), port, host, timeout)


def connect(unconnected: socket.socket, port: int, host: str = "127.0.0.1", timeout: float = 0.1) -> socket.socket:
    """Connect a TCP socket made elsewhere (its network namespace is that of its birth) and give it back.

    Closes it and raises OSError as :func:`tcp_connect` does.
    """
    try:
        unconnected.settimeout(timeout)
        unconnected.connect((host, port))
        if unconnected.getsockname() == unconnected.getpeername():
            # TCP lets a client meet itself when its random source port is the port it calls.
            raise ConnectionRefusedError(f"nothing listens on port {port}")
    except BaseException:
        unconnected.close()
        raise
    return unconnected
