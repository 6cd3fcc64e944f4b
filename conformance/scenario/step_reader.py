"""What one step says of itself, checked against its kind: arguments, expectations, captures, references."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from bifente.conformance.expectations import Matcher
from bifente.conformance.expectations.circumstances import COMMON_EXPECTATIONS
from bifente.conformance.loading import Document, InputError, nearest, validate
from bifente.conformance.loading.document import Location
from bifente.conformance.model import Artefact, RawStep, Title
from bifente.conformance.scenario.mistakes import Mistakes
from bifente.conformance.scenario.plan import PlannedArtefact
from bifente.conformance.scenario.references import ROOTS, is_name, malformed, references, root
from bifente.conformance.scenario.step import Step, expectable

BESIDE = ("expect", "should", "artefact", "capture", "slot", "title")
"""What a step may say beside its action."""


class StepReader:
    """Reads the keys of a step one by one; what is wrong is noted among ``mistakes`` and read as not there."""

    def __init__(self, mistakes: Mistakes) -> None:
        self._mistakes = mistakes

    def check_references(self, value: Any, document: Document, at: Location, names: Collection[str]) -> None:
        """Every reference in a value begins with one of these names."""
        if isinstance(value, dict):
            for key, item in value.items():
                self.check_references(item, document, (*at, key), names)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                self.check_references(item, document, (*at, index), names)
        elif isinstance(value, str) and "$" in value:
            if malformed(value):
                self._mistakes.note(
                    document, at, f"{value!r} is no reference, e.g. $card.code", "write $$ for a plain $"
                )
            for reference in references(value):
                if root(reference) not in names:
                    self._mistakes.note(
                        document, at, f"${root(reference)} is not known here", nearest(root(reference), names)
                    )

    def check_arguments(self, kind: type[Step], raw: Any, document: Document, at: Location) -> None:
        """The arguments of an action fit its model, as far as they are known now."""
        arguments = kind.arguments(raw)
        if not isinstance(arguments, dict):
            none = not kind.model_fields
            message = "takes no argument" if none else "takes a mapping of arguments"
            cure = "a slot is named beside it, slot: vitale" if none else _usage(kind)
            self._mistakes.note(document, at, f"{kind.name} {message}", cure)
            return
        try:
            # A value known only at run time is checked then; its place in the model is still checked now.
            validate(kind, arguments, document, at, ignore=lambda loc: _has_reference(arguments, loc))
        except InputError as error:
            self._mistakes.extend(
                replace(problem, message=f"{kind.name}: {problem.message}", cure=problem.cure or _usage(kind))
                for problem in error.problems
            )

    def beside(self, raw: RawStep, key: str, document: Document, at: Location, what: str) -> dict[str, Any]:
        """What stands under a key beside the action: a mapping that says something, or the key is not there."""
        if key not in raw:
            return _NOTHING
        given = raw[key]
        if not (isinstance(given, dict) and given):
            cure = "leave it out, or check the indentation" if given in (None, {}) else ""
            self._mistakes.note(document, (*at, key), f"{key} takes a mapping of {what}", cure)
            return {}
        return dict(given)

    def slot(self, raw: RawStep, document: Document, at: Location) -> str | None:
        """The slot named beside the action."""
        slot = raw.get("slot")
        if "slot" in raw and not isinstance(slot, str):
            self._mistakes.note(document, (*at, "slot"), "slot takes the name of a slot", "e.g. slot: cps")
            return None
        return slot

    def expectations(
        self, kind: type[Step], raw: RawStep, key: str, document: Document, at: Location
    ) -> Mapping[str, Any]:
        """What is expected under ``key``, of what this kind of step observes."""
        given = self.beside(raw, key, document, at, "what is observed to what it should be, e.g. {sw: 9000}")
        self._check_expectations(kind, given, document, (*at, key))
        return given

    def _check_expectations(self, kind: type[Step], given: Mapping[str, Any], document: Document, at: Location) -> None:
        known: dict[str, Matcher] = {**COMMON_EXPECTATIONS, **expectable(kind)}
        for name, expected in given.items():
            matcher = known.get(name)
            if matcher is None:
                self._mistakes.note(
                    document, (*at, name), f"{kind.name} does not let one expect {name!r}", nearest(name, known)
                )
            elif not any(references(expected)) and (complaint := matcher.complaint(expected)):
                self._mistakes.note(document, (*at, name), f"{name}: {complaint}")

    def artefact(self, kind: type[Step], raw: RawStep, document: Document, at: Location) -> PlannedArtefact | None:
        """What is expected behind vpcd instead."""
        if "artefact" not in raw:
            return None
        where = (*at, "artefact")
        try:
            model = validate(Artefact, raw["artefact"], document, where)
        except InputError as error:
            self._mistakes.extend(error.problems)
            return None
        assert model is not None  # noqa: S101 - nothing was ignored
        if "capture" in raw:
            self._mistakes.note(document, where, "a step that captures has no artefact", "what follows needs one value")
        self._check_expectations(kind, model.expect, document, (*where, "expect"))
        return PlannedArtefact(model.expect, model.why.text, model.of)

    def capture(self, kind: type[Step], raw: RawStep, document: Document, at: Location) -> Mapping[str, str]:
        """The names that later steps may use, and the observations they stand for."""
        given = self.beside(raw, "capture", document, at, "new names to observed keys")
        known = expectable(kind)
        for name, observed in given.items():
            if not is_name(name) or name in ROOTS:
                where = (*at, "capture", name)
                self._mistakes.note(
                    document, where, f"a captured value cannot be named {name!r}", "e.g. first-signature"
                )
            if not isinstance(observed, str) or observed not in known:
                self._mistakes.note(
                    document,
                    (*at, "capture", name),
                    f"{kind.name} does not observe {observed!r}",
                    nearest(str(observed), known),
                )
        return given

    def title(self, raw: RawStep, document: Document, at: Location) -> Title | None:
        """The title of the step's own."""
        if "title" not in raw:
            return None
        try:
            return validate(Title, raw["title"], document, (*at, "title"))
        except InputError as error:
            self._mistakes.extend(error.problems)
            return None


_NOTHING: dict[str, Any] = {}
"""What is not there, once for all steps of all suites."""


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
