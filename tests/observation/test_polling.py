"""A program that asks again and again for the state of the readers is told; one that asks once for each is not."""

from __future__ import annotations

import pytest

from bifente.conformance.observation.rules.all import RULES
from bifente.conformance.observation.story import Story
from bifente.reports.events import Call, Event, Exchange


def story(polls: int, pace_ms: int, *, commands: bool = False) -> Story:
    told: list[Event] = []
    for place in range(polls):
        second, millisecond = divmod(place * pace_ms, 1000)
        time = f"2026-01-01T00:{second // 60:02}:{second % 60:02}.{millisecond:03}+00:00"
        told.append(Call(seq=2 * place + 1, time=time, client="7", function="SCardGetStatusChange", result="TIMEOUT"))
        if commands and place % 10 == 0:
            told.append(Exchange(seq=2 * place + 2, time=time, client="7/1", command="00B0000004", sw="9000"))
    return Story(told)


def breaches(found: Story) -> int | None:
    told = RULES["no-storm-on-an-empty-reader"].judge(found)
    return None if told is None else len(told)


@pytest.mark.parametrize(
    ("polls", "pace", "commands", "count"),
    [(400, 1, False, 1), (200, 49, False, 1), (199, 1, False, None), (400, 60, False, 0), (400, 1, True, 0)],
)
def test_questions_in_a_row_are_a_storm(polls: int, pace: int, commands: bool, count: int | None) -> None:
    assert breaches(story(polls, pace, commands=commands)) == count
