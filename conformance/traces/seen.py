"""What a log shows of a session, one thing at a time, as every source tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from bifente.ground.text import Text

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""The day of a log that gives none: its times are then those of a clock that began with it."""


@dataclass(frozen=True, slots=True)
class SeenApdu:
    """A command and its response in hexadecimal, a byte being ``••`` where the source had masked it already.

    ``response`` is empty where none came; ``place`` is the line (from 1) or the byte of the source where it begins.
    """

    command: str
    response: str
    place: int
    at: datetime = BEGINNING
    slot: str | None = None
    client: str | None = None
    duration_us: int = 0


@dataclass(frozen=True, slots=True)
class SeenAtr:
    """The answer to reset of the card in a slot."""

    atr: str
    place: int
    at: datetime = BEGINNING
    slot: str | None = None


@dataclass(frozen=True, slots=True)
class SeenOddity:
    """Something that a source should not hold, and was left out."""

    place: int
    what: Text


Seen: TypeAlias = SeenApdu | SeenAtr | SeenOddity
"""Anything a source tells."""
