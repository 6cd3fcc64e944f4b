"""What ``libpcscspy`` writes of a program's PC/SC calls: its raw lines, or the text that ``pcsc-spy`` makes of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bifente.conformance.traces.digits import from_text
from bifente.conformance.traces.lines import lines
from bifente.conformance.traces.seen import BEGINNING, Seen, SeenApdu, SeenAtr, SeenOddity
from bifente.conformance.traces.sources.source import HEX_EXPECTED, TraceSource
from bifente.ground.text import Text

_RAW = re.compile(r"(?:([0-9A-F]{1,16})@)?(.*)$")
_BEGIN = re.compile(r">\|(\d{1,12})\|(\d{1,6})\|(SCard\w{1,40})$")
_END = re.compile(r"<\|(\d{1,12})\|(\d{1,6})\|(SCard\w{1,40})\|")
_NAME = re.compile(r"\s*(SCard?\w{1,40})$")
_FIELD = re.compile(r"\s*([io]) (\s?)(\w{1,40}):? ?(.*)$")
_DUMP = re.compile(r"\s*([io])  ([0-9A-F]{4,8}) (.*)$")
_RESULT = re.compile(r"\s*=> .{0,120}\[(\d{1,8}\.\d{1,6})\]")
_SIZE = re.compile(r"0x([0-9A-F]{1,8})\b")

_MOST_FIELDS, _MOST_HANDLES, _MOST_THREADS = 256, 256, 256
_CALL_CUT = Text("un appel dont la fin manque", "a call whose end is missing")


@dataclass(slots=True)
class _Told:
    """A call in the raw lines: when it began, and its values in order."""

    function: str
    began: datetime
    place: int
    values: list[str] = field(default_factory=list)


class _Handles:
    """Which reader each handle of a card stands for."""

    def __init__(self) -> None:
        self._readers: dict[str, str] = {}

    def opened(self, handle: str, reader: str) -> None:
        while len(self._readers) >= _MOST_HANDLES:
            del self._readers[next(iter(self._readers))]
        self._readers[handle] = reader

    def reader(self, handle: str) -> str | None:
        return self._readers.get(handle)


def _read_raw(path: Path) -> Iterator[Seen]:
    calls: dict[str, _Told] = {}
    handles = _Handles()
    for number, text in lines(path):
        said = _RAW.match(text)
        assert said is not None  # noqa: S101 - matches any text
        thread, rest = said[1] or "", said[2]
        if (begin := _BEGIN.match(rest)) is not None:
            if len(calls) >= _MOST_THREADS:
                calls.pop(next(iter(calls)))
            calls[thread] = _Told(begin[3], _moment(begin[1], begin[2]), number)
        elif (end := _END.match(rest)) is not None:
            if (call := calls.pop(thread, None)) is not None:
                yield from _raw_call(call, _moment(end[1], end[2]), thread, handles)
        elif (call := calls.get(thread)) is not None and len(call.values) < _MOST_FIELDS:
            call.values.append(rest)
    for call in calls.values():
        if call.function == "SCardTransmit":
            yield SeenOddity(call.place, _CALL_CUT)


def _moment(seconds: str, microseconds: str) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=int(seconds), microseconds=int(microseconds))


def _raw_call(call: _Told, ended: datetime, thread: str, handles: _Handles) -> Iterator[Seen]:
    values = call.values
    match call.function, len(values):
        case "SCardConnect", 8:
            handles.opened(values[6], values[1])
        case "SCardStatus", 9:
            if atr := from_text(values[8]):
                yield SeenAtr(atr, call.place, call.began, handles.reader(values[0]))
        case "SCardTransmit", 9:
            command, response = from_text(values[4]), from_text("" if values[8] == "NULL" else values[8])
            if not command or response is None:
                yield SeenOddity(call.place, HEX_EXPECTED)
                return
            duration = max(0, round((ended - call.began).total_seconds() * 1_000_000))
            reader = handles.reader(values[0])
            yield SeenApdu(command, response, call.place, call.began, reader, thread or None, duration)
        case "SCardTransmit", _:
            yield SeenOddity(call.place, _CALL_CUT)


@dataclass(slots=True)
class _Shown:
    """A call as ``pcsc-spy`` shows it: its named values, and what was sent and received."""

    function: str
    place: int
    fields: dict[str, str] = field(default_factory=dict)
    dumps: dict[str, list[str]] = field(default_factory=lambda: {"i": [], "o": []})
    whole: bool = True

    def take(self, direction: str, text: str) -> None:
        """Take a line of a dump: sixteen bytes, or what is left of the length that was told."""
        told = _SIZE.search(self.fields.get(f"{direction} {'bSendLength' if direction == 'i' else 'bRecvLength'}", ""))
        got = self.dumps[direction]
        missing = (int(told[1], 16) if told else 0) - len(got)
        words = text.split(" ")[: max(0, min(16, missing))]
        if from_text("".join(words)) is None or any(len(word) != 2 for word in words):
            self.whole = False
            return
        got += words


def _read_shown(path: Path) -> Iterator[Seen]:
    call: _Shown | None = None
    handles, at = _Handles(), BEGINNING
    for number, text in lines(path):
        if (name := _NAME.match(text)) is not None:
            if call is not None and call.function == "SCardTransmit":
                yield SeenOddity(call.place, _CALL_CUT)
            call = _Shown(name[1], number)
        elif call is None:
            continue
        elif (dump := _DUMP.match(text)) is not None:
            call.take(dump[1], dump[3])
        elif (end := _RESULT.match(text)) is not None:
            duration = timedelta(seconds=float(end[1]))
            yield from _shown_call(call, at, duration, handles)
            at += duration
            call = None
        elif (found := _FIELD.match(text)) is not None and len(call.fields) < _MOST_FIELDS:
            call.fields[f"{found[1]} {found[3]}"] = found[4]
    if call is not None and call.function == "SCardTransmit":
        yield SeenOddity(call.place, _CALL_CUT)


def _shown_call(call: _Shown, at: datetime, duration: timedelta, handles: _Handles) -> Iterator[Seen]:
    fields = call.fields
    handle = fields.get("i hCard", "").partition(" ")[0]
    if call.function == "SCardConnect":
        handles.opened(fields.get("o phCard", "").partition(" ")[0], fields.get("i szReader", ""))
    elif call.function == "SCardTransmit":
        command, response = "".join(call.dumps["i"]), "".join(call.dumps["o"])
        if not command or not call.whole:
            yield SeenOddity(call.place, HEX_EXPECTED)
            return
        took = round(duration.total_seconds() * 1_000_000)
        yield SeenApdu(command, response, call.place, at, handles.reader(handle), duration_us=took)
    elif call.function in ("SCardStatus", "SCardGetStatusChange"):
        reader = handles.reader(handle) or fields.get("o szReader")
        if atr := from_text(fields.get("o bAtr") or fields.get("o Atr") or "-"):
            yield SeenAtr(atr, call.place, at, reader)


_HEAD_RAW = re.compile(rb"(?m)^(?:[0-9A-F]{1,16}@)?>\|\d{1,12}\|\d{1,6}\|SCard")
_HEAD_SHOWN = re.compile(rb"(?m)^(?:\x1b\[[0-9;]{1,8}m)?\s*SCard\w{1,40}(?:\x1b\[[0-9;]{0,8}m)?\s*$")


RAW = TraceSource(
    "pcsc-spy-raw",
    Text("lignes brutes de libpcscspy", "raw lines of libpcscspy"),
    lambda head: _HEAD_RAW.search(head) is not None,
    _read_raw,
)
SOURCE = TraceSource(
    "pcsc-spy",
    Text("texte de pcsc-spy", "text of pcsc-spy"),
    lambda head: _HEAD_SHOWN.search(head) is not None,
    _read_shown,
)
