"""The device of a scenario as time passes: what answers in each slot, and how link, session and battery stand.

Folded from the changes of the bench alone. A column is a stretch during which nothing of the picture changes, however
long it lasts: the clock of a bench leaps, so columns are of one width and say at what time they begin.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby

from bifente.reports.events import BenchChange
from bifente.reports.model import ScenarioResult

SLOT = "slot:"
"""What begins the name of a slot in a picture."""


@dataclass(frozen=True, slots=True)
class Column:
    """A stretch without change of picture. `at_ms` is when it begins, in milliseconds of the bench clock.

    `changes` opened it and went on during it; the first column may have none.
    """

    at_ms: int
    picture: dict[str, str]
    changes: tuple[BenchChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """A value that holds from column `first` on, for `columns` of them; empty: nothing there."""

    first: int
    columns: int
    value: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One thing of the device: `slot` says whether it is a slot, `name` its role or what it is."""

    name: str
    slot: bool
    spans: tuple[Span, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Timeline:
    """A device as time passes: slots first, in its own order."""

    columns: tuple[Column, ...]
    lanes: tuple[Lane, ...]


def timeline(scenario: ScenarioResult) -> Timeline | None:
    """Return the timeline of `scenario`, or None when its journal says nothing of its device."""
    start = scenario.start
    columns = [Column(0, {f"{SLOT}{role}": start.cards.get(role, "") for role in start.slots})]
    for change in _changes(scenario):
        last = columns[-1]
        picture = {**last.picture, **change.picture}
        # What the bench looks like when it is set up belongs to its beginning.
        if picture == last.picture or not (change.at_ms or len(columns) > 1 or change.index is not None):
            columns[-1] = Column(last.at_ms, picture, (*last.changes, change))
        else:
            columns.append(Column(change.at_ms or last.at_ms, picture, (change,)))
    names = list(dict.fromkeys(name for column in columns for name in column.picture))
    if not names:
        return None
    names.sort(key=lambda name: not name.startswith(SLOT))
    return Timeline(tuple(columns), tuple(_lane(name, columns) for name in names))


def _changes(scenario: ScenarioResult) -> list[BenchChange]:
    inside = (item for step in scenario.steps for item in step.happenings if isinstance(item, BenchChange))
    return sorted((*scenario.changes, *inside), key=lambda change: change.seq)


def _lane(name: str, columns: list[Column]) -> Lane:
    spans, first = [], 0
    for value, same in groupby(column.picture.get(name, "") for column in columns):
        count = len(list(same))
        spans.append(Span(first, count, value))
        first += count
    return Lane(name.removeprefix(SLOT), name.startswith(SLOT), tuple(spans))
