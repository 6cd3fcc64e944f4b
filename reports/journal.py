"""The journal: append-only JSON lines, one event each, on disk before anybody else hears of the event."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from bifente.ground.text import Text
from bifente.reports.events import Event, EventError, Level, Note, NotJsonError, RunStarted, parse_event, to_dict
from bifente.reports.masking import Masker

LINE_LIMIT = 4 * 1024 * 1024
"""Most bytes in a line, its end included: above that a journal is damaged or not ours."""

FILE_NAME = "journal.jsonl"
"""The name of the journal in the directory of a run."""
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


class JournalError(Exception):
    """A journal that cannot be written or read; the message names the file, and the line when there is one."""

    def __init__(self, path: Path, message: str, line: int | None = None) -> None:
        """Say `message` about `path`, at `line` (from 1) when given."""
        super().__init__(f"{path}{'' if line is None else f':{line}'}: {message}")
        self.path = path
        self.line = line


class Listener(Protocol):
    """Somebody who wants each event as it happens: the terminal, a live page."""

    def see(self, event: Event) -> None:
        """Take note of `event`, exactly as the journal holds it: masked, with its number and its time."""


class Recorder:
    """Numbers, dates, masks and writes events, then tells the listeners. Safe to call from several threads."""

    def __init__(
        self,
        path: Path,
        *,
        now: Callable[[], datetime],
        masker: Masker | None = None,
        listeners: Iterable[Listener] = (),
    ) -> None:
        """Open a new journal at `path`; `now` gives aware datetimes.

        Raises `JournalError` when `path` cannot be opened or already holds a journal: evidence is never overwritten.
        """
        self._path = path
        self._now = now
        self._masker = masker or Masker()
        self._listeners = list(listeners)
        self._lock = threading.RLock()
        self._done = (0, 0)
        """How many events the file holds, and in how many bytes."""
        self._begun = 0
        """The length of the line being written; it stays after an interruption, and says that something is to mend."""
        try:
            if path.is_file() and path.stat().st_size:
                raise JournalError(path, "already holds a journal; choose another directory")
            # Unbuffered: an event is in the hands of the operating system when `record` returns.
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise JournalError(path, f"cannot open the journal for writing: {error.strerror}") from error

    @property
    def path(self) -> Path:
        """Where the journal is."""
        return self._path

    def record(self, event: Event) -> Event:
        """Write `event` and return it as written: numbered, dated, masked.

        Raises `JournalError` when it cannot be written (disk full ...) or would make a line above `LINE_LIMIT`, and
        `EventError` when its values are not those its definition announces.
        """
        with self._lock:
            seq, size = self._mended()
            dated = {**to_dict(event), "seq": seq, "time": _utc(self._now())}
            line = _JSON.encode(self._masker.event(dated)).encode() + b"\n"
            if len(line) > LINE_LIMIT:
                raise JournalError(self._path, f"an event of {len(line)} bytes is above the limit of {LINE_LIMIT}")
            written = parse_event(line)
            self._begun = len(line)
            self._write(line)
            self._done = (seq + 1, size + len(line))
            self._begun = 0
            for listener in tuple(self._listeners):
                self._tell(listener, written)
            return written

    def _mended(self) -> tuple[int, int]:
        """What is done, whatever an interruption left: a line written but not counted counts, half of one goes."""
        seq, size = self._done
        if not self._begun:
            return self._done
        try:
            there = os.fstat(self._file.fileno()).st_size
            if there == size + self._begun > size:
                self._done = (seq + 1, there)
            elif there > size:
                os.ftruncate(self._file.fileno(), size)
        except (OSError, ValueError) as error:
            raise self._failed(error) from error
        self._begun = 0
        return self._done

    def _write(self, line: bytes) -> None:
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except (OSError, ValueError) as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError | ValueError) -> JournalError:
        reason = error.strerror if isinstance(error, OSError) else "it is closed"
        return JournalError(self._path, f"cannot write event {self._done[0]} to the journal: {reason}")

    def _tell(self, listener: Listener, event: Event) -> None:
        try:
            listener.see(event)
        except Exception as error:
            # A closed terminal must not stop the run nor cost it its evidence: that listener is left out, and it shows.
            self._listeners.remove(listener)
            who = type(listener).__name__
            self.record(
                Note(
                    level=Level.WARNING,
                    text=Text(f"affichage {who} arrêté : {error!r}", f"display {who} stopped: {error!r}"),
                )
            )

    def close(self) -> None:
        """Close the file; closing twice is harmless."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _utc(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("the time source of a recorder gives datetimes with a time zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Journal:
    """What a journal holds. `truncated` is true when its last line is cut: that line is left out."""

    events: tuple[Event, ...]
    truncated: bool = False


def read_journal(path: Path) -> Journal:
    """Return the events of the journal at `path`; a last line cut short is left out and flagged.

    Raises `JournalError`, naming file and line, when the file cannot be read, a line is above `LINE_LIMIT`, is no
    event, comes from a newer bench, or when lines are missing (events are numbered from 0 without a gap).
    """
    events: list[Event] = []
    try:
        for number, line in _lines(path):
            try:
                event = parse_event(line)
            except NotJsonError as error:
                if line.endswith(b"\n"):
                    raise JournalError(path, str(error), number) from None
                return Journal(tuple(events), truncated=True)
            except EventError as error:
                raise JournalError(path, str(error), number) from None
            _check_place(path, number, event, len(events))
            events.append(event)
    except OSError as error:
        raise JournalError(path, f"cannot read the journal: {error.strerror}") from error
    return Journal(tuple(events))


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LINE_LIMIT + 1):
            number += 1
            if len(line) > LINE_LIMIT:
                raise JournalError(path, f"line above the limit of {LINE_LIMIT} bytes", number)
            yield number, line


def _check_place(path: Path, number: int, event: Event, expected: int) -> None:
    if event.seq != expected:
        raise JournalError(path, f"event {event.seq} where event {expected} should be: lines are missing", number)
    if isinstance(event, RunStarted) != (expected == 0):
        raise JournalError(path, "a journal starts with one run-started event, and has no other", number)
