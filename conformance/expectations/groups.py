"""The groups of a zone of the SSV functions: one grammar wherever a step lets one expect them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bifente.conformance.loading.problems import nearest
from bifente.simulator.zones import GROUPS


@dataclass(frozen=True, slots=True)
class GroupsMatcher:
    """The groups of a zone by their numbers: the whole list in order, or ``{present: [...], absent: [...],
    count: {104: 3}}``.
    """

    @property
    def schema(self) -> dict[str, Any]:
        """A list, or a mapping of conditions."""
        numbers = {"type": "array", "items": {"type": "integer"}}
        some = {**numbers, "minItems": 1}
        counts = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}, "minProperties": 1}
        conditions = {
            "type": "object",
            "properties": {"present": some, "absent": some, "count": counts},
            "additionalProperties": False,
            "minProperties": 1,
        }
        return {"anyOf": [numbers, conditions]}

    def complaint(self, expected: Any) -> str | None:
        """Says which condition or number is unknown."""
        if isinstance(expected, Mapping):
            if not expected or set(expected) - {"present", "absent", "count"}:
                return "present, absent and count are what can be asked of groups, e.g. {present: [106]}"
            counts = expected.get("count", {})
            if not isinstance(counts, Mapping) or not all(type(value) is int for value in counts.values()):
                return "count maps a group to how often it must come, e.g. {104: 3}"
            lists = [expected.get("present", []), expected.get("absent", []), list(counts)]
        else:
            lists = [expected]
        for numbers in lists:
            if not isinstance(numbers, list | tuple):
                return "a list of group numbers is needed, e.g. [101, 104, 105]"
            for number in numbers:
                if not _is_group(number):
                    return f"{number!r} is no group: {nearest(str(number), map(str, GROUPS))}"
        return None

    def meets(self, expected: Any, observed: Any) -> bool:
        """``observed`` are the numbers in order; None if the zone is no chain of groups."""
        if observed is None:
            return False
        if not isinstance(expected, Mapping):
            return list(expected) == list(observed)
        return (
            all(number in observed for number in expected.get("present", ()))
            and all(number not in observed for number in expected.get("absent", ()))
            and all(observed.count(int(number)) == count for number, count in expected.get("count", {}).items())
        )

    def show(self, expected: Any) -> str:
        """The list, or the conditions."""
        if not isinstance(expected, Mapping):
            return _in_words(expected)
        parts = [f"{key} {_in_words(expected[key])}" for key in ("present", "absent") if key in expected]
        parts += [f"{number} × {count}" for number, count in expected.get("count", {}).items()]
        return ", ".join(parts)

    def show_observed(self, observed: Any) -> str:
        """The list."""
        return "(no chain of groups)" if observed is None else _in_words(observed)

    def show_against(self, expected: Any, observed: Any) -> str:
        """The list, and what is missing or too many of it."""
        if observed is None:
            return self.show_observed(observed)
        if isinstance(expected, Mapping):
            missing = [number for number in expected.get("present", ()) if number not in observed]
            strange = [number for number in expected.get("absent", ()) if number in observed]
        else:
            missing = sorted((Counter(map(int, expected)) - Counter(observed)).elements())
            strange = sorted((Counter(observed) - Counter(map(int, expected))).elements())
        parts = [self.show_observed(observed)]
        parts += [f"missing: {_in_words(missing)}"] if missing else []
        parts += [f"too many: {_in_words(strange)}"] if strange else []
        return "; ".join(parts)


def _is_group(number: Any) -> bool:
    return not isinstance(number, bool) and str(number).isdecimal() and int(number) in GROUPS


def _in_words(numbers: Sequence[Any]) -> str:
    return ", ".join(map(str, numbers)) or "(no group)"
