"""Transcripts: a command on one line, its answer on another, as many small programs write them (sources#traces).

What the lines begin with is data (``transcript_forms.yaml``); what follows must be a whole APDU, or it is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bifente.conformance.traces.lines import lines
from bifente.conformance.traces.seen import Seen, SeenApdu, SeenAtr, SeenOddity
from bifente.conformance.traces.sources.opensc import LineClock
from bifente.conformance.traces.sources.source import HEX_EXPECTED, AnswerPairing, TraceSource
from bifente.ground.shipped import shipped
from bifente.ground.text import Text

_PREFIX = 400
"""Characters of a line in which what begins it is looked for."""
_BYTES = re.compile(
    r"(?:0x)?[0-9A-Fa-f]{1,2}(?:(?:[ :-]|, ?)(?:0x)?[0-9A-Fa-f]{1,2})+(?![0-9A-Za-z])"
    r"|[0-9A-Fa-f]{2,}(?: [0-9A-Fa-f]{2,})*(?![0-9A-Za-z])"
)
_DUMP = re.compile(r"\s*((?:[0-9A-Fa-f]{2}[ :]){0,15}[0-9A-Fa-f]{2})(?: {1,3}(?!\w\w ).*)?$")
_SHORTEST_COMMAND, _LONGEST = 4, 65_548

_LENGTH = Text("une commande dont la longueur ne s'accorde pas", "a command whose length does not fit")


@dataclass(frozen=True, slots=True)
class _Form:
    name: str
    sent: re.Pattern[str]
    received: re.Pattern[str] | None
    status: re.Pattern[str] | None
    dump: re.Pattern[str] | None


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = shipped(__package__, "transcript_forms.yaml")
    return data


@cache
def _forms() -> tuple[_Form, ...]:
    return tuple(
        _Form(
            row["name"],
            re.compile(row["sent"]),
            *(re.compile(row[key]) if key in row else None for key in ("received", "status", "dump")),
        )
        for row in _data()["forms"]
    )


@cache
def _named() -> tuple[re.Pattern[str], re.Pattern[str]]:
    return re.compile(_data()["atr"]), re.compile(_data()["reader"])


class _Reading:
    """One transcript, line by line: its form is that of the first command that is whole."""

    def __init__(self, form: _Form | None = None) -> None:
        self.form = form
        self.commands = self.answers = 0
        self._clock = LineClock()
        self._reader: str | None = None
        self._pairing = AnswerPairing()
        self._status: tuple[str, int] | None = None
        """The status of an answer whose data follow on the next lines, and how many bytes are to come (-1: any)."""
        self._data = ""

    def line(self, number: int, text: str) -> Iterator[Seen]:
        begins = text[:_PREFIX]
        self._clock.hear(begins)
        if self._status is not None and self._more(text):
            return
        yield from self._answered(number)
        atr, reader = _named()
        if (named := reader.search(begins)) is not None:
            self._reader = named[1].strip()
        if (found := atr.search(begins)) is not None:
            yield SeenAtr(_digits(found[1]) or "", number, self._clock.at, self._reader)
        for form in _forms() if self.form is None else (self.form,):
            told = list(self._spoken(form, number, text))
            if told or self.form is not None:
                self.form = form
                yield from told
                return
            if self.commands:
                self.form = form
                return

    def end(self) -> Iterator[Seen]:
        yield from self._answered(0)
        yield from self._pairing.rest()

    def _spoken(self, form: _Form, number: int, text: str) -> Iterator[Seen]:
        begins = text[:_PREFIX]
        if (sent := form.sent.search(begins)) is not None and (digits := _digits(text[sent.end() :])) is not None:
            if not _whole(bytes.fromhex(digits)):
                if self.form is not None:
                    yield SeenOddity(number, _LENGTH)
                return
            self.commands += 1
            # A command that no answer followed is told with the next one.
            yield from self._pairing.command("", SeenApdu(digits, "", number, self._clock.at, self._reader))
        elif form.status is not None and (status := form.status.search(begins)) is not None:
            self.answers += 1
            size = int(status[3]) if status[3].isdecimal() else (-1 if status[3] else 0)
            self._status, self._data = (f"{status[1]}{status[2]}".upper(), min(size, _LONGEST)), ""
            if not size:
                yield from self._answered(number)
        elif form.received is not None and (received := form.received.search(begins)) is not None:
            digits = _digits(text[received.end() :], answer=True)
            if digits is None:
                if self.form is not None and re.match(r"[0-9A-Fa-f]{2} ?[0-9A-Fa-f]{2}\b", text[received.end() :]):
                    yield SeenOddity(number, HEX_EXPECTED)
                return
            self.answers += 1
            if self.commands:
                yield from self._pairing.response("", digits, number, self._clock.at)

    def _more(self, text: str) -> bool:
        """Whether a line brings data of the answer whose status is known."""
        assert self._status is not None  # noqa: S101 - asked by who looked
        status, size = self._status
        if self.form is not None and self.form.dump is not None:
            found = self.form.dump.search(text[:_PREFIX])
            digits = None if found is None else _digits(text[found.end() :], answer=True)
        else:
            dump = _DUMP.match(text)
            digits = None if dump is None else _digits(dump[1], answer=True)
        if digits is None or len(self._data) > 2 * _LONGEST:
            return False
        self._data += digits
        if 0 <= size <= len(self._data) // 2:
            self._status = status, 0
        return True

    def _answered(self, number: int) -> Iterator[Seen]:
        if self._status is None:
            return
        (status, _size), self._status = self._status, None
        yield from self._pairing.response("", self._data + status, number, self._clock.at)


def _digits(text: str, *, answer: bool = False) -> str | None:
    """The bytes that a line goes on with, up to its end or to what no longer is one; None for none."""
    text = text.strip()
    if answer:
        text = text.removeprefix("[]").strip()
    found = _BYTES.match(text)
    if found is None:
        return None
    rest = text[found.end() :].strip()
    if rest and rest[0] not in ":;()[|.'\"/,":
        return None
    words = re.split(r"[ ,:-]+", found[0].replace("0x", ""))
    if any(len(word) % 2 and len(word) > 1 for word in words) or (not answer and any(len(word) == 1 for word in words)):
        return None
    # pyscard writes the status without leading zeros: 90 0.
    return "".join(word.zfill(2) for word in words).upper()


def _whole(command: bytes) -> bool:
    """Whether a command has the length that it says: so far as no other line of a log looks like one."""
    size = len(command)
    if size < _SHORTEST_COMMAND or size > _LONGEST or (command[0] == 0xFF and command[1] == 0xFF):
        return False
    if size <= 5 or size in (5 + command[4], 6 + command[4]):
        return True
    long = int.from_bytes(command[5:7], "big") if size >= 7 else 0
    return command[4] == 0 and size in (7, 7 + long, 9 + long)


def read(path: Path) -> Iterator[Seen]:
    """Yield what the transcript shows."""
    reading = _Reading()
    for number, text in lines(path):
        yield from reading.line(number, text)
    yield from reading.end()


def recognises(head: bytes) -> bool:
    """Whether a command and an answer stand in the beginning of a file, each on its line and whole."""
    reading = _Reading()
    for number, text in enumerate(head.decode("latin-1").splitlines()[:20_000], 1):
        for _seen in reading.line(number, text):
            pass
        if reading.commands and reading.answers:
            return True
    return False


SOURCE = TraceSource(
    "transcript",
    Text("commandes et réponses ligne à ligne", "commands and answers line by line"),
    recognises,
    read,
)
