"""What a late payment costs the body: nothing for seven working days, one euro on the next two, then a tenth."""

from __future__ import annotations

from datetime import date

import pytest

from bifente.simulator.tarification.deadlines import Deadlines
from bifente.simulator.tarification.penalties import penalty

MONDAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("today", "owed"),
    [
        (date(2026, 3, 2), 0),
        (date(2026, 3, 11), 0),  # the 7th working day
        (date(2026, 3, 12), 100),  # the 8th
        (date(2026, 3, 13), 100),
        (date(2026, 3, 15), 100),  # a Sunday after the 9th
        (date(2026, 3, 16), 210),  # the 10th
        (date(2026, 9, 1), 210),
    ],
)
def test_the_penalty_of_the_day(today: date, owed: int) -> None:
    assert penalty(2100, MONDAY, today, Deadlines()) == owed


def test_a_holiday_is_no_working_day() -> None:
    assert penalty(2100, date(2026, 4, 30), date(2026, 5, 13), Deadlines()) == 0
    assert penalty(2100, date(2026, 4, 30), date(2026, 5, 15), Deadlines()) == 100


def test_nothing_is_owed_of_nothing_and_half_a_cent_goes_up() -> None:
    assert penalty(0, MONDAY, date(2027, 1, 1), Deadlines()) == 0
    assert penalty(1005, MONDAY, date(2027, 1, 1), Deadlines()) == 101
