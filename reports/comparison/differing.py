"""What differs between two observations of one scenario."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import zip_longest

from msgspec import Struct

from bifente.ground.text import Text
from bifente.reports.comparison.seen import DATA, LINE, SW, Answered, ScenarioSeen, StepSeen

_MOST_CELLS = 4_000_000
"""Beyond so many pairs of commands two steps are compared place by place: to align them would take too long."""


class Aspect(StrEnum):
    """What two observations can differ in, most telling first."""

    PRESENCE = "presence"
    VERDICT = "verdict"
    STEPS = "steps"
    PCSC = "pcsc"
    STATUS_WORD = "status-word"
    DATA = "data"
    RESULT = "result"
    MESSAGE = "message"
    COMMANDS = "commands"
    OBSERVED = "observed"
    TIMING = "timing"


class RunDifference(Struct, frozen=True, kw_only=True):
    """One difference: in which scenario and step (None for the whole), of what, and the two values.

    A value is None where there is nothing on that side. `reasons` are those of two verdicts.
    """

    scenario: str
    step: int | None = None
    name: str = ""
    aspect: Aspect
    what: Text
    first: str | None
    second: str | None
    reasons: tuple[Text | None, Text | None] = (None, None)


def differences(first: ScenarioSeen, second: ScenarioSeen) -> Iterator[RunDifference]:
    """Yield what differs between two observations of the scenario `first.id`, in its order."""
    scenario = first.id
    if first.verdict is not second.verdict:
        yield RunDifference(
            scenario=scenario,
            aspect=Aspect.VERDICT,
            what=_VERDICT,
            first=str(first.verdict),
            second=str(second.verdict),
            reasons=(first.reason, second.reason),
        )
    if not first.steps or not second.steps:
        # One that was not run at all has its reason in the verdict.
        return
    names = [step.name for step in first.steps], [step.name for step in second.steps]
    if names[0] != names[1]:
        yield RunDifference(
            scenario=scenario,
            aspect=Aspect.STEPS,
            what=Text("étapes jouées", "steps played"),
            first=" ".join(names[0]),
            second=" ".join(names[1]),
        )
    for index, (one, other) in enumerate(zip(first.steps, second.steps, strict=False)):
        if one.name == other.name:
            yield from _steps(scenario, index, one, other)
    yield from _happened(scenario, None, "", first.outside, second.outside)


def only_one(seen: ScenarioSeen, *, first: bool) -> RunDifference:
    """Return the difference that a scenario makes which one of the two runs has and the other has not."""
    verdict = str(seen.verdict)
    return RunDifference(
        scenario=seen.id,
        aspect=Aspect.PRESENCE,
        what=Text("présent d'un seul côté", "on one side only"),
        first=verdict if first else None,
        second=None if first else verdict,
    )


_VERDICT = Text("verdict", "verdict")


def _differ(
    scenario: str, step: int | None, name: str, aspect: Aspect, what: Text, one: str | None, other: str | None
) -> Iterator[RunDifference]:
    if one != other:
        yield RunDifference(scenario=scenario, step=step, name=name, aspect=aspect, what=what, first=one, second=other)


def _steps(scenario: str, index: int, one: StepSeen, other: StepSeen) -> Iterator[RunDifference]:
    name = one.name
    yield from _differ(scenario, index, name, Aspect.VERDICT, _VERDICT, str(one.verdict), str(other.verdict))
    observed = dict(one.observed), dict(other.observed)
    # The code that PC/SC gave in place of an answer.
    errors = [side.pop(_ERROR, None) for side in observed]
    yield from _differ(scenario, index, name, Aspect.PCSC, Text("code PC/SC", "PC/SC code"), *errors)
    found = list(_happened(scenario, index, name, one.passed, other.passed))
    yield from found
    if not found and errors[0] == errors[1]:
        # What an expectation saw is made of what passed: where that differs it has been told.
        for key in dict.fromkeys((*observed[0], *observed[1])):
            both = observed[0].get(key), observed[1].get(key)
            yield from _differ(scenario, index, name, Aspect.OBSERVED, Text.same(key), *both)
    yield from _differ(
        scenario, index, name, Aspect.TIMING, Text("classe de durée", "timing class"), *_classes(one, other)
    )


_ERROR = "error"

_BOUNDS_US = ((100_000, "< 0,1 s"), (1_000_000, "0,1-1 s"), (3_000_000, "1-3 s"), (20_000_000, "3-20 s"))
_LONGEST = "> 20 s"
_AS_LONG = 4


def timing_class(duration_us: int) -> str:
    """Return the class of a duration: what a user does not notice, notices, waits for, calls slow, takes for broken."""
    return next((name for bound, name in _BOUNDS_US if duration_us < bound), _LONGEST)


def _classes(one: StepSeen, other: StepSeen) -> tuple[str, str]:
    shorter, longer = sorted((one.duration_us, other.duration_us))
    if longer < _AS_LONG * shorter:
        # On both sides of a bound, and yet alike.
        return "", ""
    return timing_class(one.duration_us), timing_class(other.duration_us)


def _happened(
    scenario: str, index: int | None, name: str, one: Sequence[Answered], other: Sequence[Answered]
) -> Iterator[RunDifference]:
    for left, right in _aligned(one, other):
        there = left or right
        if there is not None and (left is None or right is None or left.asked != right.asked):
            pairs = ((left, right), (right, left))
            asked = [None if item is None else _whole(item, other) for item, other in pairs]
            yield from _differ(scenario, index, name, Aspect.COMMANDS, there.words, *asked)
        if left is not None and right is not None:
            answers = dict(left.said), dict(right.said)
            for key in dict.fromkeys((*answers[0], *answers[1])):
                pair = answers[0].get(key), answers[1].get(key)
                yield from _differ(scenario, index, name, _ASPECTS.get(key, Aspect.RESULT), left.words, *pair)


_ASPECTS = {SW: Aspect.STATUS_WORD, DATA: Aspect.DATA, LINE: Aspect.MESSAGE}


def _whole(one: Answered, other: Answered | None) -> str:
    """What was asked; of what the other side did not ask at all, also what was answered."""
    said = () if other else (value for _name, value in one.said if value)
    return " ".join((one.asked, *said))


def _aligned(one: Sequence[Answered], other: Sequence[Answered]) -> Iterator[tuple[Answered | None, Answered | None]]:
    asked = [item.asked for item in one], [item.asked for item in other]
    if asked[0] == asked[1]:
        yield from zip(one, other, strict=True)
    elif len(one) * len(other) > _MOST_CELLS:
        yield from _in_place(one, other)
    else:
        for kind, i, i_end, j, j_end in SequenceMatcher(None, *asked, autojunk=False).get_opcodes():
            if kind == "equal":
                yield from zip(one[i:i_end], other[j:j_end], strict=True)
            else:
                yield from _in_place(one[i:i_end], other[j:j_end])


def _in_place(one: Sequence[Answered], other: Sequence[Answered]) -> Iterator[tuple[Answered | None, Answered | None]]:
    """Pair what stands at the same place where it is of one kind."""
    for left, right in zip_longest(one, other):
        if left is not None and right is not None and left.kind == right.kind:
            yield left, right
        else:
            yield from ((item, None) for item in (left,) if item is not None)
            yield from ((None, item) for item in (right,) if item is not None)
