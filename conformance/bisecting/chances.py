"""How often something fails, and how many runs without a failure show that it does not."""

from __future__ import annotations

import math
from dataclasses import dataclass

_CONFIDENCE = 0.9


@dataclass(frozen=True, slots=True)
class FailureRate:
    """Failures seen in so many runs."""

    failures: int
    runs: int

    @property
    def steady(self) -> bool:
        """Whether every run failed."""
        return self.failures == self.runs

    @property
    def at_least(self) -> float:
        """The rate below which it hardly is: the exact (Clopper-Pearson) lower bound, with a confidence of 90 %."""
        if self.failures == 0:
            return 0.0
        low, high = 0.0, 1.0
        for _ in range(40):
            middle = (low + high) / 2
            if self._so_many_by_chance(middle) < 1 - _CONFIDENCE:
                low = middle
            else:
                high = middle
        return low

    def repeats(self, risk: float, most: int) -> int:
        """Return how many runs without a failure leave that risk that it fails all the same; ``most`` at most."""
        rate = self.at_least
        if rate <= 0:
            return most
        return min(most, max(1, math.ceil(math.log(risk) / math.log1p(-min(rate, 1 - 1e-9)))))

    def _so_many_by_chance(self, rate: float) -> float:
        """The chance of at least as many failures at that rate."""
        runs = self.runs
        return sum(
            math.comb(runs, count) * rate**count * (1 - rate) ** (runs - count)
            for count in range(self.failures, runs + 1)
        )
