"""The search: the differences that carry a failure, each of them needed, and whether anything else fails without them.

Differences are put into what works, from the first to the last, and the shortest beginning that fails is found by
halving: its last difference is needed. It is kept, and the search goes on among those before it until those kept fail
by themselves. So each takes about log2 of all runs, fewer than delta debugging (ddmin), which halves anew for each.
Nothing rests on a failure staying when more is added: each difference is taken out again and seen to be needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic

from bifente.conformance.bisecting.chances import FailureRate
from bifente.conformance.bisecting.trials import Attempt, Label, Limits, RunsSpentError, T, Trials

_MOST_CAUSES = 8
_MOST_UNSTEADY = 4


@dataclass(frozen=True, slots=True)
class Culprit(Generic[T]):
    """Differences that together carry one failure: ``label`` is what is seen of it.

    ``without`` tells for each what is seen when it alone is not there: None where it works then.
    """

    label: str
    differences: tuple[T, ...]
    without: dict[T, Label]


@dataclass(slots=True)
class Bisection(Generic[T]):
    """What a search found.

    ``working`` and ``failing`` are what was seen of both ends; ``rate`` how often the failing one fails. ``culprits``
    are independent of each other: each carries its failure alone, and all have to go. ``rest`` is what is seen when
    they are gone, in ``rest_runs`` runs: None where it works. ``complete`` says whether the search came to its end; if
    it did not, ``narrowed`` is the smallest mix known to fail.
    """

    differences: tuple[T, ...]
    working: Label = None
    failing: Label = None
    rate: FailureRate = field(default_factory=lambda: FailureRate(0, 0))
    repeats: int = 1
    culprits: list[Culprit[T]] = field(default_factory=list)
    rest: Label = None
    rest_runs: int = 0
    complete: bool = False
    narrowed: tuple[T, ...] = ()
    runs: int = 0
    mixes: int = 0

    @property
    def comparable(self) -> bool:
        """Whether one end works and the other fails: otherwise there is nothing to look for."""
        return self.working is None and self.failing is not None

    @property
    def explains(self) -> bool:
        """Whether everything was found: without the culprits it was seen to work."""
        return self.comparable and self.complete and bool(self.culprits) and self.rest is None


class _UnsteadyError(Exception):
    """A mix that failed does not always: ``mix`` says which."""

    def __init__(self, mix: frozenset[object]) -> None:
        self.mix = mix
        super().__init__()


def bisect(differences: Sequence[T], attempt: Attempt[T], limits: Limits | None = None) -> Bisection[T]:
    """Find which of the differences carry the failure; ``attempt`` runs what works with some of them put into it.

    Raise ValueError if one is told twice.
    """
    if len(set(differences)) != len(differences):
        raise ValueError("a difference is told twice")
    limits = limits or Limits()
    trials = Trials(attempt, limits)
    found = Bisection(tuple(differences))
    try:
        _search(found, trials, limits)
        found.complete = True
    except RunsSpentError:
        pass
    found.repeats, found.runs, found.mixes = trials.repeats, trials.runs, trials.mixes
    return found


def _search(found: Bisection[T], trials: Trials[T], limits: Limits) -> None:
    everything = frozenset(found.differences)
    found.failing, found.rate = trials.rate(everything)
    if found.failing is None:
        return
    found.narrowed = found.differences
    for _ in range(_MOST_UNSTEADY):
        found.culprits.clear()
        try:
            _culprits(found, trials, limits)
            return
        except _UnsteadyError as unsteady:
            # It comes and goes after all: what was called working on one run is looked at again.
            _label, rate = trials.rate(frozenset(one for one in found.differences if one in unsteady.mix))
            if not rate.steady:
                found.rate = rate
            trials.repeats = max(trials.repeats, rate.repeats(limits.risk, limits.most_repeats))
    raise RunsSpentError


def _culprits(found: Bisection[T], trials: Trials[T], limits: Limits) -> None:
    label = found.failing
    assert label is not None  # noqa: S101 - the caller saw it fail
    found.working = trials.shows(frozenset(), label)
    if found.working is not None:
        return
    left = found.differences
    while len(found.culprits) < _MOST_CAUSES:
        culprit = _culprit(found, trials, left, label)
        found.culprits.append(culprit)
        left = tuple(one for one in left if one not in culprit.differences)
        # The one claim that something works: it takes more than one run of luck.
        found.rest_runs = max(trials.repeats, limits.cured)
        found.rest = trials.shows(frozenset(left), label, found.rest_runs)
        if found.rest is None:
            return
        # Another failure that this one hid, or a second cause of the same.
        label = found.rest


def _culprit(found: Bisection[T], trials: Trials[T], among: tuple[T, ...], label: str) -> Culprit[T]:
    kept: list[T] = []
    before = among
    while not kept or trials.shows(frozenset(kept), label) != label:
        low, high = 0, len(before)
        while high - low > 1:
            middle = (low + high) // 2
            mix = frozenset((*kept, *before[:middle]))
            if trials.shows(mix, label) == label:
                high = middle
                found.narrowed = tuple(one for one in found.differences if one in mix)
            else:
                low = middle
        kept.append(before[high - 1])
        before = before[: high - 1]
    _confirm(trials, kept, label)
    return Culprit(label, *_needed(trials, kept, label))


def _confirm(trials: Trials[T], kept: list[T], label: str) -> None:
    """See it fail once more, where so far everything always did."""
    if trials.repeats == 1 and trials.run(frozenset(kept), 1) != label:
        raise _UnsteadyError(frozenset(kept))


def _needed(trials: Trials[T], kept: list[T], label: str) -> tuple[tuple[T, ...], dict[T, Label]]:
    """Take each out again: it goes where the failure stays without it."""
    needed = list(kept)
    while True:
        without: dict[T, Label] = {}
        for one in needed:
            without[one] = trials.shows(frozenset(needed) - {one}, label)
            if without[one] == label:
                break
        else:
            order = tuple(sorted(needed, key=kept.index, reverse=True))
            return order, without
        needed.remove(one)
