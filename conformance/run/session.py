"""A whole run: the plan, the identity that opens the record, the scenarios one by one or spread over processes."""

from __future__ import annotations

import gc
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from types import FrameType

from bifente.conformance.bench.base import Bench
from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.choosing import load_readers
from bifente.conformance.bench.factory import BenchPool, BenchUnavailableError
from bifente.conformance.loading import Document, InputError, Problem, load_document, nearest
from bifente.conformance.model import CardChoice
from bifente.conformance.options import RunOptions, TargetKind
from bifente.conformance.requirements import Catalogue, load_catalogue, with_own
from bifente.conformance.run.card_references import CardReferences
from bifente.conformance.run.ending import end_with_parent
from bifente.conformance.run.environment import environment, tool
from bifente.conformance.run.scenario import leave_out, run_scenario, secret_values
from bifente.conformance.scenario.loader import find_suites, load_suite
from bifente.conformance.scenario.plan import PlannedScenario, PlannedSuite
from bifente.conformance.scenario.references import is_reference
from bifente.conformance.sections import NamesProduct
from bifente.ground.clock import WallClock
from bifente.ground.text import Text
from bifente.reports.encoding import Encoder, Line, joined
from bifente.reports.events import Event, Input, RunFinished, RunStarted, Suite, parse_event
from bifente.reports.secrets import Secrets
from bifente.reports.verdict import Verdict

Emit = Callable[[Event], object]
EmitLines = Callable[[Sequence[Line]], object]


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


@contextmanager
def _kept() -> Iterator[None]:
    """What is made inside stays: to look for circles in it again and again takes a sixth of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


_SELDOM = (20_000, 20, 20)
"""When scenarios run: what one leaves goes with its last reference; what goes in circles may wait."""


@contextmanager
def _seldom_collected() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@_kept()
def prepare(options: RunOptions, workshop: Workshop, *, lay_aside: bool = False) -> RunPlan:
    """Read every suite, profile and template a run needs. Raise InputError with all that is wrong.

    With ``lay_aside`` a mistake in one file does not stop the others: the plan tells it, and InputError is raised only
    if nothing is left to run.
    """
    if options.workers > 1:
        _fork_server()
    catalogue = load_catalogue()
    if options.profile is not None:
        load_readers(options.profile)
    suites: list[PlannedSuite] = []
    broken: dict[Path, list[Problem]] = {}
    for path in find_suites(options.paths):
        try:
            suites.append(load_suite(path, catalogue, profile=options.profile, seed=options.seed))
        except InputError as error:
            broken[path] = list(error.problems)
    for suite, problem in _same_names(suites):
        broken.setdefault(Path(suite.file), []).append(problem)
    suites = [suite for suite in suites if Path(suite.file) not in broken]
    meant = [problem for path, found in broken.items() if _meant(path, options.select) for problem in found]
    if meant and not lay_aside:
        raise InputError(meant)
    try:
        scenarios = tuple(_selected(options.select, suites))
    except InputError as error:
        raise InputError([*meant, *error.problems]) from None
    inputs = {document.path: document for suite in suites for document in suite.documents}
    # On a real card a template may tell of another family: what it knows is seen when it is met.
    spoken_of = None if options.readers else CardReferences(workshop)
    wrong: dict[str, list[Problem]] = {}
    for scenario in scenarios:
        try:
            for document in check_bench(scenario, workshop, chosen_profile=options.profile):
                inputs.setdefault(document.path, document)
            if spoken_of is not None:
                spoken_of.check(scenario)
        except InputError as error:
            wrong.setdefault(scenario.suite, []).extend(error.problems)
    problems = list(dict.fromkeys([*meant, *(problem for found in wrong.values() for problem in found)]))
    scenarios = tuple(scenario for scenario in scenarios if scenario.suite not in wrong)
    if problems and not (lay_aside and scenarios):
        raise InputError(problems)
    suites = [suite for suite in suites if suite.model.suite not in wrong]
    own = {one.document.path.resolve(): one for suite in suites for one in suite.catalogues}
    cited = with_own(catalogue, own.values())
    return RunPlan(options, tuple(suites), scenarios, tuple(inputs.values()), cited, tuple(problems))


def _meant(path: Path, patterns: Sequence[str]) -> bool:
    """Whether a file that cannot be used may hold what was selected: so too if even its name cannot be read."""
    if not patterns:
        return True
    try:
        data = load_document(path).data
    except InputError:
        return True
    name = data.get("suite") if isinstance(data, dict) else None
    return not isinstance(name, str) or any(fnmatchcase(name, pattern.partition("/")[0]) for pattern in patterns)


def _same_names(suites: Iterable[PlannedSuite]) -> Iterator[tuple[PlannedSuite, Problem]]:
    seen: dict[str, PlannedSuite] = {}
    for suite in suites:
        other = seen.setdefault(suite.model.suite, suite)
        if other is not suite:
            line, column = suite.documents[0].place(("suite",))
            message = f"the suite {suite.model.suite!r} is also in {other.file}"
            yield suite, Problem(suite.file, line, column, message, "rename one")


def check_bench(
    scenario: PlannedScenario, workshop: Workshop, *, chosen_profile: str | None = None
) -> tuple[Document, ...]:
    """The profile and template files of a scenario. Raises InputError at the place in the suite that names a bad one.

    With a profile chosen for the run, a slot that it lacks is no mistake of the suite: the scenario is not run.
    """
    plan = scenario.bench
    try:
        profile, read = load_readers(plan.profile)
    except InputError as error:
        raise _seen_from(scenario, ("profile",), error) from None
    documents = list(read)
    roles = {slot.role for slot in profile.slots}
    lacking = any(need not in profile.capabilities for need in scenario.model.requires)
    for role, choice in plan.cards.items():
        if role not in roles and chosen_profile is None and not lacking:
            message = f"the reader {plan.profile} has no slot {role!r}"
            raise scenario.document.error(scenario.bench_at("cards", role), message, nearest(role, roles))
        try:
            documents.append(workshop.check(choice))
        except InputError as error:
            raise _seen_from(scenario, ("cards", role), error) from None
    for step in scenario.steps:
        if step.slot is not None and step.slot not in {*roles, *plan.cards} and chosen_profile is None and not lacking:
            message = f"the reader {plan.profile} has no slot {step.slot!r}"
            raise step.document.error((*step.at, "slot"), message, nearest(step.slot, roles))
    return tuple(documents)


def _seen_from(scenario: PlannedScenario, keys: tuple[str, ...], error: InputError) -> InputError:
    line, column = scenario.document.place(scenario.bench_at(*keys))
    return InputError([Problem(scenario.file, line, column, str(problem)) for problem in error.problems])


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


def execute(
    plan: RunPlan,
    workshop: Workshop,
    *,
    run_id: str,
    command: Sequence[str],
    emit: Emit,
    emit_lines: EmitLines | None = None,
    secrets: Secrets | None = None,
) -> list[Verdict]:
    """Run the plan and emit its events. An interruption (KeyboardInterrupt) is recorded, then raised again.

    What scenarios tell comes masked and encoded to `emit_lines`, where it is given (`Recorder.record_lines`). `secrets`
    are those of the record: the codes of the plan's cards and steps are declared to it before anything is told.
    """
    start = time.perf_counter()
    secrets = secrets if secrets is not None else Secrets()
    declare(plan, workshop, secrets)
    emit(_started(plan, run_id, command))
    verdicts: list[Verdict] = []
    interrupted = True
    left = {scenario.id: scenario for scenario in plan.scenarios}
    most = plan.options.max_failures
    try:
        with (
            _interruptible() as check,
            closing(_verdicts(plan, workshop, command, secrets, emit_lines or _read_by(emit))) as told,
        ):
            for scenario, verdict in told:
                verdicts.append(verdict)
                del left[scenario]
                check()
                if most is not None and sum(verdict.bad for verdict in verdicts) >= most:
                    break
        for not_begun in left.values():
            verdicts.append(leave_out(not_begun, _enough(most or 0), command=command, emit=emit))
        interrupted = False
    finally:
        emit(RunFinished(interrupted=interrupted, duration_us=round((time.perf_counter() - start) * 1_000_000)))
    return verdicts


def _enough(most: int) -> Text:
    return Text(f"arrêté après {most} échec(s) (--maxfail)", f"stopped after {most} failure(s) (--maxfail)")


@contextmanager
def _interruptible() -> Iterator[Callable[[], None]]:
    """What it gives raises KeyboardInterrupt if one was asked for and did not come through.

    Python raises it wherever the main thread happens to be: in a callback (a weak reference, the garbage collector)
    it would be dropped, and a run that the user wants to stop would go on to its end.
    """
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    asked = False

    def hear(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        before(number, frame)

    def check() -> None:
        if asked:
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, hear)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)


def _shown(path: Path) -> str:
    """A file as a reader of the report can find it: relative to where the run was started, or to the bench's own."""
    path = path.resolve()
    for prefix, root in (("", Path.cwd()), ("bifente:", Path(__file__).resolve().parents[2])):
        if path.is_relative_to(root):
            return f"{prefix}{path.relative_to(root).as_posix()}"
    return str(path)


def _started(plan: RunPlan, run_id: str, command: Sequence[str]) -> RunStarted:
    options = plan.options
    pcsc = options.target is not TargetKind.EMBEDDED
    service = {"service": options.service.value} if pcsc and not options.readers else {}
    cited = (requirement for scenario in plan.scenarios for requirement in scenario.model.requirements)
    return RunStarted(
        run_id=run_id,
        tool=tool(),
        command=tuple(command),
        target=options.target.value,
        product=_product(plan),
        reader=", ".join(options.readers.values()) or None,
        profile=", ".join(plan.profiles),
        seed=options.seed,
        lang=options.lang,
        environment=environment(pcsc=pcsc, module=options.module) | service | dict(_speeds(plan)),
        inputs=tuple(Input(path=_shown(document.path), sha256=document.sha256) for document in plan.inputs),
        suites=tuple(
            Suite(
                id=suite.model.suite,
                title=suite.model.title.text,
                file=suite.file,
                scenarios=len(selected),
                generated=sum(scenario.generated for scenario in selected),
            )
            for suite in plan.suites
            for selected in [[scenario for scenario in plan.scenarios if scenario.suite == suite.model.suite]]
        ),
        requirements=plan.catalogue.cited(cited),
        requirements_total=len(plan.catalogue),
    )


def _product(plan: RunPlan) -> str | None:
    """The software that the suites name, if they name one and the same."""
    sections = (section for scenario in plan.scenarios for section in scenario.bench.sections)
    named = {section.product for section in sections if isinstance(section, NamesProduct)}
    return named.pop() if len(named) == 1 else None


def _speeds(plan: RunPlan) -> Iterator[tuple[str, str]]:
    """How fast the lines to the cards are, of the readers that do not spare the wait."""
    if plan.options.readers:
        return
    for name in plan.profiles:
        if (speed := load_readers(name)[0].speed) is not None:
            yield f"speed {name}", f"{speed.pace} ({speed.fidelity.value})"


def declare(plan: RunPlan, workshop: Workshop, secrets: Secrets) -> None:
    """Declare what is known to be secret before the run: the codes of its cards, and those written in its steps."""
    secrets.declare(*workshop.secrets(plan.cards))
    for scenario in plan.scenarios:
        for step in scenario.steps:
            given = step.kind.arguments(step.raw)
            secrets.declare(*(value for value in secret_values(step.kind, given) if not is_reference(value)))


def _read_by(emit: Emit) -> EmitLines:
    def read(lines: Sequence[Line]) -> None:
        for line in lines:
            emit(parse_event(joined(0, line)))

    return read


def _verdicts(
    plan: RunPlan,
    workshop: Workshop,
    command: Sequence[str],
    secrets: Secrets,
    emit: EmitLines,
) -> Generator[tuple[str, Verdict], None, None]:
    if plan.options.workers > 1 and len(plan.scenarios) > 1:
        yield from _spread(plan, command, secrets, emit)
        return
    encoder = Encoder(secrets, WallClock().now)
    with _seldom_collected(), BenchPool(plan.options, workshop, plan.profiles) as pool:
        for scenario in plan.scenarios:
            bench = pool.get(scenario.bench.profile)
            verdict = _encoded(scenario, bench, plan.options.seed, command, encoder, lambda line: emit([line]))
            yield scenario.id, verdict


def _encoded(
    scenario: PlannedScenario,
    bench: Bench,
    seed: int,
    command: Sequence[str],
    encoder: Encoder,
    emit: Callable[[Line], object],
) -> Verdict:
    """One scenario with an encoder of its own: what it learns is masked in what it tells, in no other's."""
    own = encoder.own()

    def tell(event: Event) -> None:
        emit(own.encode(event))

    return run_scenario(scenario, bench, seed=seed, command=command, emit=tell, secrets=own.secrets)


# -- several processes ----------------------------------------------------------------------------------------------


def _fork_server() -> ForkServerContext:
    """What workers are forked from, started if it is not there: it gets ready while the suites are still being read."""
    context = multiprocessing.get_context("forkserver")
    # Imported once and not by each process in its turn: that costs a second of processor time a piece.
    context.set_forkserver_preload([__name__, "bifente.conformance.run.preload"])
    forkserver.ensure_running()
    return context


def _spread(
    plan: RunPlan, command: Sequence[str], secrets: Secrets, emit: EmitLines
) -> Generator[tuple[str, Verdict], None, None]:
    """Scenarios over processes, each on benches of its own; the events of one scenario arrive together."""
    context = _fork_server()
    # Written down once, not for each process anew.
    shared = ForkingPickler.dumps((plan.options, plan.profiles, plan.scenarios, tuple(command), secrets)).tobytes()
    workers = ProcessPoolExecutor(plan.options.workers, context, initializer=_open, initargs=(shared,))
    with _seldom_collected(), workers as pool:
        gc.freeze()
        # Not kept: the events of a scenario that is told are of no more use.
        futures = as_completed([pool.submit(_some, indexes) for indexes in _shares(plan)])
        try:
            for future in futures:
                for scenario, verdict, lines in future.result():
                    emit(lines)
                    yield scenario, verdict
        except BrokenProcessPool:
            raise BenchUnavailableError(
                "a process that ran scenarios has died (out of memory?); try again with fewer --workers"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Worker:
    """What one process keeps from one scenario to the next."""

    pool: BenchPool
    seed: int
    scenarios: tuple[PlannedScenario, ...]
    command: tuple[str, ...]
    encoder: Encoder


_worker: _Worker | None = None


def _open(shared: bytes) -> None:
    # Ctrl-C reaches every process of the terminal: the parent ends the run, and the scenario under way ends by itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    gc.freeze()
    gc.set_threshold(*_SELDOM)
    global _worker
    options, profiles, scenarios, command, secrets = ForkingPickler.loads(shared)
    pool = BenchPool(options, Workshop.default(options.keys), profiles)
    _worker = _Worker(pool, options.seed, scenarios, command, Encoder(secrets, WallClock().now))


_MOST_AT_ONCE = 8


def _shares(plan: RunPlan) -> Iterator[range]:
    """What a process is handed at a time: several scenarios where one takes no longer than its errand would."""
    count, quick = len(plan.scenarios), plan.options.target is TargetKind.EMBEDDED
    size = min(_MOST_AT_ONCE, 1 + count // (_MOST_AT_ONCE * plan.options.workers)) if quick else 1
    yield from (range(start, min(start + size, count)) for start in range(0, count, size))


def _some(indexes: range) -> list[tuple[str, Verdict, list[Line]]]:
    return [_one(index) for index in indexes]


def _one(index: int) -> tuple[str, Verdict, list[Line]]:
    assert _worker is not None  # noqa: S101 - the initializer ran
    scenario = _worker.scenarios[index]
    lines: list[Line] = []
    bench = _worker.pool.get(scenario.bench.profile)
    verdict = _encoded(scenario, bench, _worker.seed, _worker.command, _worker.encoder, lines.append)
    return scenario.id, verdict, lines


SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
"""The suites that come with the bench."""
_OF_MODULES = SCENARIOS / "pkcs11"


def default_paths(target: TargetKind | None = None) -> tuple[Path, ...]:
    """The suites that come with the bench; of a target, those whose steps it can do."""
    if target is None:
        return (SCENARIOS,)
    if target is TargetKind.PKCS11:
        return (_OF_MODULES,)
    # The folders of stages alone hold no suite.
    folders = (folder for folder in sorted(SCENARIOS.iterdir()) if folder.is_dir() and folder != _OF_MODULES)
    return tuple(folder for folder in folders if any(not file.name.startswith("_") for file in folder.glob("*.yaml")))
