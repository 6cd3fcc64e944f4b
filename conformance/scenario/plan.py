"""A suite ready to run: every step checked, every stage unfolded, every matrix spread out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel

from bifente.conformance.loading import Document
from bifente.conformance.loading.document import Location
from bifente.conformance.model import CardChoice, Scenario, SuiteModel
from bifente.conformance.requirements import OwnCatalogue
from bifente.conformance.scenario.step import Step
from bifente.ground.fidelity import Fidelity
from bifente.ground.text import Text
from bifente.reports.events import Phase


@dataclass(frozen=True, slots=True)
class PlannedArtefact:
    """What is expected instead behind vpcd, or behind pcsc-lite, and why."""

    expect: Mapping[str, Any]
    why: Text
    of: str = "vpcd"


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step of a scenario. ``bindings`` are the values given to the stage it came from, references unresolved."""

    kind: type[Step]
    raw: Any
    expect: Mapping[str, Any]
    should: Mapping[str, Any]
    artefact: PlannedArtefact | None
    capture: Mapping[str, str]
    slot: str | None
    title: Text | None
    phase: Phase
    via: str | None
    bindings: Mapping[str, Any]
    document: Document
    at: Location

    @property
    def line(self) -> int:
        """Where it stands in its file."""
        return self.document.place(self.at)[0]


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """What to assemble for one scenario: a profile name, a card choice by slot role, the day if it is not today, and
    what it says to domains by their own models.
    """

    profile: str
    cards: Mapping[str, CardChoice]
    day: date | None = None
    sections: tuple[BaseModel, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedScenario:
    """One scenario on one bench. ``id`` is the full one, with the matrix values in brackets when there are several."""

    id: str
    suite: str
    model: Scenario
    fidelity: Fidelity
    requires: frozenset[str]
    bench: BenchPlan
    steps: tuple[PlannedStep, ...]
    document: Document
    at: Location
    generated: bool = False
    """Whether a matrix gave it beside the one that is written."""

    @property
    def file(self) -> str:
        """The suite file's path."""
        return str(self.document.path)

    @property
    def line(self) -> int:
        """Where it stands in that file."""
        return self.document.place(self.at)[0]

    def bench_at(self, *keys: str) -> Location:
        """Where a part of its bench is said: by the scenario itself, else by the suite."""
        own = (*self.at, "bench", *keys)
        return own if self.document.holds(own) else ("bench", *keys)


@dataclass(frozen=True, slots=True)
class PlannedSuite:
    """A suite file and all that was read for it."""

    model: SuiteModel
    documents: tuple[Document, ...]
    scenarios: tuple[PlannedScenario, ...]
    catalogues: tuple[OwnCatalogue, ...] = ()
    """Its editor's own requirements and test codes."""

    @property
    def file(self) -> str:
        """The suite file's path."""
        return str(self.documents[0].path)
