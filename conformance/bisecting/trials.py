"""Mixes of differences tried: each run remembered, as many as it takes to believe that a mix does not fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from bifente.conformance.bisecting.chances import FailureRate

T = TypeVar("T", bound=Hashable)

Label: TypeAlias = str | None
"""What came of a run: None where it works, else what is seen of the failure, in one word or sentence."""
Attempt: TypeAlias = Callable[[frozenset[T], int], Label]
"""Runs a mix: what works with these differences put into it, for the nth time (from 0)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is tried.

    ``most_runs`` in all; ``first`` runs of what fails tell whether it always does; one that does not is run until it
    failed ``enough`` times, ``patience`` times at most; ``risk`` is what is left that a mix called working fails;
    ``most_repeats`` of one mix at most; ``cured`` runs at least of what is said to work once the culprits are gone.
    """

    most_runs: int = 2000
    first: int = 3
    enough: int = 5
    patience: int = 60
    risk: float = 0.01
    most_repeats: int = 100
    cured: int = 2


class RunsSpentError(Exception):
    """As many runs were made as are allowed."""


class Trials(Generic[T]):
    """The runs of one search. ``repeats`` is how many without the failure show that a mix does not have it."""

    def __init__(self, attempt: Attempt[T], limits: Limits) -> None:
        self._attempt, self._limits = attempt, limits
        self._seen: dict[frozenset[T], dict[int, Label]] = {}
        self._telling: tuple[int, ...] = ()
        self.repeats = 1
        self.runs = 0

    @property
    def mixes(self) -> int:
        """How many mixes were tried."""
        return len(self._seen)

    def run(self, mix: frozenset[T], number: int) -> Label:
        """Return what came of the nth run of a mix, made now or remembered. Raise RunsSpentError."""
        seen = self._seen.setdefault(mix, {})
        if number not in seen:
            if self.runs >= self._limits.most_runs:
                raise RunsSpentError
            self.runs += 1
            seen[number] = self._attempt(mix, number)
        return seen[number]

    def rate(self, mix: frozenset[T]) -> tuple[Label, FailureRate]:
        """Run what is said to fail: how it fails, None for never, and how often. Raise RunsSpentError."""
        limits = self._limits
        labels = [self.run(mix, number) for number in range(limits.first)]
        while len(labels) < limits.patience and len(set(labels)) + labels.count(None) > 1:
            if _often(labels)[1] >= limits.enough:
                break
            labels.append(self.run(mix, len(labels)))
        label, failures = _often(labels)
        found = FailureRate(failures, len(labels))
        if label is not None and not found.steady:
            self.repeats = max(self.repeats, found.repeats(limits.risk, limits.most_repeats))
            self._telling = tuple(number for number, one in enumerate(labels) if one == label)
        return label, found

    def shows(self, mix: frozenset[T], label: str, times: int = 1) -> Label:
        """Return the label if a mix fails in that way, else what it shows: None where it works. Raise RunsSpentError.

        One such failure is enough; that there is none takes ``repeats`` runs, ``times`` at least.
        """
        shown: Label = None
        # Where a number stands for what is drawn, those with which the whole failed tell soonest.
        times = max(times, self.repeats)
        numbers = dict.fromkeys((*self._telling, *range(times)))
        for number in tuple(numbers)[:times]:
            found = self.run(mix, number)
            if found == label:
                return label
            shown = shown or found
        return shown


def _often(labels: list[Label]) -> tuple[Label, int]:
    """The failure that was seen most, and how often."""
    failures = Counter(label for label in labels if label is not None)
    return failures.most_common(1)[0] if failures else (None, 0)
