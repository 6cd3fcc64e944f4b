"""What is kept for a time on the bench clock, and forgotten by itself afterwards."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Generic, TypeVar

from bifente.ground.clock import Clock

V = TypeVar("V")


class Expiring(Generic[V]):
    """Values by key, each with an end. What is over is gone, and takes no room: memory follows what is alive."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[float, V]] = {}
        self._ends: list[tuple[float, str]] = []

    def put(self, key: str, value: V, seconds: float) -> None:
        """Keep ``value`` for so many seconds from now, instead of what was there."""
        self._purge()
        end = self._now + seconds
        self._kept[key] = (end, value)
        heapq.heappush(self._ends, (end, key))

    def get(self, key: str) -> V | None:
        """Return what is kept under a key, None if there is nothing or no more."""
        end, value = self._kept.get(key, (0.0, None))
        return value if self._now < end else None

    def pop(self, key: str) -> V | None:
        """Return what is kept under a key, and keep it no longer."""
        found = self.get(key)
        self._kept.pop(key, None)
        return found

    def values(self) -> Iterator[V]:
        """Yield what is alive, the oldest first."""
        now = self._now
        yield from [value for end, value in self._kept.values() if now < end]

    def __len__(self) -> int:
        self._purge()
        return len(self._kept)

    @property
    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _purge(self) -> None:
        now = self._now
        while self._ends and self._ends[0][0] <= now:
            end, key = heapq.heappop(self._ends)
            # Another value may have taken the key since: its own end is in the heap too.
            if key in self._kept and self._kept[key][0] <= end:
                del self._kept[key]
        if len(self._ends) > 64 and len(self._ends) > 2 * len(self._kept):
            self._ends = [(end, key) for key, (end, _value) in self._kept.items()]
            heapq.heapify(self._ends)
