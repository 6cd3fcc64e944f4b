"""From a YAML file to a suite ready to run; every mistake is found before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from conformance.expectations import Matcher
from conformance.expectations.circumstances import COMMON_EXPECTATIONS
from conformance.loading import Document, InputError, Problem, load_document, nearest, validate
from conformance.loading.document import Location
from conformance.model import Artefact, BenchModel, RawStep, Scenario, Stage, StageFile, Suite, Title
from conformance.requirements import Catalogue
from conformance.scenario.matrix import MatrixError, Spread, spread, substituted
from conformance.scenario.plan import PlannedArtefact, PlannedScenario, PlannedStep, PlannedSuite
from conformance.scenario.references import BadReferenceError, card_role, is_name, malformed, references, root
from conformance.steps import STEPS, Step
from conformance.steps.base import expectable
from conformance.targets.base import Capability
from reports.events import Phase
from reports.fidelity import Fidelity

DEFAULT_PROFILE = "readers/generic-bislot"
"""The reader of a suite that names none."""
SUFFIXES = (".yaml", ".yml")
"""How the name of a suite file ends."""

_BESIDE = ("expect", "should", "artefact", "capture", "slot", "title")
_MAX_STAGE_DEPTH = 8
CARDS = ("card", "cards")
"""What a reference to what is known of a card begins with."""
ROOTS = (*CARDS, "faults")
"""What a reference may always begin with."""


def load_suite(path: Path, catalogue: Catalogue, *, profile: str | None = None, seed: int = 1) -> PlannedSuite:
    """Read and check one suite. ``profile`` replaces the suite's own, ``seed`` chooses among the rows of a matrix that
    is combined pairwise. Raises InputError with every problem.
    """
    return _Loader(load_document(path), catalogue, profile, seed).suite()


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
        self._problems: list[Problem] = []
        self._stages: dict[str, tuple[Document, Location, Stage]] = {}

    def suite(self) -> PlannedSuite:
        model = validate(Suite, self._document.data, self._document)
        assert model is not None  # noqa: S101 - nothing was ignored
        self._collect_stages(model)
        scenarios = [
            planned
            for index, scenario in enumerate(model.scenarios)
            for planned in self._scenario(model, scenario, ("scenarios", index))
        ]
        if self._problems:
            # A stage used twice, a step on every bench of a matrix: each mistake is told once.
            raise InputError(list(dict.fromkeys(self._problems)))
        return PlannedSuite(model, tuple(self._documents), tuple(scenarios))

    def _complain(self, document: Document, at: Location, message: str, cure: str = "") -> None:
        line, column = document.place(at)
        self._problems.append(Problem(str(document.path), line, column, message, cure))

    def _collect_stages(self, model: Suite) -> None:
        for index, name in enumerate(model.include):
            try:
                document = load_document(self._document.path.parent / name)
            except InputError as error:
                self._complain(self._document, ("include", index), f"include: {error.problems[0]}")
                continue
            self._documents.append(document)
            try:
                included = validate(StageFile, document.data, document)
            except InputError as error:
                self._problems.extend(error.problems)
                continue
            assert included is not None  # noqa: S101 - nothing was ignored
            self._add_stages(included.stages, document)
        self._add_stages(model.stages, self._document)

    def _add_stages(self, stages: Mapping[str, Stage], document: Document) -> None:
        for name, stage in stages.items():
            if name in self._stages:
                self._complain(document, ("stages", name), f"two stages bear the name {name!r}", "rename one")
            self._stages[name] = (document, ("stages", name), stage)

    def _scenario(self, suite: Suite, scenario: Scenario, at: Location) -> Iterator[PlannedScenario]:
        for index, requirement in enumerate(scenario.requirements):
            if requirement not in self._catalogue:
                self._complain(
                    self._document,
                    (*at, "requirements", index),
                    f"the catalogue has no requirement {requirement!r}",
                    nearest(requirement, self._catalogue),
                )
        rows = self._spread(suite, scenario, at)
        if not rows:
            return
        if not rows[0].bench.cards:
            self._complain(self._document, at, "no card is in any slot", "e.g. bench: {cards: {cps: infirmier}}")
        # Without axes of its own, what a scenario does is the same on every bench.
        once = self._steps(scenario, at, rows[0]) if scenario.matrix is None else None
        for index, row in enumerate(rows):
            steps = once if once is not None else self._steps(scenario, at, row)
            yield PlannedScenario(
                id=f"{suite.suite}/{scenario.id}{row.label}",
                suite=suite.suite,
                model=scenario,
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

    def _spread(self, suite: Suite, scenario: Scenario, at: Location) -> list[Spread]:
        own = scenario.bench or BenchModel()
        bench = BenchModel(
            profile=own.profile or suite.bench.profile, cards={**(suite.bench.cards or {}), **(own.cards or {})}
        )
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
            self._complain(self._document, where, str(error), getattr(error, "cure", ""))
            return []

    def _steps(self, scenario: Scenario, at: Location, row: Spread) -> tuple[PlannedStep, ...]:
        scope = _Scope(names=set(ROOTS), matrix=row.values)
        steps = [
            step
            for phase in Phase
            for index, raw in enumerate(getattr(scenario, phase.value))
            for step in self._step(raw, self._document, (*at, phase.value, index), phase, scope)
        ]
        if scenario.judges is None and any(Capability.PKCS11 in step.kind.needs for step in steps):
            self._complain(
                self._document, at, "its steps speak PKCS#11: who is judged?", "judges: card, module or host"
            )
        roles = row.bench.cards
        for step in steps:
            if step.slot is not None and step.slot not in roles:
                self._complain(
                    step.document, (*step.at, "slot"), f"no card is in a slot {step.slot!r}", nearest(step.slot, roles)
                )
            for reference in references((step.raw, step.expect, step.should, step.bindings)):
                if (role := card_role(reference)) is not None and role not in roles:
                    self._complain(
                        step.document, step.at, f"${reference}: no card is in a slot {role!r}", nearest(role, roles)
                    )
        return tuple(steps)

    def _step(
        self, raw: RawStep, document: Document, at: Location, phase: Phase, scope: _Scope
    ) -> Iterator[PlannedStep]:
        try:
            raw = substituted(raw, scope.matrix)
        except BadReferenceError as error:
            self._complain(document, at, str(error), "an axis of the matrix")
            return
        names = [key for key in raw if key not in _BESIDE and not (key == "with" and "use" in raw)]
        if len(names) != 1:
            what = "says nothing to do" if not names else f"says several things to do ({', '.join(names)})"
            unknown = next((name for name in names if name not in STEPS and name != "use"), None)
            cure = nearest(unknown, [*STEPS, *_BESIDE]) if unknown else "one step has one action, and expect beside it"
            self._complain(document, (*at, unknown) if unknown else at, f"a step {what}", cure)
            return
        name = names[0]
        if name == "use":
            yield from self._use(raw, document, at, phase, scope)
            return
        kind = STEPS.get(name)
        if kind is None:
            self._complain(document, (*at, name), f"unknown step {name!r}", nearest(name, [*STEPS, "use"]))
            return
        self._check_references(raw, document, at, scope)
        self._check_arguments(kind, raw[name], document, (*at, name))
        expect = self._expectations(kind, raw, "expect", document, at)
        should = self._expectations(kind, raw, "should", document, at)
        artefact = self._artefact(kind, raw, document, at)
        capture = self._capture(kind, raw, document, at)
        scope.names |= set(capture)
        title = self._title(raw, document, at)
        yield PlannedStep(
            kind=kind,
            raw=raw[name],
            expect=expect,
            should=should,
            artefact=artefact,
            capture=capture,
            slot=self._slot(raw, document, at) or scope.slot,
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
        for key in _BESIDE:
            if key in raw and key != "slot":
                self._complain(document, (*at, key), f"{key} does not go with use: it belongs to a step of the stage")
        name = str(raw["use"])
        if name not in self._stages:
            self._complain(document, (*at, "use"), f"unknown stage {name!r}", nearest(name, self._stages))
            return
        if scope.depth >= _MAX_STAGE_DEPTH:
            self._complain(
                document, at, f"stages are nested deeper than {_MAX_STAGE_DEPTH}", "does a stage use itself?"
            )
            return
        stage_document, stage_at, stage = self._stages[name]
        given = self._beside(raw, "with", document, at, "stage parameters to values")
        for extra in sorted(set(given) - set(stage.parameters)):
            self._complain(
                document,
                (*at, "with", extra),
                f"the stage {name!r} has no parameter {extra!r}",
                nearest(extra, stage.parameters),
            )
        for missing in sorted(set(stage.parameters) - set(given)):
            self._complain(document, at, f"the stage {name!r} needs the parameter {missing!r}")
        self._check_references(given, document, (*at, "with"), scope)
        # The caller's own bindings stay visible through the values it passes on.
        inner = _Scope(
            names={*scope.names, *stage.parameters},
            via=name,
            bindings={**scope.bindings, **given},
            slot=self._slot(raw, document, at) or scope.slot,
            depth=scope.depth + 1,
            matrix=scope.matrix,
        )
        for index, step in enumerate(stage.steps):
            yield from self._step(step, stage_document, (*stage_at, "steps", index), phase, inner)
        scope.names |= inner.names - set(stage.parameters)

    def _check_references(self, value: Any, document: Document, at: Location, scope: _Scope) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                self._check_references(item, document, (*at, key), scope)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                self._check_references(item, document, (*at, index), scope)
        else:
            if malformed(value):
                self._complain(document, at, f"{value!r} is no reference, e.g. $card.code", "write $$ for a plain $")
            for reference in references(value):
                if root(reference) not in scope.names:
                    self._complain(
                        document, at, f"${root(reference)} is not known here", nearest(root(reference), scope.names)
                    )

    def _check_arguments(self, kind: type[Step], raw: Any, document: Document, at: Location) -> None:
        arguments = kind.arguments(raw)
        if not isinstance(arguments, dict):
            self._complain(document, at, f"{kind.name} takes a mapping of arguments", _usage(kind))
            return
        try:
            # A value known only at run time is checked then; its place in the model is still checked now.
            validate(kind, arguments, document, at, ignore=lambda loc: _has_reference(arguments, loc))
        except InputError as error:
            self._problems.extend(
                replace(problem, message=f"{kind.name}: {problem.message}", cure=problem.cure or _usage(kind))
                for problem in error.problems
            )

    def _beside(self, raw: RawStep, key: str, document: Document, at: Location, what: str) -> dict[str, Any]:
        """What stands under a key beside the action: a mapping that says something, or the key is not there."""
        given = raw.get(key, {})
        if key in raw and not (isinstance(given, dict) and given):
            cure = "leave it out, or check the indentation" if given in (None, {}) else ""
            self._complain(document, (*at, key), f"{key} takes a mapping of {what}", cure)
            return {}
        return dict(given)

    def _slot(self, raw: RawStep, document: Document, at: Location) -> str | None:
        slot = raw.get("slot")
        if "slot" in raw and not isinstance(slot, str):
            self._complain(document, (*at, "slot"), "slot takes the name of a slot", "e.g. slot: cps")
            return None
        return slot

    def _expectations(
        self, kind: type[Step], raw: RawStep, key: str, document: Document, at: Location
    ) -> Mapping[str, Any]:
        given = self._beside(raw, key, document, at, "what is observed to what it should be, e.g. {sw: 9000}")
        self._check_expectations(kind, given, document, (*at, key))
        return given

    def _check_expectations(self, kind: type[Step], given: Mapping[str, Any], document: Document, at: Location) -> None:
        known: dict[str, Matcher] = {**COMMON_EXPECTATIONS, **expectable(kind)}
        for name, expected in given.items():
            matcher = known.get(name)
            if matcher is None:
                self._complain(
                    document, (*at, name), f"{kind.name} does not let one expect {name!r}", nearest(name, known)
                )
            elif not any(references(expected)) and (complaint := matcher.complaint(expected)):
                self._complain(document, (*at, name), f"{name}: {complaint}")

    def _artefact(self, kind: type[Step], raw: RawStep, document: Document, at: Location) -> PlannedArtefact | None:
        if "artefact" not in raw:
            return None
        where = (*at, "artefact")
        try:
            model = validate(Artefact, raw["artefact"], document, where)
        except InputError as error:
            self._problems.extend(error.problems)
            return None
        assert model is not None  # noqa: S101 - nothing was ignored
        if "capture" in raw:
            self._complain(document, where, "a step that captures has no artefact", "what follows needs one value")
        self._check_expectations(kind, model.expect, document, (*where, "expect"))
        return PlannedArtefact(model.expect, model.why.text)

    def _capture(self, kind: type[Step], raw: RawStep, document: Document, at: Location) -> Mapping[str, str]:
        given = self._beside(raw, "capture", document, at, "new names to observed keys")
        known = expectable(kind)
        for name, observed in given.items():
            if not is_name(name) or name in ROOTS:
                where = (*at, "capture", name)
                self._complain(document, where, f"a captured value cannot be named {name!r}", "e.g. first-signature")
            if not isinstance(observed, str) or observed not in known:
                self._complain(
                    document,
                    (*at, "capture", name),
                    f"{kind.name} does not observe {observed!r}",
                    nearest(str(observed), known),
                )
        return given

    def _title(self, raw: RawStep, document: Document, at: Location) -> Title | None:
        if "title" not in raw:
            return None
        try:
            return validate(Title, raw["title"], document, (*at, "title"))
        except InputError as error:
            self._problems.extend(error.problems)
            return None


def _has_reference(arguments: Any, location: Location) -> bool:
    value = arguments
    for part in location:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            break
    return value is not arguments and any(references(value))


def _usage(kind: type[BaseModel]) -> str:
    names = [info.alias or name for name, info in kind.model_fields.items()]
    return f"arguments: {', '.join(names)}" if names else "it takes no argument"
