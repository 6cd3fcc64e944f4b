"""The clock of a workstation that is not right: that of the bench, some time ahead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bifente.ground.clock import Clock


@dataclass(frozen=True, slots=True)
class ShiftedClock(Clock):
    """``ahead`` of another clock; waiting is done on that one."""

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
