"""Every suite, profile, template and reference of a run, read and checked before the first scenario."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.choosing import load_readers
from bifente.conformance.loading import Document, InputError, Problem, load_document, nearest
from bifente.conformance.options import RunOptions
from bifente.conformance.requirements import load_catalogue, with_own
from bifente.conformance.run.card_references import CardReferences
from bifente.conformance.run.collecting import kept
from bifente.conformance.run.plan import RunPlan
from bifente.conformance.run.spreading import fork_server
from bifente.conformance.scenario.loader import find_suites, load_suite
from bifente.conformance.scenario.plan import PlannedScenario, PlannedSuite


@kept()
def prepare(options: RunOptions, workshop: Workshop, *, lay_aside: bool = False) -> RunPlan:
    """Read every suite, profile and template a run needs. Raise InputError with all that is wrong.

    With ``lay_aside`` a mistake in one file does not stop the others: the plan tells it, and InputError is raised only
    if nothing is left to run.
    """
    if options.workers > 1:
        fork_server()
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
