"""A journal of the bench: a run, an observation, or a trace kept before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from bifente.conformance.loading import InputError
from bifente.conformance.traces.digits import values
from bifente.conformance.traces.seen import BEGINNING, Seen, SeenApdu, SeenAtr, SeenOddity
from bifente.conformance.traces.sources.source import HEX_EXPECTED, TraceSource
from bifente.ground.text import Text
from bifente.reports.events import Call, Exchange
from bifente.reports.journal import JournalError, JournalReader

RESET = "answer-to-reset"
"""The name of the event that keeps an ATR in a trace."""


def read(path: Path) -> Iterator[Seen]:
    """Yield what the journal shows."""
    try:
        for event, place in JournalReader(path):
            if isinstance(event, Exchange) and event.command:
                command, response = _digits(event.command), _digits(event.response)
                if command is None or response is None:
                    yield SeenOddity(place.line, HEX_EXPECTED)
                    continue
                at = moment(event.time)
                yield SeenApdu(command, response, place.line, at, event.slot, event.client, event.duration_us)
            elif isinstance(event, Call) and event.function == RESET and (atr := _digits(event.answer.get("atr", ""))):
                yield SeenAtr(atr, place.line, moment(event.time), event.slot)
    except JournalError as error:
        raise InputError.at(
            str(error.path),
            str(error).partition(": ")[2],
            line=error.line or 0,
            cure="import what comes before that line, or ask for the journal again",
        ) from None


def _digits(text: str) -> str | None:
    digits = text.replace(" ", "").upper()
    try:
        values(digits)
    except ValueError:
        return None
    return digits


def moment(time: str) -> datetime:
    """Return the instant an event says, or that of a log without a clock."""
    return datetime.fromisoformat(time) if time else BEGINNING


SOURCE = TraceSource(
    "journal", Text("journal du banc", "journal of the bench"), lambda head: head.startswith(b'{"seq":0,'), read
)
