"""The tree of a run, folded from its events: suites, scenarios, steps, exchanges, and the requirement matrix.

The fold never fails on a run that stopped on the way: a scenario or a step that began and did not end is `not-run`,
with the reason, and scenarios that never began are counted. Scenarios may interleave (several workers).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from bifente.ground.fidelity import Fidelity
from bifente.ground.text import Text
from bifente.reports.events import (
    NOTHING,
    BenchChange,
    Call,
    Event,
    Exchange,
    Expectation,
    Message,
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
from bifente.reports.journal import JournalReader, Place
from bifente.reports.verdict import WORST_FIRST, Verdict
from bifente.reports.words import INTERRUPTED

Happening = Exchange | Call | Message | BenchChange
"""What can happen at the bench, in a step or outside any."""

PASSED_IN_FULL = 1_000
"""How many happenings of scenarios that plainly passed a run keeps; of a suite that has none yet, one more scenario."""
MOST_IN_FULL = 20_000
"""How many happenings of other scenarios it keeps; beyond, the last ones of the steps that explain the verdict."""
_LAST = 3


class StepResult(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step: how it began, what happened, how it ended. `complete` is false when its end is not in the journal."""

    start: StepStarted
    happenings: tuple[Happening, ...]
    verdict: Verdict
    reason: Text | None = None
    expectations: tuple[Expectation, ...] = ()
    state_before: dict[str, str] | None = None
    state_after: dict[str, str] | None = None
    decoded: tuple[tuple[str | Text, str | Text], ...] | None = None
    duration_us: int = 0
    complete: bool = True

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages seen during the step, in order."""
        return tuple(item for item in self.happenings if isinstance(item, Message))

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


class StepOutcome(Struct, frozen=True, kw_only=True, array_like=True):
    """A step in two words."""

    name: str
    verdict: Verdict


class JournalSpan(Struct, frozen=True, kw_only=True):
    """Where a scenario is in the journal: its lines, both included, and its bytes from `offset` to before `end`."""

    line: int
    last_line: int
    offset: int
    end: int


class ScenarioResult(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A scenario and its outcome. `between` is what happened outside any step; `ended` is empty until it is.

    Of one that plainly passed a run keeps no `steps` unless it is a sample: `outcomes` has each step in two words,
    `happened` counts what happened, and `span` says where the journal has it all. `in_full` says that nothing was left
    out here.
    """

    start: ScenarioStarted
    outcomes: tuple[StepOutcome, ...] = ()
    happened: int = 0
    in_full: bool = True
    span: JournalSpan | None = None
    steps: tuple[StepResult, ...] = ()
    between: tuple[Happening, ...] = ()
    verdict: Verdict
    reason: Text | None = None
    fidelity: Fidelity
    duration_us: int = 0
    ended: str = ""

    @property
    def changes(self) -> tuple[BenchChange, ...]:
        """What the bench did outside any step."""
        return tuple(item for item in self.between if isinstance(item, BenchChange))

    @property
    def id(self) -> str:
        """The full id, `suite/id`."""
        return self.start.scenario

    @property
    def complete(self) -> bool:
        """True when the journal holds the end of the scenario."""
        return bool(self.ended)

    @property
    def telling_steps(self) -> tuple[StepResult, ...]:
        """The steps that explain a verdict which is not plainly good: bad ones, else those with a remark."""
        return tuple(step for step in self.steps if step.verdict.bad) or tuple(s for s in self.steps if s.remarks)


class SuiteResult(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A suite and its outcome. `missing` counts the selected scenarios that never began."""

    suite: Suite
    scenarios: tuple[ScenarioResult, ...]
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


class RequirementRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of the requirement matrix: a requirement, the ids of the scenarios that cite it, and what they say."""

    requirement: Requirement
    scenarios: tuple[str, ...]
    verdict: Verdict


class RequirementCoverage(Struct, frozen=True, kw_only=True, omit_defaults=True):
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


class Run(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A whole run. `interrupted` is true when it did not go to its end, whoever stopped it and however."""

    start: RunStarted
    suites: tuple[SuiteResult, ...]
    requirements: tuple[RequirementRow, ...]
    coverage: RequirementCoverage
    notes: tuple[Note, ...]
    outside: tuple[Happening, ...] = ()
    """What happened in no scenario, the first `MOST_IN_FULL` of it."""
    verdict: Verdict
    missing: int
    interrupted: bool
    truncated: bool
    ended: str
    duration_us: int

    @property
    def began(self) -> bool:
        """Whether the journal tells how the run began."""
        return self.start is not _UNKNOWN

    @property
    def scenarios(self) -> tuple[ScenarioResult, ...]:
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
    def to_look_at(self) -> tuple[ScenarioResult, ...]:
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

    def done(self) -> StepResult:
        happenings = tuple(self.happenings)
        if self.end is None:
            return StepResult(
                start=self.start, happenings=happenings, verdict=Verdict.NOT_RUN, reason=INTERRUPTED, complete=False
            )
        return StepResult(
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
    between: list[Happening] = field(default_factory=list)
    end: ScenarioFinished | None = None
    first: Place | None = None
    last: Place | None = None

    @property
    def happened(self) -> int:
        return len(self.between) + sum(len(step.happenings) for step in self.steps.values())

    def done(self) -> ScenarioResult:
        steps = tuple(step.done() for step in self.steps.values())
        first, last = self.first, self.last
        span = None
        if first is not None and last is not None:
            span = JournalSpan(line=first.line, last_line=last.line, offset=first.offset, end=last.end)
        end = self.end
        return ScenarioResult(
            start=self.start,
            outcomes=tuple(StepOutcome(name=step.start.name, verdict=step.verdict) for step in steps),
            happened=self.happened,
            span=span,
            steps=steps,
            between=tuple(self.between),
            verdict=end.verdict if end else Verdict.NOT_RUN,
            reason=end.reason if end else INTERRUPTED,
            fidelity=end.fidelity if end else self.start.fidelity,
            duration_us=end.duration_us if end else 0,
            ended=end.time if end else "",
        )


class Fold:
    """Takes events one by one; gives the run, or one scenario, as it stands at any moment.

    It keeps what a reader of a report wants to see, and of the rest how much there was: its size follows the number of
    scenarios and not what happened in them.
    """

    def __init__(self) -> None:
        self._start: RunStarted | None = None
        self._scenarios: dict[str, _ScenarioDraft | ScenarioResult] = {}
        self._notes: list[Note] = []
        self._outside: list[Happening] = []
        self._end: RunFinished | None = None
        self._last = ""
        self._passed_kept = 0
        self._others_kept = 0
        self._shown: set[str] = set()

    def add(self, event: Event, place: Place | None = None) -> None:
        """Take `event` into account; `place` is where the journal has it."""
        self._last = event.time or self._last
        match event:
            case Exchange() | Call() | Message() | BenchChange():
                self._happened(event)
            case RunStarted():
                self._start = event
            case ScenarioStarted():
                self._scenarios[event.scenario] = _ScenarioDraft(event, first=place, last=place)
            case ScenarioFinished():
                draft = self._draft(event.scenario)
                draft.end, draft.last = event, place or draft.last
                self._scenarios[event.scenario] = self._kept(draft)
            case StepStarted():
                of = self._draft(event.scenario)
                of.steps[event.index] = _StepDraft(event if event.file else replace(event, file=of.start.file))
            case StepFinished():
                self._step(event.scenario, event.index).end = event
            case Note():
                self._notes.append(event)
            case RunFinished():
                self._end = event

    def _happened(self, event: Happening) -> None:
        if event.scenario is None:
            if len(self._outside) < MOST_IN_FULL:
                self._outside.append(event)
        elif event.index is None:
            self._draft(event.scenario).between.append(event)
        else:
            self._step(event.scenario, event.index).happenings.append(event)

    def _kept(self, draft: _ScenarioDraft) -> ScenarioResult:
        whole, count = draft.done(), draft.happened
        if whole.verdict is Verdict.PASSED:
            first = whole.start.suite not in self._shown
            if self._passed_kept + count > PASSED_IN_FULL * (3 if first else 1):
                return replace(whole, steps=(), between=(), in_full=False)
            self._passed_kept += count
            self._shown.add(whole.start.suite)
            return whole
        if self._others_kept + count > MOST_IN_FULL:
            telling = tuple(replace(step, happenings=step.happenings[-_LAST:]) for step in whole.telling_steps)
            return replace(whole, steps=telling, between=(), in_full=False)
        self._others_kept += count
        return whole

    def _draft(self, scenario: str) -> _ScenarioDraft:
        # An event of a scenario whose beginning was never told, or that ended, still counts: evidence is not dropped.
        found = self._scenarios.get(scenario)
        if isinstance(found, _ScenarioDraft):
            return found
        if found is None:
            suite = scenario.rpartition("/")[0]
            draft = _ScenarioDraft(
                ScenarioStarted(scenario=scenario, suite=suite, title=Text.same(scenario), file="", line=0)
            )
        else:
            draft = _again(found)
        self._scenarios[scenario] = draft
        return draft

    def _step(self, scenario: str, index: int) -> _StepDraft:
        steps = self._draft(scenario).steps
        if index not in steps:
            steps[index] = _StepDraft(StepStarted(scenario=scenario, index=index, name="?", file="", line=0))
        return steps[index]

    def scenario(self, scenario: str) -> ScenarioResult:
        """Return the scenario of that id as it stands; raises `KeyError` when nothing was told of it."""
        found = self._scenarios[scenario]
        return found.done() if isinstance(found, _ScenarioDraft) else found

    def run(self, *, truncated: bool = False) -> Run:
        """Return the run as it stands; `truncated` when the journal it comes from was cut."""
        start = self._start or _UNKNOWN
        scenarios = [self.scenario(name) for name in self._scenarios]
        suites = tuple(_suites(start, scenarios))
        missing = sum(suite.missing for suite in suites)
        rows = tuple(_rows(start, scenarios))
        return Run(
            start=start,
            suites=suites,
            requirements=rows,
            coverage=_coverage(start, rows),
            notes=tuple(self._notes),
            outside=tuple(self._outside),
            verdict=Verdict.aggregate(suite.verdict for suite in suites),
            missing=missing,
            interrupted=self._end is None or self._end.interrupted,
            truncated=truncated,
            ended=self._last,
            duration_us=self._end.duration_us if self._end else sum(item.duration_us for item in scenarios),
        )


def _again(found: ScenarioResult) -> _ScenarioDraft:
    """A scenario that ended, open for what is told of it afterwards."""
    end = ScenarioFinished(
        scenario=found.id,
        time=found.ended,
        verdict=found.verdict,
        reason=found.reason,
        fidelity=found.fidelity,
        duration_us=found.duration_us,
    )
    draft = _ScenarioDraft(found.start, between=list(found.between), end=end)
    for step in found.steps:
        done = StepFinished(
            scenario=found.id,
            index=step.start.index,
            verdict=step.verdict,
            expectations=step.expectations,
            state_before=step.state_before,
            state_after=step.state_after,
            decoded=step.decoded,
            reason=step.reason,
            duration_us=step.duration_us,
        )
        draft.steps[step.start.index] = _StepDraft(step.start, list(step.happenings), done if step.complete else None)
    return draft


def fold(events: Iterable[Event], *, truncated: bool = False) -> Run:
    """Return the run told by `events`; `truncated` when the journal they come from was cut."""
    folding = Fold()
    for event in events:
        folding.add(event)
    return folding.run(truncated=truncated)


def fold_journal(path: Path) -> Run:
    """Return the run of the journal at `path`, read event by event. Raises `JournalError`."""
    folding, reader = Fold(), JournalReader(path)
    for event, place in reader:
        folding.add(event, place)
    return folding.run(truncated=reader.truncated)


_UNKNOWN = RunStarted(run_id="?", tool=Tool(name="bifente", version="?"), command=(), target="?", seed=0)
"""Stands for the beginning of a run whose journal was cut within its first line."""


def _suites(start: RunStarted, scenarios: list[ScenarioResult]) -> Iterator[SuiteResult]:
    known = {suite.id: suite for suite in start.suites}
    members: dict[str, list[ScenarioResult]] = {suite: [] for suite in known}
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


def _rows(start: RunStarted, scenarios: list[ScenarioResult]) -> Iterator[RequirementRow]:
    citing: dict[str, list[ScenarioResult]] = {requirement.id: [] for requirement in start.requirements}
    for scenario in scenarios:
        for cited in scenario.start.requirements:
            citing.setdefault(cited, []).append(scenario)
    known = {requirement.id: requirement for requirement in start.requirements}
    for cited, by in citing.items():
        yield RequirementRow(
            requirement=known.get(cited) or _uncatalogued(cited),
            scenarios=tuple(scenario.id for scenario in by),
            verdict=Verdict.aggregate(scenario.verdict for scenario in by),
        )


def _uncatalogued(cited: str) -> Requirement:
    return Requirement(
        id=cited, set="?", set_title=NOTHING, source=NOTHING, confidence="", level="", actor="", text=NOTHING
    )


def _coverage(start: RunStarted, rows: tuple[RequirementRow, ...]) -> RequirementCoverage:
    # A requirement the catalogue does not know covers nothing of it.
    catalogued = [row for row in rows if row.requirement.set != "?"]
    judged = [row for row in catalogued if row.verdict.good or row.verdict is Verdict.FAILED]
    return RequirementCoverage(
        total=max(start.requirements_total, len(catalogued)),
        cited=len(catalogued),
        judged=len(judged),
        met=sum(row.verdict.good for row in catalogued),
    )
