"""From a YAML file to a suite ready to run; every mistake is found before anything runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bifente.conformance.bench.module import RunningModule
from bifente.conformance.loading import Document, InputError, load_document, nearest, validate
from bifente.conformance.loading.document import Location
from bifente.conformance.loading.located import located
from bifente.conformance.model import BenchModel, RawStep, Scenario, Stage, StageFile, SuiteModel, suite_model
from bifente.conformance.requirements import Catalogue, OwnCatalogue, load_own, with_own
from bifente.conformance.scenario.matrix import MatrixError, Spread, spread, substituted
from bifente.conformance.scenario.mistakes import Mistakes
from bifente.conformance.scenario.plan import PlannedScenario, PlannedStep, PlannedSuite
from bifente.conformance.scenario.references import ROOTS, BadReferenceError, card_role, references
from bifente.conformance.scenario.step_reader import BESIDE, StepReader
from bifente.conformance.scenario.steps import steps
from bifente.ground.fidelity import Fidelity
from bifente.reports.events import Phase

DEFAULT_PROFILE = "readers/generic-bislot"
"""The reader of a suite that names none."""
SUFFIXES = (".yaml", ".yml")
"""How the name of a suite file ends."""

_BESIDE_ALREADY = frozenset({"include"})
_MAX_STAGE_DEPTH = 8
_PLANNED = {"bench", "matrix", *(phase.value for phase in Phase)}
# The same for all scenarios of all suites.
_AS_PLANNED: set[str] = set()
_NOTHING_LEFT: Mapping[str, Any] = {name: None if name in ("bench", "matrix") else [] for name in _PLANNED}


def load_suite(path: Path, catalogue: Catalogue, *, profile: str | None = None, seed: int = 1) -> PlannedSuite:
    """Read and check one suite. ``profile`` replaces the suite's own, ``seed`` chooses among the rows of a matrix that
    is combined pairwise. Raises InputError with every problem.
    """
    return _Loader(located(load_document(path), apart_from=_BESIDE_ALREADY), catalogue, profile, seed).suite()


def find_suites(paths: Sequence[Path]) -> list[Path]:
    """The suite files under the given files and folders, sorted. Raises InputError for a path with none.

    In a folder, a file whose name begins with ``_`` is passed over: it holds stages for other files to include.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            files = [file for file in sorted(path.rglob("*")) if _is_suite(file)]
            if not files:
                raise InputError.at(
                    str(path), "holds no scenario file", cure="suites are *.yaml files whose name does not begin with _"
                )
            found.extend(files)
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def _is_suite(path: Path) -> bool:
    return path.suffix in SUFFIXES and not path.name.startswith("_") and path.is_file()


@dataclass(slots=True)
class _Scope:
    """The names a reference may start with, as the reading goes on."""

    names: set[str] = field(default_factory=set)
    via: str | None = None
    bindings: Mapping[str, Any] = field(default_factory=dict)
    slot: str | None = None
    depth: int = 0
    matrix: Mapping[str, Any] = field(default_factory=dict)


class _Loader:
    def __init__(self, document: Document, catalogue: Catalogue, profile: str | None, seed: int) -> None:
        self._document = document
        self._catalogue = catalogue
        self._profile = profile
        self._seed = seed
        self._documents = [document]
        self._mistakes = Mistakes()
        self._reader = StepReader(self._mistakes)
        self._stages: dict[str, tuple[Document, Location, Stage]] = {}

    def suite(self) -> PlannedSuite:
        model = validate(suite_model(), self._document.data, self._document)
        assert model is not None  # noqa: S101 - nothing was ignored
        self._collect_stages(model)
        catalogues = self._own_catalogues(model)
        # A large suite is not held twice: what is read goes once it is validated, what is validated once it is planned.
        for document in self._documents:
            document.forget_data()
        written = deque(model.scenarios)
        model.scenarios.clear()
        scenarios: list[PlannedScenario] = []
        for index in range(len(written)):
            scenarios.extend(self._scenario(model, written.popleft(), ("scenarios", index)))
        self._mistakes.check()
        plain = model.model_copy(update={"stages": {}})
        return PlannedSuite(plain, tuple(self._documents), tuple(scenarios), catalogues)

    def _own_catalogues(self, model: SuiteModel) -> tuple[OwnCatalogue, ...]:
        found: list[OwnCatalogue] = []
        for index, name in enumerate(model.catalogues):
            try:
                own = load_own(self._document.path.parent / name)
                self._catalogue = with_own(self._catalogue, [own])
            except InputError as error:
                self._mistakes.note(self._document, ("catalogues", index), f"catalogues: {error.problems[0]}")
                continue
            found.append(own)
            self._documents.append(own.document)
        return tuple(found)

    def _collect_stages(self, model: SuiteModel) -> None:
        for index, name in enumerate(model.include):
            try:
                document = located(load_document(self._document.path.parent / name))
            except InputError as error:
                self._mistakes.note(self._document, ("include", index), f"include: {error.problems[0]}")
                continue
            self._documents.append(document)
            try:
                included = validate(StageFile, document.data, document)
            except InputError as error:
                self._mistakes.extend(error.problems)
                continue
            assert included is not None  # noqa: S101 - nothing was ignored
            self._add_stages(included.stages, document)
        self._add_stages(model.stages, self._document)

    def _add_stages(self, stages: Mapping[str, Stage], document: Document) -> None:
        for name, stage in stages.items():
            if name in self._stages:
                self._mistakes.note(document, ("stages", name), f"two stages bear the name {name!r}", "rename one")
            self._stages[name] = (document, ("stages", name), stage)

    def _scenario(self, suite: SuiteModel, scenario: Scenario, at: Location) -> Iterator[PlannedScenario]:
        for index, requirement in enumerate(scenario.requirements):
            if requirement not in self._catalogue:
                self._mistakes.note(
                    self._document,
                    (*at, "requirements", index),
                    f"the catalogue has no requirement {requirement!r}",
                    nearest(requirement, self._catalogue),
                )
        rows = self._spread(suite, scenario, at)
        if not rows:
            return
        # Without axes of its own, what a scenario does is the same on every bench.
        once = self._steps(scenario, at, rows[0]) if scenario.matrix is None else None
        # The model with the sections of domains is made when a suite is read: no other process knows that class.
        # Its steps are planned beside it.
        kept = {name: value for name, value in scenario if name not in _PLANNED}
        plain = Scenario.model_construct(_AS_PLANNED, **kept, **_NOTHING_LEFT)
        for index, row in enumerate(rows):
            steps = once if once is not None else self._steps(scenario, at, row)
            yield PlannedScenario(
                id=f"{suite.suite}/{scenario.id}{row.label}",
                suite=suite.suite,
                model=plain,
                fidelity=Fidelity.weakest(
                    [scenario.fidelity or suite.fidelity, *self._catalogue.grounds(scenario.requirements)]
                ),
                requires=frozenset((*suite.requires, *scenario.requires)),
                bench=row.bench,
                steps=steps,
                document=self._document,
                at=at,
                generated=index > 0,
            )

    def _spread(self, suite: SuiteModel, scenario: Scenario, at: Location) -> list[Spread]:
        bench = _merged(suite.bench, scenario.bench)
        try:
            return spread(
                bench,
                scenario.matrix,
                default=DEFAULT_PROFILE,
                profile=self._profile,
                seed=f"{self._seed}/{suite.suite}/{scenario.id}",
            )
        except (MatrixError, BadReferenceError) as error:
            where = (*at, "matrix") if scenario.matrix is not None else at
            self._mistakes.note(self._document, where, str(error), getattr(error, "cure", ""))
            return []

    def _steps(self, scenario: Scenario, at: Location, row: Spread) -> tuple[PlannedStep, ...]:
        scope = _Scope(names=set(ROOTS), matrix=row.values)
        steps = [
            step
            for phase in Phase
            for index, raw in enumerate(getattr(scenario, phase.value))
            for step in self._step(raw, self._document, (*at, phase.value, index), phase, scope)
        ]
        if scenario.judges is None and any(RunningModule in step.kind.needs for step in steps):
            self._mistakes.note(
                self._document, at, "its steps speak PKCS#11: who is judged?", "judges: card, module or host"
            )
        roles = row.bench.cards
        if not roles and any(step.kind.of_a_card for step in steps):
            self._mistakes.note(self._document, at, "no card is in any slot", "e.g. bench: {cards: {cps: infirmier}}")
        for step in steps:
            if step.slot is not None and step.slot not in roles and step.kind.of_a_card:
                self._mistakes.note(
                    step.document, (*step.at, "slot"), f"no card is in a slot {step.slot!r}", nearest(step.slot, roles)
                )
            for reference in references((step.raw, step.expect, step.should, step.bindings)):
                if (role := card_role(reference)) is not None and role not in roles:
                    self._mistakes.note(
                        step.document, step.at, f"${reference}: no card is in a slot {role!r}", nearest(role, roles)
                    )
        return tuple(steps)

    def _step(
        self, raw: RawStep, document: Document, at: Location, phase: Phase, scope: _Scope
    ) -> Iterator[PlannedStep]:
        try:
            raw = substituted(raw, scope.matrix)
        except BadReferenceError as error:
            self._mistakes.note(document, at, str(error), "an axis of the matrix")
            return
        names = [key for key in raw if key not in BESIDE and not (key == "with" and "use" in raw)]
        if len(names) != 1:
            what = "says nothing to do" if not names else f"says several things to do ({', '.join(names)})"
            unknown = next((name for name in names if name not in steps() and name != "use"), None)
            cure = nearest(unknown, [*steps(), *BESIDE]) if unknown else "one step has one action, and expect beside it"
            self._mistakes.note(document, (*at, unknown) if unknown else at, f"a step {what}", cure)
            return
        name = names[0]
        if name == "use":
            yield from self._use(raw, document, at, phase, scope)
            return
        kind = steps().get(name)
        if kind is None:
            self._mistakes.note(document, (*at, name), f"unknown step {name!r}", nearest(name, [*steps(), "use"]))
            return
        self._reader.check_references(raw, document, at, scope.names)
        self._reader.check_arguments(kind, raw[name], document, (*at, name))
        expect = self._reader.expectations(kind, raw, "expect", document, at)
        should = self._reader.expectations(kind, raw, "should", document, at)
        artefact = self._reader.artefact(kind, raw, document, at)
        capture = self._reader.capture(kind, raw, document, at)
        scope.names |= set(capture)
        title = self._reader.title(raw, document, at)
        yield PlannedStep(
            kind=kind,
            raw=raw[name],
            expect=expect,
            should=should,
            artefact=artefact,
            capture=capture,
            slot=self._reader.slot(raw, document, at) or scope.slot,
            title=title.text if title else None,
            phase=phase,
            via=scope.via,
            bindings=scope.bindings,
            document=document,
            at=at,
        )

    def _use(
        self, raw: RawStep, document: Document, at: Location, phase: Phase, scope: _Scope
    ) -> Iterator[PlannedStep]:
        for key in BESIDE:
            if key in raw and key != "slot":
                self._mistakes.note(
                    document, (*at, key), f"{key} does not go with use: it belongs to a step of the stage"
                )
        name = str(raw["use"])
        if name not in self._stages:
            self._mistakes.note(document, (*at, "use"), f"unknown stage {name!r}", nearest(name, self._stages))
            return
        if scope.depth >= _MAX_STAGE_DEPTH:
            self._mistakes.note(
                document, at, f"stages are nested deeper than {_MAX_STAGE_DEPTH}", "does a stage use itself?"
            )
            return
        stage_document, stage_at, stage = self._stages[name]
        given = self._reader.beside(raw, "with", document, at, "stage parameters to values")
        for extra in sorted(set(given) - set(stage.parameters)):
            self._mistakes.note(
                document,
                (*at, "with", extra),
                f"the stage {name!r} has no parameter {extra!r}",
                nearest(extra, stage.parameters),
            )
        for missing in sorted(set(stage.parameters) - set(given)):
            self._mistakes.note(document, at, f"the stage {name!r} needs the parameter {missing!r}")
        self._reader.check_references(given, document, (*at, "with"), scope.names)
        # The caller's own bindings stay visible through the values it passes on.
        inner = _Scope(
            names={*scope.names, *stage.parameters},
            via=name,
            bindings={**scope.bindings, **given},
            slot=self._reader.slot(raw, document, at) or scope.slot,
            depth=scope.depth + 1,
            matrix=scope.matrix,
        )
        for index, step in enumerate(stage.steps):
            yield from self._step(step, stage_document, (*stage_at, "steps", index), phase, inner)
        scope.names |= inner.names - set(stage.parameters)


def _merged(suite: BenchModel, own: BenchModel | None) -> BenchModel:
    """The bench of a scenario: what it says itself, else what its suite says; cards are added to the suite's."""
    if own is None:
        return suite
    said = {name: getattr(own, name) for name in own.model_fields_set if getattr(own, name) is not None}
    # Whoever names other readers means them instead of the suite's, whichever way either is written.
    before = {name: value for name, value in suite if not ({"profile", "readers"} & said.keys() and name in _DEVICES)}
    cards = {**(suite.cards or {}), **(own.cards or {})}
    return type(suite).model_construct(**{**before, **said, "cards": cards})


_DEVICES = ("profile", "readers")
