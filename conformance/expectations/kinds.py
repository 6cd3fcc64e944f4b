"""What kind of value an observation is, so that an expectation which nothing can meet is refused when it is read.

A domain says it in ``observations.yaml`` beside its steps: under ``any`` by the name of the observation, wherever it
stands; under ``steps`` for one step. ``*`` stands for the rest of a name. A kind is one of ``number``, ``truth``,
``text``, ``list``, ``groups`` (of a zone) and ``any``, or the words that the value may be; ``{of: MODULE:ENUM}``
stands for the words of an enumeration, ``and`` beside it for a few more. What a step observes, the step itself says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from typing import Any

from bifente.conformance.expectations.groups import GroupsMatcher
from bifente.conformance.expectations.matchers import Matcher, ValueMatcher
from bifente.conformance.expectations.typed import ObservedKind, TypedMatcher
from bifente.ground.shipped import shipped

FILE = "observations.yaml"
_GROUPS = "groups"


class KindError(Exception):
    """A table of observations that cannot be used: ours, or that of another package."""


@dataclass(frozen=True, slots=True)
class ObservationTable:
    """What one package says of the observations of its steps."""

    package: str
    anywhere: Mapping[str, Any] = field(default_factory=dict)
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def matcher(self, step: str, name: str) -> Matcher | None:
        """Return how an observation of a step is judged; None if nothing is said of it. Raise KindError."""
        said = _said(self.steps.get(step, {}), name)
        said = _said(self.anywhere, name) if said is None else said
        return None if said is None else _matcher(said, f"{self.package}: {step}: {name}")


def typed(step: str, module: str, observes: Mapping[str, Matcher]) -> Mapping[str, Matcher]:
    """Return what a step observes, each plain value with the kind that the table of its package gives it."""
    table = table_of(module)
    if table is None:
        return observes
    return {
        name: (table.matcher(step, name) or matcher) if type(matcher) is ValueMatcher else matcher
        for name, matcher in observes.items()
    }


@cache
def table_of(module: str) -> ObservationTable | None:
    """Return the table of the nearest package above a module that has one."""
    package = module.rpartition(".")[0]
    while package:
        try:
            data = shipped(package, FILE)
        except (FileNotFoundError, ModuleNotFoundError, TypeError):
            package = package.rpartition(".")[0]
            continue
        return ObservationTable(package, data.get("any") or {}, data.get("steps") or {})
    return None


def _said(rows: Mapping[str, Any], name: str) -> Any:
    if name in rows:
        return rows[name]
    return next((kind for pattern, kind in rows.items() if "*" in pattern and fnmatchcase(name, pattern)), None)


def _matcher(said: Any, where: str) -> Matcher:
    if said == _GROUPS:
        return GroupsMatcher()
    if isinstance(said, str):
        try:
            return TypedMatcher(ObservedKind(said))
        except ValueError:
            raise KindError(
                f"{where}: {said!r} is no kind; known: {', '.join(ObservedKind)}, {_GROUPS}, or a list of words"
            ) from None
    if isinstance(said, Mapping):
        said = (*_words(said["of"], where), *(said.get("and") or ()))
    return TypedMatcher(ObservedKind.TEXT, frozenset(map(str, said)))


@cache
def _words(reference: str, where: str) -> Iterable[str]:
    module, _colon, name = reference.partition(":")
    found = getattr(import_module(module), name, None)
    if isinstance(found, type) and issubclass(found, Enum):
        return tuple(str(one.value) if issubclass(found, StrEnum) else one.name for one in found)
    raise KindError(f"{where}: {reference} is no enumeration")
