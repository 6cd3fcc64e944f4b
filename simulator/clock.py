"""One clock for everything that has a time in the bench: it is passed in, never looked up."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The civil time, always in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since an unstated origin; never goes back."""
        ...


class WallClock:
    """The time of the machine."""

    def now(self) -> datetime:
        """The machine's time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """The machine's monotonic counter, in seconds."""
        return time.monotonic()


class VirtualClock:
    """A time that moves only when told to: two minutes pass in a microsecond."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        if start.tzinfo is None:
            raise ValueError("a virtual clock starts at a time with a time zone")
        self._start = start.astimezone(UTC)
        self._elapsed = 0.0

    def now(self) -> datetime:
        """The start plus what was advanced."""
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """Seconds advanced since the start."""
        return self._elapsed

    def restart(self) -> None:
        """Back to the start: a new scene begins, and nothing timed before it holds any more."""
        self._elapsed = 0.0

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass. Raises ValueError if asked to go back."""
        if seconds < 0:
            raise ValueError(f"the clock cannot go back by {-seconds} s")
        self._elapsed += seconds
