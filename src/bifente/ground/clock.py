"""One clock for everything that has a time in the bench: it is passed in, never looked up."""

from __future__ import annotations

import time
from dataclasses import dataclass
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

    @property
    def earnest(self) -> bool:
        """Whether somebody is kept waiting while its seconds pass."""
        ...

    def wait(self, seconds: float) -> None:
        """Let ``seconds`` pass before going on."""
        ...


class WallClock:
    """The time of the machine."""

    earnest = True

    def now(self) -> datetime:
        """The machine's time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """The machine's monotonic counter, in seconds."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Sleep; not at all for a time that is over already."""
        if seconds > 0:
            time.sleep(seconds)


class LiveClock(WallClock):
    """The time of the machine, which can be put ahead: programs that look at the machine's clock do not see it."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> datetime:
        """The machine's time in UTC, and what it was put ahead."""
        return super().now() + timedelta(seconds=self._ahead)

    def monotonic(self) -> float:
        """The machine's counter in seconds, and what it was put ahead."""
        return super().monotonic() + self._ahead

    def advance(self, seconds: float) -> None:
        """Put it ahead. Raises ValueError if asked to go back."""
        if seconds < 0:
            raise ValueError(f"the clock cannot go back by {-seconds} s")
        self._ahead += seconds


class VirtualClock:
    """A time that moves only when told to: two minutes pass in a microsecond."""

    earnest = False

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = self._began = _zoned(start)
        self._elapsed = 0.0

    def now(self) -> datetime:
        """The start plus what was advanced."""
        return self._began + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """Seconds advanced since the start."""
        return self._elapsed

    def restart(self, at: datetime | None = None) -> None:
        """Back to the start, or to another moment: a new scene begins, and nothing timed before it holds any more."""
        self._began = self._start if at is None else _zoned(at)
        self._elapsed = 0.0

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass. Raises ValueError if asked to go back."""
        if seconds < 0:
            raise ValueError(f"the clock cannot go back by {-seconds} s")
        self._elapsed += seconds

    def wait(self, seconds: float) -> None:
        """As ``advance``: whoever waits finds the time gone by. Raises ValueError if asked to go back."""
        self.advance(seconds)


def _zoned(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a virtual clock starts at a time with a time zone")
    return moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class ShiftedClock(Clock):
    """A clock that is not right: ``ahead`` of another one, or behind it; waiting is done on that one."""

    clock: Clock
    ahead: timedelta

    def now(self) -> datetime:
        """Return the wrong time."""
        return self.clock.now() + self.ahead

    def monotonic(self) -> float:
        """Return the counter of the right one."""
        return self.clock.monotonic()

    @property
    def earnest(self) -> bool:
        """Whether waiting on the right one keeps somebody waiting."""
        return self.clock.earnest

    def wait(self, seconds: float) -> None:
        """Wait on the right one."""
        self.clock.wait(seconds)
