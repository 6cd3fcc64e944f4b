"""Two journals compared: scenario by scenario as they end, whichever order the two ran them in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from bifente.reports.comparison.differing import RunDifference, differences, only_one
from bifente.reports.comparison.seen import RunSeen, ScenarioSeen
from bifente.reports.events import RunStarted
from bifente.reports.verdict import Verdict

MOST_DIFFERENCES = 100_000
"""Most differences kept; of those beyond, how many there were."""
_JUDGED = (Verdict.PASSED, Verdict.PASSED_WITH_REMARK, Verdict.FAILED)


@dataclass(slots=True)
class Comparison:
    """What differs between two runs, and what can be said of the comparison itself."""

    first: RunStarted | None = None
    second: RunStarted | None = None
    differences: list[RunDifference] = field(default_factory=list)
    untold: int = 0
    """How many differences there were beyond those kept."""
    compared: int = 0
    """How many scenarios were judged on both sides."""
    unjudged: list[str] = field(default_factory=list)
    """Scenarios that neither side judged: not run, blocked, not applicable. They prove nothing."""
    varying: int = 0
    """How many differences were set aside: they also show between two runs of one side."""
    incomplete: tuple[bool, bool] = (False, False)
    """Which of the two did not go to its end."""

    @property
    def alike(self) -> bool:
        """Whether something was compared, all of it, and nothing differs."""
        return bool(self.compared) and not self.differences and not self.untold and not any(self.incomplete)


def compare(
    first: Path, second: Path, *, first_again: Path | None = None, second_again: Path | None = None
) -> Comparison:
    """Compare the journals at `first` and `second`. Raise JournalError.

    `first_again` is another run of what `first` ran, `second_again` of what `second` ran: where two runs of one side
    differ, the answer is never the same twice and says nothing.
    """
    varying = [
        frozenset(_place(one, one.first) for one in _compare(run, again).differences) if again else frozenset()
        for run, again in ((first, first_again), (second, second_again))
    ]
    return _compare(
        first, second, lambda one: _place(one, one.first) in varying[0] or _place(one, one.second) in varying[1]
    )


def _place(one: RunDifference, value: str | None) -> tuple[str, int | None, str, str, str | None]:
    return one.scenario, one.step, one.aspect, one.what.en, value


def _compare(first: Path, second: Path, excused: Callable[[RunDifference], bool] = lambda one: False) -> Comparison:
    runs = RunSeen(first), RunSeen(second)
    found = Comparison()
    for one, other in _paired(*runs):
        if one is not None and other is not None:
            if one.verdict in _JUDGED and other.verdict in _JUDGED:
                found.compared += 1
            elif one.verdict not in _JUDGED and other.verdict not in _JUDGED:
                found.unjudged.append(one.id)
            _keep(found, differences(one, other), excused)
        elif one is not None or other is not None:
            _keep(found, iter([only_one(one or other, first=one is not None)]), excused)  # type: ignore[arg-type]
    found.first, found.second = runs[0].start, runs[1].start
    found.incomplete = (not runs[0].complete, not runs[1].complete)
    return found


def _keep(found: Comparison, more: Iterator[RunDifference], excused: Callable[[RunDifference], bool]) -> None:
    for one in more:
        if excused(one):
            found.varying += 1
        elif len(found.differences) < MOST_DIFFERENCES:
            found.differences.append(one)
        else:
            found.untold += 1


def _paired(first: RunSeen, second: RunSeen) -> Iterator[tuple[ScenarioSeen | None, ScenarioSeen | None]]:
    """Pair the scenarios of the same id; the two are read side by side, so that few wait for their like."""
    waiting: tuple[dict[str, ScenarioSeen], dict[str, ScenarioSeen]] = ({}, {})
    for one, other in zip_longest(first, second):
        for side, seen in enumerate((one, other)):
            if seen is None:
                continue
            if (like := waiting[1 - side].pop(seen.id, None)) is not None:
                yield (seen, like) if side == 0 else (like, seen)
            else:
                waiting[side][seen.id] = seen
    yield from ((seen, None) for seen in waiting[0].values())
    yield from ((None, seen) for seen in waiting[1].values())


def identities(found: Comparison) -> Iterator[tuple[str, str, str]]:
    """Yield what distinguishes the two runs themselves: the name of the trait and its two values."""
    if found.first is None or found.second is None:
        return
    one, other = _traits(found.first), _traits(found.second)
    for name in dict.fromkeys((*one, *other)):
        if one.get(name) != other.get(name):
            yield name, one.get(name, "-"), other.get(name, "-")


def _traits(start: RunStarted) -> Mapping[str, str]:
    return {
        "tool": f"{start.tool.version} {start.tool.commit}".strip(),
        "target": start.target,
        "product": start.product or "-",
        "reader": start.reader or "-",
        "profile": start.profile or "-",
        "seed": str(start.seed),
        **{f"environment.{name}": value for name, value in start.environment.items()},
        **{f"input.{item.path}": item.sha256[:12] for item in start.inputs},
    }
