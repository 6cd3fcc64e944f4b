"""What an SSV function may be expected to answer: its return code, and the groups and fields of its zone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from bifente.conformance.expectations.groups import GroupsMatcher
from bifente.conformance.expectations.matchers import Matcher, ValueMatcher
from bifente.conformance.loading.problems import nearest
from bifente.simulator.middleware.return_codes import readings, return_codes
from bifente.simulator.zones import GROUPS, Group, named

__all__ = ["FieldsMatcher", "GroupsMatcher", "SsvCodeMatcher", "code_in_words", "code_of", "found_at"]

_CODE_EXAMPLE = "a number (0, 61457), its hexadecimal form (F011) or its name (vitale-absent)"


def code_of(word: Any) -> int:
    """The return code that a word of a scenario stands for. Raises ValueError, in words."""
    if isinstance(word, bool) or not isinstance(word, int | str):
        raise ValueError(f"{word!r} is no return code: {_CODE_EXAMPLE}")
    text = str(word)
    by_name = _by_name()
    if text in by_name:
        return by_name[text]
    try:
        found = [number for number in readings(text) if number in return_codes()]
    except ValueError:
        raise ValueError(f"{word!r} is no return code: {_CODE_EXAMPLE}; {nearest(text, by_name)}") from None
    if len(found) > 1:
        raise ValueError(f"{word!r} may be {found[0]:04X} or {found[1]:04X}: write 0x{found[0]:04X}, or the name")
    if not found:
        raise ValueError(f"no source tells of the return code {word!r}: {_CODE_EXAMPLE}")
    return found[0]


@cache
def _by_name() -> Mapping[str, int]:
    return {known.id: code for code, known in return_codes().items()}


def code_in_words(code: int) -> str:
    """``F011 vitale-absent``."""
    known = return_codes().get(code)
    return f"{code:04X} {known.id}" if known else f"{code:04X}"


@dataclass(frozen=True, slots=True)
class SsvCodeMatcher:
    """A return code, or a list of which one must fit."""

    @property
    def schema(self) -> dict[str, Any]:
        """A number or a word, or a list of them."""
        one = {"type": ["string", "integer"]}
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}

    def complaint(self, expected: Any) -> str | None:
        """Says which word is no return code."""
        words = _listed(expected)
        if not words:
            return "an empty list fits nothing"
        try:
            for word in words:
                code_of(word)
        except ValueError as error:
            return str(error)
        return None

    def meets(self, expected: Any, observed: Any) -> bool:
        """``observed`` is the number."""
        return observed in [code_of(word) for word in _listed(expected)]

    def show(self, expected: Any) -> str:
        """``F011 vitale-absent``."""
        return " or ".join(code_in_words(code_of(word)) for word in _listed(expected))

    def show_observed(self, observed: Any) -> str:
        """The same of what came."""
        return code_in_words(observed)


@dataclass(frozen=True, slots=True)
class FieldsMatcher:
    """Fields by group and name: ``{101.nir: ..., 104.2.first-name: ...}``, the second number being the occurrence.

    Without one, a group that comes several times gives the list of its values. An empty field is the empty text.
    """

    value: Matcher = field(default_factory=ValueMatcher)

    @property
    def schema(self) -> dict[str, Any]:
        """A mapping of fields to values or tests."""
        return {
            "type": "object",
            "propertyNames": {"pattern": r"^[0-9]+\.([0-9]+\.)?[a-z0-9-]+$"},
            "additionalProperties": self.value.schema,
            "minProperties": 1,
        }

    def complaint(self, expected: Any) -> str | None:
        """Says which field no group has."""
        if not isinstance(expected, Mapping) or not expected:
            return "a mapping of fields to values is needed, e.g. {101.card-type: T}"
        for place, value in expected.items():
            try:
                _place(place)
            except ValueError as error:
                return str(error)
            if complaint := self.value.complaint(value):
                return f"{place}: {complaint}"
        return None

    def meets(self, expected: Any, observed: Any) -> bool:
        """``observed`` are the groups; None if the zone is no chain of groups."""
        return observed is not None and all(
            self.value.meets(value, found_at(place, observed)) for place, value in expected.items()
        )

    def show(self, expected: Any) -> str:
        """``101.card-type T``."""
        return ", ".join(f"{place} {self.value.show(value) or '(empty)'}" for place, value in expected.items())

    def show_observed(self, observed: Any) -> str:
        """Every field that is not empty; the groups stand decoded beside it."""
        if observed is None:
            return "(no chain of groups)"
        return ", ".join(
            f"{group.id}.{name} {value}" for group in observed for name, value in named(group).items() if value
        )


def found_at(place: str, groups: Sequence[Group]) -> Any:
    """The text of a field, the list of them if its group comes several times, None if there is none."""
    number, rank, name = _place(place)
    values = [named(group).get(name) for group in groups if group.id == number]
    if rank is not None:
        return values[rank - 1] if rank <= len(values) else None
    return values[0] if len(values) == 1 else values or None


def _place(place: Any) -> tuple[int, int | None, str]:
    parts = str(place).split(".")
    if len(parts) not in (2, 3) or not all(part.isascii() and part.isdecimal() for part in parts[:-1]):
        raise ValueError(f"{place!r} is no field: group.field or group.occurrence.field (101.nir, 104.2.first-name)")
    number, rank, name = int(parts[0]), int(parts[1]) if len(parts) == 3 else None, parts[-1]
    known = GROUPS.get(number)
    if known is None:
        raise ValueError(f"{place!r}: there is no group {number}, {nearest(str(number), map(str, GROUPS))}")
    if name not in known.positions and not (known.open and name.startswith("field-")):
        raise ValueError(f"{place!r}: group {number} has no field {name}, {nearest(name, known.positions)}")
    if rank == 0:
        raise ValueError(f"{place!r}: occurrences count from 1")
    return number, rank, name


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
