"""The bench's end: a recorder whose journal another process writes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from bifente.conformance.run.scribe.process import Lines
from bifente.reports.encoding import Encoder
from bifente.reports.events import Event
from bifente.reports.journal import JournalPlaceError
from bifente.reports.secrets import Secrets

_PATIENCE = 10.0


class Watchable(Protocol):
    """A PC/SC service that can tell what its clients do."""

    def watch(self, watcher: socket.socket) -> None:
        """Tell it to this socket."""
        ...

    def tell(self) -> bool:
        """Let it have all that was seen so far; whether it has: else it must read, and be told again."""
        ...


class ScribeError(Exception):
    """The process that writes the record has gone."""


class ScribeRecorder:
    """Masks and encodes the bench's own events, and has them written beside what clients do. Safe for threads.

    Raises JournalPlaceError for a journal that cannot be written, or is there already.
    """

    def __init__(self, path: Path, *, now: Callable[[], datetime], secrets: Secrets) -> None:
        self.path = path
        self.secrets = secrets
        self._encoder = Encoder(secrets, now)
        self._lock = threading.Lock()
        self._told_age = -1
        self._number = 0
        self._service: Watchable | None = None
        self._acknowledged = threading.Condition()
        self._done = 0
        self._over = False
        ours, theirs = socket.socketpair()
        self._watcher, watched = socket.socketpair()
        self._link = ours
        with theirs, watched:
            numbers = (theirs.fileno(), watched.fileno())
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "bifente.conformance.run.scribe.process"),
                    *(*map(str, numbers), str(path.absolute()), str(os.getpid())),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=numbers,
                start_new_session=True,
                env={"PATH": os.defpath, "LANG": "C.UTF-8"},
                cwd="/",
            )
        self._lines = Lines(ours)
        first = self._first()
        if "failed" in first:
            self._process.wait()
            ours.close()
            self._watcher.close()
            raise JournalPlaceError(path, first["failed"].removeprefix(f"{path.absolute()}: "))
        self._hearing = threading.Thread(target=self._hear, name="scribe", daemon=True)
        self._hearing.start()

    def _first(self) -> dict[str, Any]:
        while True:
            lines = self._lines.more()
            if lines is None:
                return {"failed": "the process that writes it did not start"}
            if lines:
                first: dict[str, Any] = lines[0]
                return first

    def watch(self, service: Watchable) -> None:
        """Have what the clients of a PC/SC service do written too, from now on."""
        # The record has begun before a client can stand in it.
        self._await("sync")
        service.watch(self._watcher)
        self._watcher.close()
        self._service = service

    def emit(self, event: Event) -> None:
        """Have an event written."""
        with self._lock:
            self._tell_secrets()
            own, said = self._encoder.encode(event)
            self._send({"line": [own.decode(), said.decode()]})

    def declare(self, *secrets: str | bytes) -> None:
        """Mask these from now on, whoever tells them."""
        self.secrets.declare(*secrets)
        with self._lock:
            self._tell_secrets()

    def roles(self, roles: dict[str, str]) -> None:
        """Tell the slots by their roles: from PC/SC name to role."""
        self._order({"roles": roles})

    def mark(self, mark: str) -> None:
        """Let no process outlive the bench whose environment bears this mark."""
        self._order({"mark": mark})

    def litter(self, path: Path) -> None:
        """Let this folder not outlive the bench."""
        self._order({"litter": str(path)})

    def settle(self, *, asked: bool = True) -> None:
        """Wait until all that clients did so far is in the journal; ``asked``: the service may have more to tell."""
        while asked and self._service is not None and not self._service.tell():
            self._await("sync")  # it had no room for more: what it has is read
        self._await("sync")

    def close(self) -> None:
        """End: what clients did before is written. Closing twice is harmless."""
        if self._over:
            return
        self._over = True
        try:
            self._await("close")
        finally:
            self._link.close()
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._hearing.join(_PATIENCE)

    @property
    def pid(self) -> int:
        """The process that writes."""
        return self._process.pid

    def _await(self, what: str) -> None:
        with self._lock:
            self._number += 1
            number = self._number
            self._tell_secrets()
            self._send({what: number})
        with self._acknowledged:
            self._acknowledged.wait_for(lambda: self._done >= number or self._process.poll() is not None, _PATIENCE)

    def _order(self, order: dict[str, Any]) -> None:
        with self._lock:
            self._send(order)

    def _tell_secrets(self) -> None:
        if self.secrets.age != self._told_age:
            self._told_age = self.secrets.age
            told = [f"hex:{one.hex()}" if isinstance(one, bytes) else f"txt:{one}" for one in self.secrets.declared]
            self._send({"secrets": told})

    def _send(self, order: dict[str, Any]) -> None:
        try:
            self._link.sendall(json.dumps(order, separators=(",", ":")).encode() + b"\n")
        except OSError:
            raise ScribeError(f"the process that writes {self.path} has gone") from None

    def _hear(self) -> None:
        while True:
            try:
                lines = self._lines.more()
            except ValueError:
                lines = None
            with self._acknowledged:
                if lines is None:
                    self._done = sys.maxsize
                    self._acknowledged.notify_all()
                    return
                for line in lines:
                    if "sync" in line:
                        self._done = line["sync"]
                    elif "learnt" in line:
                        self.secrets.declare(*line["learnt"])
                self._acknowledged.notify_all()
