"""The journal: append-only JSON lines, one event each, on disk before anybody else hears of the event."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from msgspec import Struct
from msgspec.structs import replace

from bifente.ground.files import open_file
from bifente.ground.text import Text
from bifente.reports.encoding import Encoder, Line, joined, joined_like
from bifente.reports.events import (
    LIKE_WINDOW,
    SCHEMA,
    Event,
    EventError,
    Exchange,
    Level,
    Note,
    NotJsonError,
    RunStarted,
    parse_event,
    parse_older,
)
from bifente.reports.secrets import Secrets

LINE_LIMIT = 4 * 1024 * 1024
"""Most bytes in a line, its end included: above that a journal is damaged or not ours."""

FILE_NAME = "journal.jsonl"
"""The name of the journal in the directory of a run."""


class JournalError(Exception):
    """A journal that cannot be written or read; the message names the file, and the line when there is one."""

    def __init__(self, path: Path, message: str, line: int | None = None) -> None:
        """Say `message` about `path`, at `line` (from 1) when given."""
        super().__init__(f"{path}{'' if line is None else f':{line}'}: {message}")
        self.path = path
        self.line = line
        self.message = message
        """What is wrong, without its place."""


class JournalPlaceError(JournalError):
    """A place where no journal can be begun: one is there, or something else, or it cannot be written."""


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
        secrets: Secrets | None = None,
        listeners: Iterable[Listener] = (),
    ) -> None:
        """Open a new journal at `path`; `now` gives aware datetimes.

        Raises `JournalPlaceError` when `path` cannot be opened or holds a journal: evidence is never overwritten.
        """
        self._path = path
        self.secrets = secrets or Secrets()
        """What is masked; declare what is learnt while running."""
        self._encoder = Encoder(self.secrets, now)
        self._sayings = _Sayings()
        self._listeners = list(listeners)
        self._lock = threading.RLock()
        self._done = (0, 0)
        """How many events the file holds, and in how many bytes."""
        self._begun = (0, 0)
        """How many lines are being written, and their bytes; it stays after an interruption: something is to mend."""
        try:
            if path.is_fifo():  # its opening would wait for a reader
                raise JournalPlaceError(path, "is no regular file; choose another directory")
            if path.is_file() and path.stat().st_size:
                raise JournalPlaceError(path, "already holds a journal; choose another directory")
            # Unbuffered: an event is in the hands of the operating system when `record` returns.
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise JournalPlaceError(path, f"cannot open the journal for writing: {error.strerror}") from error

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
            return self._append((self._encoder.encode(event),), told=True)[0]

    def emit(self, event: Event) -> None:
        """Write `event` as `record` does; for an engine, which asks for nothing back."""
        with self._lock:
            self._append((self._encoder.encode(event),), told=bool(self._listeners))

    def emit_all(self, events: Iterable[Event]) -> None:
        """Write several events at once, each dated as it is given."""
        with self._lock:
            self._append([self._encoder.encode(event) for event in events], told=bool(self._listeners))

    def record_lines(self, lines: Sequence[Line]) -> None:
        """Write the events that another process of the run has masked and encoded. Raises `JournalError`.

        Listeners are spared the exchanges, calls and messages of a scenario that is there to its end and passed: nine
        events of ten, which the journal has and nobody shows while the run goes on.
        """
        with self._lock:
            spared = bool(lines) and lines[-1][0].startswith(_ENDS) and _PASSED in lines[-1][0]
            self._append(lines, told=bool(self._listeners), spared=spared)

    def _append(self, lines: Sequence[Line], *, told: bool, spared: bool = False) -> list[Event]:
        seq, size = self._mended()
        written = [self._sayings.line(number, line) for number, line in enumerate(lines, seq)]
        if too_long := next((line for line in written if len(line) > LINE_LIMIT), None):
            raise JournalError(self._path, f"an event of {len(too_long)} bytes is above the limit of {LINE_LIMIT}")
        data = b"".join(written)
        self._begun = (len(written), len(data))
        self._write(data)
        self._done = (seq + len(written), size + len(data))
        self._begun = (0, 0)
        if not told:
            return []
        heard = (pair for pair in enumerate(lines, seq) if not (spared and pair[1][0].startswith(_TALK)))
        events = [parse_event(joined(number, line)) for number, line in heard]
        for event in events:
            for listener in tuple(self._listeners):
                self._tell(listener, event)
        return events

    def _mended(self) -> tuple[int, int]:
        """What is done, whatever an interruption left: a line written but not counted counts, half of one goes."""
        seq, size = self._done
        count, length = self._begun
        if not length:
            return self._done
        try:
            there = os.fstat(self._file.fileno()).st_size
            if there == size + length:
                self._done = (seq + count, there)
            elif there > size:
                os.ftruncate(self._file.fileno(), size)
        except (OSError, ValueError) as error:
            raise self._failed(error) from error
        self._begun = (0, 0)
        # What was lost with the line is like nothing any more.
        self._sayings = _Sayings()
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


_TALK = (b'"event":"exchange"', b'"event":"call"', b'"event":"message"')
_ENDS = b'"event":"scenario-finished"'
_PASSED = b'"verdict":"passed"'


class _Sayings:
    """What exchanges said within the window, and where."""

    def __init__(self) -> None:
        self._where: dict[bytes, int] = {}
        self._order: deque[tuple[int, bytes]] = deque()

    def line(self, seq: int, line: Line) -> bytes:
        """Return `line` as number `seq` of the journal: short when a recent one says the same."""
        said = line[1]
        if not said:
            return joined(seq, line)
        while self._order and self._order[0][0] < seq - LIKE_WINDOW:
            _, old = self._order.popleft()
            del self._where[old]
        if (where := self._where.get(said)) is not None:
            return joined_like(seq, line, where)
        self._where[said] = seq
        self._order.append((seq, said))
        return joined(seq, line)


class Place(Struct, frozen=True):
    """Where an event is in its journal: its line (from 1), and the bytes from `offset` to `end`."""

    line: int
    offset: int
    end: int


@dataclass(slots=True)
class JournalReader:
    """The events of a journal one by one, each whole and with its place. `truncated` is known at the end."""

    path: Path
    truncated: bool = False
    _recent: OrderedDict[int, Exchange] = field(default_factory=OrderedDict)

    def __iter__(self) -> Iterator[tuple[Event, Place]]:
        """Yield the events in order. Raises `JournalError` as `read_journal` does."""
        for event, place, _line in self.written():
            yield (self.whole(event, place.line) if isinstance(event, Exchange) else event), place

    def written(self) -> Iterator[tuple[Event, Place, bytes]]:
        """Yield each event as its line has it, and the line, for who makes them `whole` itself. Raises as above."""
        parse, offset = parse_event, 0
        try:
            for number, line in _lines(self.path):
                try:
                    event = parse(line)
                except NotJsonError as error:
                    if line.endswith(b"\n"):
                        raise JournalError(self.path, str(error), number) from None
                    self.truncated = True
                    return
                except EventError as error:
                    raise JournalError(self.path, str(error), number) from None
                _check_place(self.path, number, event, number - 1)
                if isinstance(event, RunStarted) and event.schema < SCHEMA:
                    parse = parse_older
                yield event, Place(number, offset, offset + len(line)), line
                offset += len(line)
        except OSError as error:
            raise JournalError(self.path, f"cannot read the journal: {error.strerror}") from error

    def whole(self, event: Exchange, number: int) -> Exchange:
        """Return an exchange that says everything itself, the next one of the journal, at line `number`."""
        if event.like is None:
            self._recent[event.seq] = event
            while next(iter(self._recent)) < event.seq - LIKE_WINDOW:
                self._recent.popitem(last=False)
            return event
        said = self._recent.get(event.like)
        if said is None or event.like < event.seq - LIKE_WINDOW:
            message = f"event {event.seq} says the same as event {event.like}, which is no exchange near it"
            raise JournalError(self.path, message, number)
        return replace(
            event,
            # Up to schema 6 a line told its slot itself.
            slot=said.slot if event.slot is None else event.slot,
            command=said.command,
            response=said.response,
            command_text=said.command_text,
            response_text=said.response_text,
            sw=said.sw,
            like=None,
        )


class JournalTail:
    """A journal that is still being written: what came since the last look. `seen` counts the events so far."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._reader = JournalReader(path)
        self.seen = 0

    def more(self) -> list[Event]:
        """Return the events written since the last call, each whole. Raises `JournalError` as `read_journal` does."""
        events: list[Event] = []
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                while (line := file.readline(LINE_LIMIT + 1)).endswith(b"\n"):
                    self._offset += len(line)
                    try:
                        event = parse_event(line)
                    except EventError as error:
                        raise JournalError(self._path, str(error), self.seen + 1) from None
                    self.seen += 1
                    events.append(self._reader.whole(event, self.seen) if isinstance(event, Exchange) else event)
        except OSError as error:
            raise JournalError(self._path, f"cannot read the journal: {error.strerror}") from error
        return events


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
    reader = JournalReader(path)
    events = tuple(event for event, _ in reader)
    return Journal(events, truncated=reader.truncated)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with open_file(path) as file:
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
