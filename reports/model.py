"""The tree of a run, folded from its events: suites, scenarios, steps, exchanges, and the requirement matrix.

The fold never fails on a run that stopped on the way: a scenario or a step that began and did not end is `not-run`,
with the reason, and scenarios that never began are counted. Scenarios may interleave (several workers).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bifente.ground.fidelity import Fidelity
from bifente.ground.text import Text
from bifente.reports.events import (
    BenchChange,
    Call,
    Event,
    Exchange,
    Expectation,
    Note,
    Requirement,
    RunFinished,
    RunStarted,
    ScenarioFinished,
    ScenarioStarted,
    StepFinished,
    StepStarted,
    Suite,
    Tool,
)
from bifente.reports.verdict import WORST_FIRST, Verdict
from bifente.reports.words import INTERRUPTED

Happening = Exchange | Call | BenchChange
"""What can happen between the beginning and the end of a step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step: how it began, what happened, how it ended. `complete` is false when its end is not in the journal."""

    start: StepStarted
    happenings: tuple[Happening, ...]
    verdict: Verdict
    reason: Text | None = None
    expectations: tuple[Expectation, ...] = ()
    state_before: dict[str, str] | None = None
    state_after: dict[str, str] | None = None
    decoded: tuple[tuple[str, str], ...] | None = None
    duration_us: int = 0
    complete: bool = True

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The commands sent during the step, in order."""
        return tuple(item for item in self.happenings if isinstance(item, Exchange))

    @property
    def calls(self) -> tuple[Call, ...]:
        """The functions called during the step, in order."""
        return tuple(item for item in self.happenings if isinstance(item, Call))

    @property
    def unmet(self) -> tuple[Expectation, ...]:
        """The expectations that were not met."""
        return tuple(item for item in self.expectations if not item.ok)

    @property
    def remarks(self) -> tuple[Expectation, ...]:
        """The expectations met with a tolerated deviation."""
        return tuple(item for item in self.expectations if item.ok and item.remark)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A scenario and its outcome. `changes` are those of the bench outside any step; `ended` is empty until it is."""

    start: ScenarioStarted
    steps: tuple[Step, ...]
    changes: tuple[BenchChange, ...]
    verdict: Verdict
    reason: Text | None
    fidelity: Fidelity
    duration_us: int = 0
    ended: str = ""

    @property
    def id(self) -> str:
        """The full id, `suite/id`."""
        return self.start.scenario

    @property
    def complete(self) -> bool:
        """True when the journal holds the end of the scenario."""
        return bool(self.ended)

    @property
    def telling_steps(self) -> tuple[Step, ...]:
        """The steps that explain a verdict which is not plainly good: bad ones, else those with a remark."""
        return tuple(step for step in self.steps if step.verdict.bad) or tuple(s for s in self.steps if s.remarks)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteResult:
    """A suite and its outcome. `missing` counts the selected scenarios that never began."""

    suite: Suite
    scenarios: tuple[Scenario, ...]
    missing: int
    verdict: Verdict

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many scenarios have each verdict; those that never began are not in it."""
        return _counts(scenario.verdict for scenario in self.scenarios)

    @property
    def duration_us(self) -> int:
        """The time spent in its scenarios, in microseconds."""
        return sum(scenario.duration_us for scenario in self.scenarios)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the requirement matrix: a requirement, the ids of the scenarios that cite it, and what they say."""

    requirement: Requirement
    scenarios: tuple[str, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of the catalogue the run touches: `met` <= `judged` <= `cited` <= `total`.

    `judged` were given a verdict on the product (passed, with or without a remark, or failed), `met` passed.
    """

    total: int
    cited: int
    judged: int
    met: int

    def percent(self, part: int) -> float:
        """Return `part` in percent of the catalogue, 0 when the catalogue is empty."""
        return 100 * part / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A whole run. `interrupted` is true when it did not go to its end, whoever stopped it and however."""

    start: RunStarted
    suites: tuple[SuiteResult, ...]
    requirements: tuple[Row, ...]
    coverage: Coverage
    notes: tuple[Note, ...]
    verdict: Verdict
    missing: int
    interrupted: bool
    truncated: bool
    ended: str
    duration_us: int

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """Every scenario that began, suite by suite."""
        return tuple(scenario for suite in self.suites for scenario in suite.scenarios)

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many scenarios have each of the seven verdicts; those that never began are not in it."""
        return _counts(scenario.verdict for scenario in self.scenarios)

    @property
    def fidelity(self) -> Fidelity:
        """The weakest ground any scenario rested on."""
        return Fidelity.weakest(scenario.fidelity for scenario in self.scenarios)

    @property
    def to_look_at(self) -> tuple[Scenario, ...]:
        """The scenarios somebody has to look at, worst first."""
        bad = (scenario for scenario in self.scenarios if scenario.verdict.bad)
        return tuple(sorted(bad, key=lambda scenario: WORST_FIRST.index(scenario.verdict)))


def _counts(verdicts: Iterable[Verdict]) -> dict[Verdict, int]:
    found = Counter(verdicts)
    return {verdict: found[verdict] for verdict in Verdict}


@dataclass(slots=True)
class _StepDraft:
    start: StepStarted
    happenings: list[Happening] = field(default_factory=list)
    end: StepFinished | None = None

    def done(self) -> Step:
        happenings = tuple(self.happenings)
        if self.end is None:
            return Step(
                start=self.start, happenings=happenings, verdict=Verdict.NOT_RUN, reason=INTERRUPTED, complete=False
            )
        return Step(
            start=self.start,
            happenings=happenings,
            verdict=self.end.verdict,
            reason=self.end.reason,
            expectations=self.end.expectations,
            state_before=self.end.state_before,
            state_after=self.end.state_after,
            decoded=self.end.decoded,
            duration_us=self.end.duration_us,
        )


@dataclass(slots=True)
class _ScenarioDraft:
    start: ScenarioStarted
    steps: dict[int, _StepDraft] = field(default_factory=dict)
    changes: list[BenchChange] = field(default_factory=list)
    end: ScenarioFinished | None = None

    def done(self) -> Scenario:
        steps = tuple(step.done() for step in self.steps.values())
        changes = tuple(self.changes)
        if self.end is None:
            return Scenario(
                start=self.start,
                steps=steps,
                changes=changes,
                verdict=Verdict.NOT_RUN,
                reason=INTERRUPTED,
                fidelity=self.start.fidelity,
            )
        return Scenario(
            start=self.start,
            steps=steps,
            changes=changes,
            verdict=self.end.verdict,
            reason=self.end.reason,
            fidelity=self.end.fidelity,
            duration_us=self.end.duration_us,
            ended=self.end.time,
        )


class Fold:
    """Takes events one by one; gives the run, or one scenario, as it stands at any moment."""

    def __init__(self) -> None:
        self._start: RunStarted | None = None
        self._scenarios: dict[str, _ScenarioDraft] = {}
        self._notes: list[Note] = []
        self._end: RunFinished | None = None
        self._last = ""

    def add(self, event: Event) -> None:
        """Take `event` into account."""
        self._last = event.time or self._last
        match event:
            case RunStarted():
                self._start = event
            case ScenarioStarted():
                self._scenarios[event.scenario] = _ScenarioDraft(event)
            case ScenarioFinished():
                self._draft(event.scenario).end = event
            case StepStarted():
                self._draft(event.scenario).steps[event.index] = _StepDraft(event)
            case StepFinished():
                self._step(event.scenario, event.index).end = event
            case Exchange() | Call():
                self._step(event.scenario, event.index).happenings.append(event)
            case BenchChange(index=None):
                self._draft(event.scenario).changes.append(event)
            case BenchChange(index=int(index)):
                self._step(event.scenario, index).happenings.append(event)
            case Note():
                self._notes.append(event)
            case RunFinished():
                self._end = event

    def _draft(self, scenario: str) -> _ScenarioDraft:
        # An event of a scenario whose beginning was never told still counts: evidence is not dropped for its form.
        if scenario not in self._scenarios:
            suite = scenario.rpartition("/")[0]
            start = ScenarioStarted(scenario=scenario, suite=suite, title=Text.same(scenario), file="", line=0)
            self._scenarios[scenario] = _ScenarioDraft(start)
        return self._scenarios[scenario]

    def _step(self, scenario: str, index: int) -> _StepDraft:
        steps = self._draft(scenario).steps
        if index not in steps:
            steps[index] = _StepDraft(StepStarted(scenario=scenario, index=index, name="?", file="", line=0))
        return steps[index]

    def scenario(self, scenario: str) -> Scenario:
        """Return the scenario of that id as it stands; raises `KeyError` when nothing was told of it."""
        return self._scenarios[scenario].done()

    def run(self, *, truncated: bool = False) -> Run:
        """Return the run as it stands; `truncated` when the journal it comes from was cut."""
        start = self._start or _UNKNOWN
        scenarios = [draft.done() for draft in self._scenarios.values()]
        suites = tuple(_suites(start, scenarios))
        missing = sum(suite.missing for suite in suites)
        rows = tuple(_rows(start, scenarios))
        return Run(
            start=start,
            suites=suites,
            requirements=rows,
            coverage=_coverage(start, rows),
            notes=tuple(self._notes),
            verdict=Verdict.aggregate(suite.verdict for suite in suites),
            missing=missing,
            interrupted=self._end is None or self._end.interrupted,
            truncated=truncated,
            ended=self._last,
            duration_us=self._end.duration_us if self._end else sum(item.duration_us for item in scenarios),
        )


def fold(events: Iterable[Event], *, truncated: bool = False) -> Run:
    """Return the run told by `events`; `truncated` when the journal they come from was cut."""
    folding = Fold()
    for event in events:
        folding.add(event)
    return folding.run(truncated=truncated)


_UNKNOWN = RunStarted(run_id="?", tool=Tool(name="bifente", version="?"), command=(), target="?", seed=0)
"""Stands for the beginning of a run whose journal was cut within its first line."""


def _suites(start: RunStarted, scenarios: list[Scenario]) -> Iterator[SuiteResult]:
    known = {suite.id: suite for suite in start.suites}
    members: dict[str, list[Scenario]] = {suite: [] for suite in known}
    for scenario in scenarios:
        name = scenario.start.suite
        if name not in known:
            known[name] = Suite(id=name, title=Text.same(name), file=scenario.start.file, scenarios=0)
        members.setdefault(name, []).append(scenario)
    for suite in known.values():
        inside = tuple(members[suite.id])
        missing = max(0, suite.scenarios - len(inside))
        verdicts = [scenario.verdict for scenario in inside] + [Verdict.NOT_RUN] * bool(missing)
        yield SuiteResult(suite=suite, scenarios=inside, missing=missing, verdict=Verdict.aggregate(verdicts))


def _rows(start: RunStarted, scenarios: list[Scenario]) -> Iterator[Row]:
    citing: dict[str, list[Scenario]] = {requirement.id: [] for requirement in start.requirements}
    for scenario in scenarios:
        for cited in scenario.start.requirements:
            citing.setdefault(cited, []).append(scenario)
    known = {requirement.id: requirement for requirement in start.requirements}
    for cited, by in citing.items():
        yield Row(
            requirement=known.get(cited) or _uncatalogued(cited),
            scenarios=tuple(scenario.id for scenario in by),
            verdict=Verdict.aggregate(scenario.verdict for scenario in by),
        )


def _uncatalogued(cited: str) -> Requirement:
    return Requirement(id=cited, set="?", set_title="", source="", confidence="", level="", actor="", text="")


def _coverage(start: RunStarted, rows: tuple[Row, ...]) -> Coverage:
    # A requirement the catalogue does not know covers nothing of it.
    catalogued = [row for row in rows if row.requirement.set != "?"]
    judged = [row for row in catalogued if row.verdict.good or row.verdict is Verdict.FAILED]
    return Coverage(
        total=max(start.requirements_total, len(catalogued)),
        cited=len(catalogued),
        judged=len(judged),
        met=sum(row.verdict.good for row in catalogued),
    )
