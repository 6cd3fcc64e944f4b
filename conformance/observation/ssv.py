"""The SSV functions of a live bench for programs: the other end of the shared library, on a private socket."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bifente.conformance.bench.live import LiveBench
from bifente.ground.clock import Clock
from bifente.reports.events import Call

VARIABLE, SOCKET = "BIFENTE_SSV", "ssv.comm"
_LONGEST = 4 * 1024 * 1024
"""The longest request, zones and all."""
_MOST = 64
_LAST_CALLS = 5.0
"""Seconds that calls under way have to return, and to be told, once no more is served."""


class SsvServer:
    """Each program that connects has a library of its own, as on a workstation; calls are told as they return."""

    def __init__(self, bench: LiveBench, clock: Clock, told: Callable[[Call], None]) -> None:
        self._bench, self._clock, self._told = bench, clock, told
        self._path = Path(bench.service.run_dir) / SOCKET
        self._path.unlink(missing_ok=True)
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.bind(str(self._path))
        self._path.chmod(0o600)
        self._listening.listen(_MOST)
        self._open: dict[socket.socket, threading.Thread] = {}
        self._thread = threading.Thread(target=self._accept, name="ssv", daemon=True)
        self._thread.start()

    @property
    def environment(self) -> dict[str, str]:
        """What the library needs."""
        return {VARIABLE: str(self._path)}

    def close(self) -> None:
        """Serve no more; calls under way are told before it returns."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join(2.0)  # nobody comes after
        self._listening.close()
        last, until = dict(self._open), time.monotonic() + _LAST_CALLS
        for connected in last:
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
        for serving in last.values():
            serving.join(max(0.0, until - time.monotonic()))
        with suppress(OSError):
            self._path.unlink()

    def _accept(self) -> None:
        while True:
            try:
                connected, _ = self._listening.accept()
            except OSError:
                return
            if len(self._open) >= _MOST:
                connected.close()
                continue
            serving = threading.Thread(target=self._serve, args=(connected,), name="ssv client", daemon=True)
            self._open[connected] = serving
            serving.start()

    def _serve(self, connected: socket.socket) -> None:
        pid = struct.unpack("3i", connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        # The library takes a bench a tenth of its start; most programs never ask for it.
        from bifente.conformance.observation.ssv_client import SsvClient

        client = SsvClient(self._bench.device.bench.access, self._clock, pid, self._told)
        try:
            with connected, suppress(OSError, ValueError):
                while (parts := _received(connected)) is not None:
                    code, zones = client.answer(parts)
                    told = b"".join(struct.pack("=I", len(zone)) + zone for zone in zones)
                    connected.sendall(struct.pack("=HH", code & 0xFFFF, len(zones)) + told)
        finally:
            client.end()
            del self._open[connected]


def _received(connected: socket.socket) -> list[bytes] | None:
    """The parts of one request, a name and arguments; None at the end. Raises ValueError for what is none."""
    (total,) = struct.unpack("=I", head) if len(head := _exactly(connected, 4)) == 4 else (0,)
    if not total:
        return None
    if total > _LONGEST:
        raise ValueError("too long")
    body, parts, at = _exactly(connected, total), [], 0
    while at < len(body):
        (size,) = struct.unpack_from("=I", body, at) if len(body) - at >= 4 else (len(body),)
        at += 4
        if size > len(body) - at:
            raise ValueError("cut short")
        parts.append(body[at : at + size])
        at += size
    return parts


def _exactly(connected: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size and (chunk := connected.recv(size - len(parts))):
        parts += chunk
    return bytes(parts)
