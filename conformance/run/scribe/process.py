"""The process itself, started as ``python -P -m bifente.conformance.run.scribe.process BENCH SERVICE JOURNAL PID``.

BENCH and SERVICE are descriptors: the bench tells its own events on the first, already masked and encoded; the PC/SC
service tells on the second what its clients do. When the bench dies without a word the record is ended for it, and
what it started and left is taken away.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from bifente.conformance.run.scribe.calls import ClientCalls, age_of
from bifente.ground.clock import WallClock
from bifente.ground.text import Text
from bifente.reports.events import Event, Level, Note, RunFinished
from bifente.reports.journal import JournalError, Recorder
from bifente.reports.secrets import Secrets

_CHUNK = 1 << 17
_NICE = 10
"""A record can wait; the programs, the cards and the service between them cannot."""

_LAST_WORDS = 2.0
"""Seconds in which the PC/SC service tells what it still has, once the bench has gone."""


class Lines:
    """Whole lines of a socket."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self._rest = b""

    def more(self) -> list[Any] | None:
        """Return what came, each line decoded; None at the end."""
        try:
            chunk = self.socket.recv(_CHUNK)
        except BlockingIOError:
            return []
        except OSError:
            chunk = b""
        if not chunk:
            return None
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        return [json.loads(line) for line in whole]


class Scribe:
    """Writes the journal until the bench says that it is over, or has gone."""

    def __init__(self, bench: socket.socket, service: socket.socket, path: Path, pid: int) -> None:
        self._bench, self._service = Lines(bench), Lines(service)
        service.setblocking(False)
        self._clock = WallClock()
        self._began = self._clock.monotonic()
        self.secrets = Secrets()
        self._told_age = 0
        self._calls = ClientCalls(self.secrets, pid)
        self._moment: datetime | None = None
        self._recorder = Recorder(path, now=self._now, secrets=self.secrets)
        self._orders: deque[dict[str, Any]] = deque()
        """What the bench said and was not obeyed yet."""
        self._orphaned = False
        """Whether the bench has gone."""
        self._marks: list[str] = []
        self._litter: list[str] = []
        self._quiet = False
        """Whether the service has gone."""

    def run(self) -> None:
        """Write."""
        while True:
            watched = [self._bench.socket, *([] if self._quiet else [self._service.socket])]
            ready, _, _ = select.select(watched, [], [])
            if self._service.socket in ready:
                self._hear_service()
            self._hear_bench()
            while self._orders:
                if not self._obey(self._orders.popleft()):
                    return
            if self._orphaned:
                self._bench_died()
                return

    def _hear_bench(self) -> None:
        """Read all that the bench has said; secrets and names are known at once, the rest waits for its turn."""
        while not self._orphaned and select.select([self._bench.socket], [], [], 0)[0]:
            orders = self._bench.more()
            if orders is None:
                self._orphaned = True
                return
            self._orders += [order for order in orders if not self._know(order)]

    def _know(self, order: dict[str, Any]) -> bool:
        match order:
            case {"secrets": [*secrets]}:
                self.secrets.declare(*map(_secret, secrets))
                self._told_age = self.secrets.age
            case {"roles": {} as roles}:
                self._calls.roles |= roles
            case _:
                return False
        return True

    def _hear_service(self) -> None:
        lines = self._service.more()
        if lines is None:
            self._quiet = True
            return
        # The bench declares a secret before a client can have it: by now it has said so, though nobody read it yet.
        self._hear_bench()
        self._recorder.emit_all(self._dated(lines))
        if self.secrets.age != self._told_age:
            self._tell_learnt()

    def _dated(self, lines: list[Any]) -> Iterator[Event]:
        """Yield the events of what was told; until the next one is asked for, it is the time at which it happened."""
        try:
            for told in lines:
                events = self._calls.events(told)
                self._moment = self._clock.now() - age_of(told)
                yield from events
        finally:  # also where one of them could not be written
            self._moment = None

    def _now(self) -> datetime:
        return self._moment or self._clock.now()

    def _tell_learnt(self) -> None:
        self._told_age = self.secrets.age
        codes = [one for one in self.secrets.declared if isinstance(one, str)]
        self._answer({"learnt": codes})

    def _obey(self, order: dict[str, Any]) -> bool:
        match order:
            case {"line": [own, said]}:
                self._recorder.record_lines([(own.encode(), said.encode())])
            case {"mark": str(mark)}:
                self._marks.append(mark)
            case {"litter": str(path)}:
                self._litter.append(path)
            case {"sync": number}:
                self._drain()
                self._answer({"sync": number})
            case {"close": number}:
                self._drain()
                self._recorder.close()
                self._answer({"sync": number})
                return False
        return True

    def _drain(self) -> None:
        while not self._quiet and select.select([self._service.socket], [], [], 0)[0]:
            self._hear_service()

    def _answer(self, said: dict[str, Any]) -> None:
        with suppress(OSError):
            self._bench.socket.sendall(json.dumps(said).encode() + b"\n")

    # -- the bench has died -------------------------------------------------------------------------------------------

    def _bench_died(self) -> None:
        self._end_programs()
        deadline = time.monotonic() + _LAST_WORDS
        while not self._quiet and (left := deadline - time.monotonic()) > 0:
            if select.select([self._service.socket], [], [], left)[0]:
                self._hear_service()
        self._end_programs()
        text = Text("le banc s'est arrêté sans fermer son relevé", "the bench has died before it closed its record")
        self._recorder.emit(Note(level=Level.WARNING, text=text))
        duration = round((self._clock.monotonic() - self._began) * 1_000_000)
        self._recorder.emit(RunFinished(interrupted=True, duration_us=duration))
        self._recorder.close()
        for path in self._litter:
            shutil.rmtree(path, ignore_errors=True)

    def _end_programs(self) -> None:
        """End every process whose environment bears a mark of this bench."""
        for pid in marked(self._marks):
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)


def _secret(told: str) -> str | bytes:
    kind, _colon, value = told.partition(":")
    return bytes.fromhex(value) if kind == "hex" else value


def marked(marks: list[str]) -> list[int]:
    """Return the processes whose environment has one of these marks."""
    found = []
    for entry in Path("/proc").iterdir() if marks else ():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with suppress(OSError):
                environment = (entry / "environ").read_bytes()
                if any(mark.encode() in environment for mark in marks):
                    found.append(int(entry.name))
    return found


def main() -> None:
    """Write until the bench has gone."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.nice(_NICE)
    bench, service = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    with bench, service:
        try:
            scribe = Scribe(bench, service, Path(sys.argv[3]), int(sys.argv[4]))
        except JournalError as error:
            bench.sendall(json.dumps({"failed": str(error)}).encode() + b"\n")
            return
        bench.sendall(b'{"ready":true}\n')
        scribe.run()


if __name__ == "__main__":
    main()
