"""Deadlines in days: how many, working ones or not, and the day they count from."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.tarification.deadlines import DeadlineRules, Deadlines, civil_day, prescription

PLAIN, ALSACE = Deadlines(), Deadlines(alsace_moselle=True)
RULES = DeadlineRules.default()


@pytest.mark.parametrize(
    ("day", "direct", "third_party"),
    [
        (date(2026, 3, 2), date(2026, 3, 5), date(2026, 3, 12)),  # a Monday
        (date(2026, 3, 6), date(2026, 3, 11), date(2026, 3, 18)),  # a Friday: the weekend does not count
        (date(2026, 3, 7), date(2026, 3, 11), date(2026, 3, 18)),  # the Saturday after it: the same
        (date(2026, 4, 2), date(2026, 4, 8), date(2026, 4, 15)),  # Easter Monday
        (date(2026, 4, 30), date(2026, 5, 6), date(2026, 5, 15)),  # 1 and 8 May, Ascension
        (date(2026, 12, 24), date(2026, 12, 30), date(2027, 1, 7)),  # Christmas and New Year
    ],
)
def test_sending(day: date, direct: date, third_party: date) -> None:
    assert PLAIN.after(day, RULES.send_direct) == direct
    assert PLAIN.after(day, RULES.send_third_party) == third_party


def test_alsace_moselle_has_two_days_more() -> None:
    assert ALSACE.after(date(2026, 4, 2), RULES.send_direct) == date(2026, 4, 9)  # Good Friday too
    assert ALSACE.after(date(2022, 12, 23), RULES.send_direct) == date(2022, 12, 29)  # 26 December 2022, a Monday
    assert PLAIN.after(date(2022, 12, 23), RULES.send_direct) == date(2022, 12, 28)


def test_every_rule_says_where_it_comes_from() -> None:
    for name in DeadlineRules.model_fields:
        rule = getattr(RULES, name)
        assert rule.source
        assert rule.since
        assert rule.fidelity in ("documented", "modelled")
    assert (RULES.send_direct.days, RULES.send_third_party.days) == (3, 8)
    assert (RULES.retransmit.days, RULES.retransmit.fidelity) == (2, "modelled")
    assert (RULES.retention.days, RULES.retention.working) == (90, False)
    assert (RULES.proof.days, RULES.proof.working) == (5, True)


def test_a_changed_rule_is_no_longer_documented() -> None:
    changed = RULES.changed(send_direct=1)
    assert changed.send_direct.days == 1
    assert changed.send_direct.fidelity == "modelled"
    assert changed.send_third_party == RULES.send_third_party
    with pytest.raises(ValueError, match="no deadline is called sending"):
        RULES.changed(sending=2)
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        RULES.changed(send_direct=-1)


@given(st.dates(date(2020, 1, 1), date(2035, 12, 31)), st.integers(1, 12))
def test_so_many_working_days_lie_between(day: date, count: int) -> None:
    rule = RULES.send_direct.model_copy(update={"days": count})
    for calendar in (PLAIN, ALSACE):
        last = calendar.after(day, rule)
        between = [day + timedelta(days=step) for step in range(1, (last - day).days + 1)]
        assert sum(map(calendar.is_working_day, between)) == count
        assert calendar.is_working_day(last)
    assert ALSACE.after(day, rule) >= PLAIN.after(day, rule)


def test_the_day_is_that_of_paris() -> None:
    assert civil_day(datetime(2026, 3, 2, 22, 59, tzinfo=UTC)) == date(2026, 3, 2)
    assert civil_day(datetime(2026, 3, 2, 23, 1, tzinfo=UTC)) == date(2026, 3, 3)
    assert civil_day(datetime(2026, 7, 2, 22, 1, tzinfo=UTC)) == date(2026, 7, 3)


@pytest.mark.parametrize(
    ("care", "last"),
    [
        (date(2024, 1, 1), date(2026, 4, 1)),
        (date(2024, 3, 31), date(2026, 4, 1)),
        (date(2024, 4, 1), date(2026, 7, 1)),
        (date(2024, 9, 30), date(2026, 10, 1)),
        (date(2024, 12, 31), date(2027, 1, 1)),
    ],
)
def test_a_claim_prescribes_two_years_after_the_quarter_that_follows(care: date, last: date) -> None:
    assert prescription(care) == last
