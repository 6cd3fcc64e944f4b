"""What may be expected of any step: the card's state around it, and how long it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from bifente.conformance.expectations.matchers import Matcher, ValueMatcher
from bifente.conformance.expectations.typed import ObservedKind, TypedMatcher
from bifente.conformance.loading.problems import nearest
from bifente.simulator.cards.families import state_keys, state_kinds

DURATIONS = {"instant": 0.05, "prompt": 0.5, "patient": 5.0}
"""Classes of duration and their bound in seconds of wall time. Too slow is a remark: the machine may be at fault."""


@dataclass(frozen=True, slots=True)
class StateMatcher:
    """Some values of the card's state: ``{pin-tries: 2, pin-verified: false}``."""

    @property
    def schema(self) -> dict[str, Any]:
        """A mapping of state keys to values."""
        return {
            "type": "object",
            "properties": {key: matcher.schema for key, matcher in _of_state().items()},
            "additionalProperties": False,
            "minProperties": 1,
        }

    def complaint(self, expected: Any) -> str | None:
        """Says which key is unknown, or which value can never be."""
        if not isinstance(expected, Mapping) or not expected:
            return "a mapping of state to value is needed, e.g. {pin-tries: 2}"
        known = _of_state()
        for key, value in expected.items():
            if key not in known:
                return f"the card has no state {key!r}, {nearest(key, known)}"
            if complaint := known[key].complaint(value):
                return f"{key}: {complaint}"
        return None

    def meets(self, expected: Any, observed: Any) -> bool:
        """``observed`` is the whole state, or None if it could not be seen."""
        return observed is not None and all(
            _of_state()[key].meets(value, observed.get(key)) for key, value in expected.items()
        )

    def show(self, expected: Any) -> str:
        """``pin-tries 2, pin-verified false``."""
        return _PLAIN.show(expected)

    def show_observed(self, observed: Any) -> str:
        """The whole state."""
        return "(not visible)" if observed is None else _PLAIN.show(observed)

    def show_against(self, expected: Any, observed: Any) -> str:
        """What was asked for, as it was."""
        if observed is None:
            return self.show_observed(observed)
        return ", ".join(f"{key} {_PLAIN.show_observed(observed.get(key))}" for key in expected)


_PLAIN = ValueMatcher()


@cache
def _of_state() -> Mapping[str, ValueMatcher]:
    kinds = state_kinds()
    return {key: _state_matcher(kinds.get(key)) for key in state_keys()}


def _state_matcher(kind: str | tuple[str, ...] | None) -> ValueMatcher:
    if kind is None:
        return _PLAIN
    return (
        TypedMatcher(ObservedKind(kind)) if isinstance(kind, str) else TypedMatcher(ObservedKind.TEXT, frozenset(kind))
    )


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
    "lasts-ms": TypedMatcher(ObservedKind.NUMBER),
}
"""What every step lets one expect."""
REMARKS_ONLY = frozenset({"within"})
"""Expectations whose failure is a remark."""
ON_THE_BENCH_CLOCK = frozenset({"lasts-ms"})
"""Expectations that only a clock of the bench's own bears out: on the machine's they would tell how busy it is."""
