"""What may be expected of any step: the card's state around it, and how long it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bifente.conformance.expectations.matchers import Matcher, ValueMatcher
from bifente.conformance.loading.problems import nearest
from bifente.simulator.cards.families import state_keys

DURATIONS = {"instant": 0.05, "prompt": 0.5, "patient": 5.0}
"""Classes of duration and their bound in seconds of wall time. Too slow is a remark: the machine may be at fault."""


@dataclass(frozen=True, slots=True)
class StateMatcher:
    """Some values of the card's state: ``{pin-tries: 2, pin-verified: false}``."""

    value: ValueMatcher = field(default_factory=ValueMatcher)

    @property
    def schema(self) -> dict[str, Any]:
        """A mapping of state keys to values."""
        return {
            "type": "object",
            "properties": dict.fromkeys(state_keys(), self.value.schema),
            "additionalProperties": False,
            "minProperties": 1,
        }

    def complaint(self, expected: Any) -> str | None:
        """Says which key is unknown."""
        if not isinstance(expected, Mapping) or not expected:
            return "a mapping of state to value is needed, e.g. {pin-tries: 2}"
        known = state_keys()
        for key, value in expected.items():
            if key not in known:
                return f"the card has no state {key!r}, {nearest(key, known)}"
            if complaint := self.value.complaint(value):
                return f"{key}: {complaint}"
        return None

    def meets(self, expected: Any, observed: Any) -> bool:
        """``observed`` is the whole state, or None if it could not be seen."""
        return observed is not None and all(
            self.value.meets(value, observed.get(key)) for key, value in expected.items()
        )

    def show(self, expected: Any) -> str:
        """``pin-tries 2, pin-verified false``."""
        return self.value.show(expected)

    def show_observed(self, observed: Any) -> str:
        """The whole state."""
        return "(not visible)" if observed is None else self.value.show(observed)


@dataclass(frozen=True, slots=True)
class DurationMatcher:
    """A class of duration."""

    schema: dict[str, Any] = field(default_factory=lambda: {"enum": sorted(DURATIONS)})

    def complaint(self, expected: Any) -> str | None:
        """Says which classes there are."""
        known = isinstance(expected, str) and expected in DURATIONS
        return None if known else f"{expected!r} is unknown; known: {', '.join(DURATIONS)}"

    def meets(self, expected: Any, observed: Any) -> bool:
        """``observed`` is in seconds."""
        return bool(observed <= DURATIONS[expected])

    def show(self, expected: Any) -> str:
        """The class and its bound."""
        return f"{expected} (at most {DURATIONS[expected] * 1000:.0f} ms)"

    def show_observed(self, observed: Any) -> str:
        """Milliseconds."""
        return f"{observed * 1000:.1f} ms"


COMMON_EXPECTATIONS: Mapping[str, Matcher] = {
    "before": StateMatcher(),
    "after": StateMatcher(),
    "within": DurationMatcher(),
}
"""What every step lets one expect."""
REMARKS_ONLY = frozenset({"within"})
"""Expectations whose failure is a remark."""
