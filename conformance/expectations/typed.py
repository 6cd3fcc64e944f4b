"""A plain value of a known kind: what could never be observed is refused when it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bifente.conformance.expectations.matchers import ValueMatcher
from bifente.conformance.loading.problems import nearest


class ObservedKind(StrEnum):
    """The kinds of a plain value."""

    NUMBER = "number"
    TRUTH = "truth"
    TEXT = "text"
    LIST = "list"
    ANY = "any"


def _is_number(value: Any) -> bool:
    return type(value) is int or (isinstance(value, str) and value.lstrip("-").isdigit())


_FITS: Mapping[ObservedKind, Callable[[Any], bool]] = {
    ObservedKind.NUMBER: _is_number,
    ObservedKind.TRUTH: lambda value: isinstance(value, bool),
    ObservedKind.TEXT: lambda value: not isinstance(value, bool | list | tuple | Mapping),
    ObservedKind.LIST: lambda value: isinstance(value, list | tuple),
    ObservedKind.ANY: lambda value: value is not None,
}
_SAID: Mapping[ObservedKind, str] = {
    ObservedKind.NUMBER: "a number, e.g. 3",
    ObservedKind.TRUTH: "true or false",
    ObservedKind.TEXT: "a text",
    ObservedKind.LIST: "a list, e.g. [a, b], or {contains: a}",
    ObservedKind.ANY: "a value",
}
_TESTS: Mapping[ObservedKind, frozenset[str]] = {
    ObservedKind.NUMBER: frozenset({"present", "one-of", "not", "at-least", "at-most", "pattern"}),
    ObservedKind.TRUTH: frozenset({"present", "one-of", "not"}),
    ObservedKind.TEXT: frozenset({"present", "one-of", "not", "pattern", "contains"}),
    ObservedKind.LIST: frozenset({"present", "one-of", "not", "contains"}),
    ObservedKind.ANY: frozenset({"present", "one-of", "not", "pattern", "contains", "at-least", "at-most"}),
}
_SCALAR: Mapping[ObservedKind, Mapping[str, Any]] = {
    ObservedKind.NUMBER: {"type": ["integer", "string"], "pattern": "^-?[0-9]+$"},
    ObservedKind.TRUTH: {"type": "boolean"},
    ObservedKind.TEXT: {"type": ["string", "integer"]},
    ObservedKind.LIST: {"type": "array"},
    ObservedKind.ANY: {"type": ["string", "integer", "boolean", "array"]},
}


@dataclass(frozen=True, slots=True)
class TypedMatcher(ValueMatcher):
    """A value of one kind, or one of a few words, or a test that such a value can meet."""

    kind: ObservedKind = ObservedKind.TEXT
    words: frozenset[str] = frozenset()

    @property
    def schema(self) -> dict[str, Any]:
        """A value of the kind, or a mapping of the tests that go with it."""
        one = {"enum": sorted(self.words)} if self.words else dict(_SCALAR[self.kind])
        item = {"anyOf": [one, {"type": "string", "pattern": r"^\$"}]}
        given: dict[str, Any] = {
            "one-of": {"type": "array", "items": item, "minItems": 1},
            "not": item,
            "present": {"type": "boolean"},
        }
        tests = {
            "type": "object",
            "properties": {test: given.get(test, {}) for test in sorted(_TESTS[self.kind])},
            "additionalProperties": False,
            "minProperties": 1,
        }
        return {"anyOf": [one, tests]}

    def complaint(self, expected: Any) -> str | None:
        """Says what kind of value is observed, where another is written."""
        if complaint := ValueMatcher.complaint(self, expected):
            return complaint
        if isinstance(expected, Mapping) and (strange := sorted(set(expected) - _TESTS[self.kind])):
            known = ", ".join(sorted(_TESTS[self.kind]))
            return f"{strange[0]} does not go with {_SAID[self.kind]}; these do: {known}"
        for value in _values(expected):
            if not _FITS[self.kind](value):
                return f"{_shown(value)} can never be observed: {_SAID[self.kind]} is"
            if self.words and str(value) not in self.words:
                return f"{value!r} can never be observed; {nearest(str(value), self.words)}"
        return None


def _values(expected: Any) -> Iterator[Any]:
    if not isinstance(expected, Mapping):
        yield expected
        return
    choices: Iterable[Any] = expected.get("one-of", ())
    yield from choices
    if "not" in expected:
        yield expected["not"]


def _shown(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
