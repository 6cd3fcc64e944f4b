"""A whole run: the plan, the identity that opens the record, the scenarios one by one or spread over processes."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from conformance.bench.cards import Workshop
from conformance.bench.factory import BenchPool
from conformance.bench.profiles import load_profile
from conformance.loading import Document, InputError, Problem, nearest
from conformance.model import CardChoice
from conformance.options import RunOptions, TargetKind
from conformance.requirements import Catalogue, load_catalogue
from conformance.run.environment import environment, tool
from conformance.run.scenario import run_scenario
from conformance.scenario.loader import find_suites, load_suite
from conformance.scenario.plan import PlannedScenario, PlannedSuite
from reports.events import Event, Input, RunFinished, RunStarted, Suite
from reports.verdict import Verdict

Emit = Callable[[Event], object]


@dataclass(frozen=True, slots=True)
class RunPlan:
    """Everything a run will do, read and checked."""

    options: RunOptions
    suites: tuple[PlannedSuite, ...]
    scenarios: tuple[PlannedScenario, ...]
    inputs: tuple[Document, ...]
    catalogue: Catalogue

    @property
    def cards(self) -> Iterator[CardChoice]:
        """Every card of every scenario."""
        for scenario in self.scenarios:
            yield from scenario.bench.cards.values()

    @property
    def profiles(self) -> tuple[str, ...]:
        """Every reader profile the scenarios want, each once."""
        return tuple(dict.fromkeys(scenario.bench.profile for scenario in self.scenarios))


def prepare(options: RunOptions, workshop: Workshop) -> RunPlan:
    """Read every suite, profile and template a run needs. Raises InputError with all that is wrong."""
    catalogue = load_catalogue()
    suites: list[PlannedSuite] = []
    problems: list[Problem] = []
    for path in find_suites(options.paths):
        try:
            suites.append(load_suite(path, catalogue, profile=options.profile))
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    scenarios = tuple(_selected(options.select, suites))
    inputs = {document.path: document for suite in suites for document in suite.documents}
    for scenario in scenarios:
        profile = load_profile(scenario.bench.profile)[1]
        inputs.setdefault(profile.path, profile)
        for choice in scenario.bench.cards.values():
            try:
                document = workshop.check(choice)
            except InputError as error:
                where = (Problem(scenario.file, scenario.line, 1, str(problem)) for problem in error.problems)
                raise InputError(list(where)) from None
            inputs.setdefault(document.path, document)
    return RunPlan(options, tuple(suites), scenarios, tuple(inputs.values()), catalogue)


def _selected(patterns: Sequence[str], suites: Iterable[PlannedSuite]) -> Iterator[PlannedScenario]:
    everything = [scenario for suite in suites for scenario in suite.scenarios]
    if not patterns:
        yield from everything
        return
    for pattern in patterns:
        # Square brackets belong to matrix ids here, not to the pattern language.
        plain = pattern.replace("[", "[[]")
        if not any(fnmatchcase(scenario.id, plain) for scenario in everything):
            raise InputError.at(
                "--select", f"no scenario is named {pattern!r}", cure=nearest(pattern, (s.id for s in everything))
            )
    for scenario in everything:
        if any(fnmatchcase(scenario.id, pattern.replace("[", "[[]")) for pattern in patterns):
            yield scenario


def execute(plan: RunPlan, workshop: Workshop, *, run_id: str, command: Sequence[str], emit: Emit) -> list[Verdict]:
    """Run the plan and emit its events. An interruption (KeyboardInterrupt) is recorded, then raised again."""
    start = time.perf_counter()
    emit(_started(plan, run_id, command))
    verdicts: list[Verdict] = []
    interrupted = True
    try:
        for verdict in _verdicts(plan, workshop, command, emit):
            verdicts.append(verdict)
        interrupted = False
    finally:
        emit(RunFinished(interrupted=interrupted, duration_us=round((time.perf_counter() - start) * 1_000_000)))
    return verdicts


def _shown(path: Path) -> str:
    """A file as a reader of the report can find it: relative to where the run was started, or to the bench's own."""
    path = path.resolve()
    for prefix, root in (("", Path.cwd()), ("bifente:", Path(__file__).resolve().parents[2])):
        if path.is_relative_to(root):
            return f"{prefix}{path.relative_to(root).as_posix()}"
    return str(path)


def _started(plan: RunPlan, run_id: str, command: Sequence[str]) -> RunStarted:
    options = plan.options
    cited = (requirement for scenario in plan.scenarios for requirement in scenario.model.requirements)
    return RunStarted(
        run_id=run_id,
        tool=tool(),
        command=tuple(command),
        target=options.target.value,
        reader=options.reader,
        profile=", ".join(plan.profiles),
        seed=options.seed,
        lang=options.lang,
        environment=environment(pcsc=options.target is TargetKind.PCSC),
        inputs=tuple(Input(path=_shown(document.path), sha256=document.sha256) for document in plan.inputs),
        suites=tuple(
            Suite(
                id=suite.model.suite,
                title=suite.model.title.text,
                file=suite.file,
                scenarios=sum(scenario.suite == suite.model.suite for scenario in plan.scenarios),
            )
            for suite in plan.suites
        ),
        requirements=plan.catalogue.cited(cited),
        requirements_total=len(plan.catalogue),
    )


def _verdicts(plan: RunPlan, workshop: Workshop, command: Sequence[str], emit: Emit) -> Iterator[Verdict]:
    if plan.options.workers > 1 and len(plan.scenarios) > 1:
        yield from _spread(plan, command, emit)
        return
    with BenchPool(plan.options, workshop, plan.profiles) as pool:
        for scenario in plan.scenarios:
            bench = pool.get(scenario.bench.profile)
            yield run_scenario(scenario, bench, seed=plan.options.seed, command=command, emit=emit)


# -- several processes ----------------------------------------------------------------------------------------------


def _spread(plan: RunPlan, command: Sequence[str], emit: Emit) -> Iterator[Verdict]:
    """Scenarios over processes, each on benches of its own; the events of one scenario arrive together."""
    options = plan.options
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(options.workers, context, initializer=_open, initargs=(options, plan.profiles)) as pool:
        futures = [pool.submit(_one, scenario, options.seed, tuple(command)) for scenario in plan.scenarios]
        try:
            for future in as_completed(futures):
                verdict, events = future.result()
                for event in events:
                    emit(event)
                yield verdict
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


_pool: BenchPool | None = None


def _open(options: RunOptions, profiles: tuple[str, ...]) -> None:
    global _pool
    _pool = BenchPool(options, Workshop.default(options.keys), profiles)


def _one(scenario: PlannedScenario, seed: int, command: tuple[str, ...]) -> tuple[Verdict, list[Event]]:
    assert _pool is not None  # noqa: S101 - the initializer ran
    events: list[Event] = []
    bench = _pool.get(scenario.bench.profile)
    return run_scenario(scenario, bench, seed=seed, command=command, emit=events.append), events


def default_paths() -> tuple[Path, ...]:
    """The suites that come with the bench."""
    return (Path(__file__).resolve().parents[2] / "scenarios",)
