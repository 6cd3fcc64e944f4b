"""What clients asked of the service and how cards moved, told to whoever watches: one JSON line each, in their order.

The witness never holds a client up: what it saw is kept until nothing else is to be done, and encoded then. A watcher
that does not read is told nothing more once the room for it is full, and how much it missed.
"""

from __future__ import annotations

import json
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from bifente.simulator.pcsc.own.messages import LAYOUTS, Request, name_of

ROOM = 32 << 20
"""Most bytes that wait for the watcher."""

MANY = 128
"""So many things seen are told although there is more to do."""

_CUT = 15
"""Bytes after which the kernel cuts the name of a program."""

_BITS = frozenset({128})
"""Fields of so many bytes are names, the others are told in hexadecimal."""


class Witness:
    """What was seen and not told yet. ``told`` takes each in a microsecond; ``flush`` is for a quiet moment."""

    def __init__(self, watcher: socket.socket) -> None:
        watcher.setblocking(False)
        self._watcher = watcher
        self._seen: list[tuple[Any, ...]] = []
        self._unsent = b""
        self._missed = 0
        self._gone = False

    @property
    def pending(self) -> bool:
        """Whether there is something to tell, or what the watcher had no room for."""
        return bool(self._seen or self._unsent)

    @property
    def many(self) -> bool:
        """Whether it can wait no longer for a quiet moment."""
        return len(self._seen) >= MANY

    def came(self, client: int, pid: int) -> None:
        """A client has connected."""
        self._seen.append(("came", time.monotonic_ns(), client, pid, program_of(Path(f"/proc/{pid}"))))

    def left(self, client: int) -> None:
        """A client has gone."""
        self._seen.append(("left", time.monotonic_ns(), client))

    def moved(self, reader: str, movement: str) -> None:
        """A card has moved, and clients can see it."""
        self._seen.append(("moved", time.monotonic_ns(), reader, movement))

    def answered(self, client: int, request: Request, said: bytes, began: int) -> None:
        """A request was answered; ``began`` is when it came, in nanoseconds."""
        self._seen.append(("call", time.monotonic_ns(), client, request, said, began))

    def flush(self) -> None:
        """Tell what was seen, as far as the watcher takes it."""
        seen, self._seen = self._seen, []
        if self._gone:
            return
        if len(self._unsent) < ROOM:
            if self._missed:
                seen.insert(0, ("missed", time.monotonic_ns(), self._missed))
                self._missed = 0
            self._unsent += b"".join(_line(one) for one in seen)
        else:
            self._missed += len(seen)
        try:
            sent = self._watcher.send(self._unsent, socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return
        except OSError:
            self._gone, self._unsent = True, b""
            return
        self._unsent = self._unsent[sent:]

    def close(self) -> None:
        """Tell the rest, waiting a moment for a watcher that is slow."""
        self._watcher.setblocking(True)
        self._watcher.settimeout(1.0)
        with suppress(OSError):
            while self.pending:
                self.flush()
        self._watcher.close()


def _line(seen: tuple[Any, ...]) -> bytes:
    if seen[0] == "call":
        _kind, ended, client, request, said, began = seen
        layout = LAYOUTS[request.command]
        fields = layout.unpack_from(said) if layout.size and len(said) >= layout.size else ()
        data = said[layout.size :] if layout.size else b""
        told: tuple[Any, ...] = (
            "call",
            began // 1000,
            client,
            request.command,
            [_plain(one) for one in request.fields],
            [_plain(one) for one in fields],
            request.data.hex(),
            data.hex(),
            (ended - began) // 1000,
        )
    else:
        told = (seen[0], seen[1] // 1000, *seen[2:])
    return json.dumps(told, separators=(",", ":")).encode() + b"\n"


def _plain(field: Any) -> Any:
    if isinstance(field, bytes):
        return name_of(field) if len(field) in _BITS else field.hex()
    return field


def program_of(process: Path) -> str:
    """Return the name of a process (its folder below /proc), whole where the kernel cut it; empty if it has gone."""
    name = ""
    with suppress(OSError):
        name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
        if len(name.encode()) == _CUT:
            words = (process / "cmdline").read_bytes().split(b"\0")[:2]
            whole = (Path(word.decode("utf-8", "replace")).name for word in words)
            name = next((one for one in whole if one.startswith(name)), name)
    return name
