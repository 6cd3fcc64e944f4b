"""The fold of a journal that somebody else gives: given up where it would hold more than any record of ours needs."""

from __future__ import annotations

from dataclasses import dataclass, field

from bifente.reports.events import BenchChange, Call, Event, Exchange, Message, ScenarioFinished
from bifente.reports.journal import Place
from bifente.reports.model import MOST_IN_FULL, Fold, Run

MOST_HELD = 1 << 30
"""Most bytes that are held, about: that of some 500,000 scenarios."""
_EVENT = 512
"""What an event takes beside the bytes of its line."""


@dataclass(slots=True)
class BoundedFold:
    """Takes the events of a journal; gives no run where they would take too much room."""

    most: int = MOST_HELD
    _fold: Fold | None = field(default_factory=Fold)
    _kept: int = 0
    _under_way: int = 0
    _outside: int = 0

    def add(self, event: Event, place: Place) -> None:
        """Take `event` into account."""
        if self._fold is None:
            return
        self._fold.add(event, place)
        size = place.end - place.offset + _EVENT
        if isinstance(event, ScenarioFinished):
            seen = self._fold.scenario(event.scenario)
            # Of one that is not kept in full its beginning and end remain, and of each step two words.
            self._kept += self._under_way if seen.steps or seen.between else min(self._under_way, size + 4 * _EVENT)
            self._under_way = 0
        elif getattr(event, "scenario", None) is not None:
            self._under_way += size
        elif not isinstance(event, Exchange | Call | Message | BenchChange):
            self._kept += size
        elif self._outside < MOST_IN_FULL:
            self._outside += 1
            self._kept += size
        if self._kept + self._under_way > self.most:
            self.give_up()

    def give_up(self) -> None:
        """Hold nothing any more."""
        self._fold = None

    def run(self, *, truncated: bool) -> Run | None:
        """Return the run as it stands; None where the fold was given up."""
        return self._fold.run(truncated=truncated) if self._fold is not None else None
