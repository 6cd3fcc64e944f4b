"""What a run will do, read and checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bifente.conformance.loading import Document, Problem
from bifente.conformance.model import CardChoice
from bifente.conformance.options import RunOptions
from bifente.conformance.requirements import Catalogue
from bifente.conformance.scenario.plan import PlannedScenario, PlannedSuite


@dataclass(frozen=True, slots=True)
class RunPlan:
    """Everything a run will do, read and checked."""

    options: RunOptions
    suites: tuple[PlannedSuite, ...]
    scenarios: tuple[PlannedScenario, ...]
    inputs: tuple[Document, ...]
    catalogue: Catalogue
    mistakes: tuple[Problem, ...] = ()
    """What is wrong in the files that were laid aside."""

    @property
    def cards(self) -> Iterator[CardChoice]:
        """Every card of every scenario, those that its steps present included."""
        for scenario in self.scenarios:
            yield from scenario.bench.cards.values()
            for step in scenario.steps:
                yield from step.kind.cards(step.raw)

    @property
    def generated(self) -> int:
        """How many of the scenarios a matrix gave beside those that are written."""
        return sum(scenario.generated for scenario in self.scenarios)

    @property
    def profiles(self) -> tuple[str, ...]:
        """Every reader profile the scenarios want, each once."""
        return tuple(dict.fromkeys(scenario.bench.profile for scenario in self.scenarios))
