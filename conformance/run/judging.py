"""One step judged: every expectation beside what was observed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bifente.conformance.expectations.circumstances import COMMON_EXPECTATIONS, REMARKS_ONLY
from bifente.conformance.expectations.matchers import Matcher, Telling, ValueMatcher
from bifente.conformance.scenario.plan import PlannedArtefact, PlannedStep
from bifente.conformance.scenario.references import resolve
from bifente.conformance.scenario.step import expectable
from bifente.reports.events import Expectation


class BadExpectationError(Exception):
    """An expectation that makes no sense once its references have their values."""


def judge(
    step: PlannedStep, scope: Mapping[str, Any], observed: Mapping[str, Any], artefact: PlannedArtefact | None
) -> tuple[Expectation, ...]:
    """Every expectation of a step beside what was observed; those of an artefact, where met, are remarks.

    Raises BadExpectationError, BadReferenceError.
    """
    known = {**COMMON_EXPECTATIONS, **expectable(step.kind)}
    expect = dict(artefact.expect if artefact else step.expect)
    said = {*expect, *step.should}
    if "error" in observed and "error" not in said:
        # A PC/SC failure where an answer was due: nothing else of the step can be judged.
        return (Expectation(name="error", expected="no PC/SC error", observed=str(observed["error"]), ok=False),)
    if "error" not in observed and "error" not in expect and (success := step.kind.success) is not None:
        # A step that says nothing of its status word or return code means: it succeeds.
        key, value = success
        if key in known and key not in said:
            expect = {key: value, **expect}
    judged = []
    for wanted, tolerated in ((expect, False), (step.should, True)):
        for name, raw in wanted.items():
            matcher = known[name]
            expected = resolve(raw, scope)
            if complaint := matcher.complaint(expected):
                raise BadExpectationError(f"{name}: {complaint}")
            met = _meets(matcher, expected, name, observed)
            otherwise = _otherwise(step, artefact, name, matcher, scope, observed) if wanted is expect else ""
            mild = tolerated or name in REMARKS_ONLY
            judged.append(
                Expectation(
                    name=name,
                    expected=matcher.show(expected) + otherwise,
                    observed=_shown(matcher, expected, observed[name]) if name in observed else "(not observed)",
                    ok=met or mild,
                    remark=(mild and not met) or (wanted is expect and met and otherwise != ""),
                )
            )
    for name, key in step.capture.items():
        if observed.get(key) is None:
            judged.append(Expectation(name=key, expected=f"a value for ${name}", observed="(absent)", ok=False))
    return tuple(judged)


def _meets(matcher: Matcher, expected: Any, name: str, observed: Mapping[str, Any]) -> bool:
    if name in observed:
        return matcher.meets(expected, observed[name])
    # Of all that can be expected, only that of a plain value may be that there is none.
    return isinstance(matcher, ValueMatcher) and matcher.meets(expected, None)


def _shown(matcher: Matcher, expected: Any, observed: Any) -> str:
    """What was observed: where the matcher can, no more of it than was asked for, and what is missing of that."""
    return matcher.show_against(expected, observed) if isinstance(matcher, Telling) else matcher.show_observed(observed)


def _otherwise(
    step: PlannedStep,
    artefact: PlannedArtefact | None,
    name: str,
    matcher: Matcher,
    scope: Mapping[str, Any],
    observed: Mapping[str, Any],
) -> str:
    """What a real reader shows where an artefact is judged instead; nothing where that too was observed."""
    if artefact is None or name not in artefact.expect:
        return ""
    if name not in step.expect:
        return " (on a real reader: nothing to expect)"
    real = resolve(step.expect[name], scope)
    if name in observed and matcher.meets(real, observed[name]):
        return ""
    return f" (on a real reader: {matcher.show(real)})"
