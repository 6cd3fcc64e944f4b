"""The day of a scenario, and the days that pass in it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache

import holidays

from bifente.conformance.bench.base import Bench
from bifente.conformance.targets.facets import PrivateClock
from bifente.simulator.tarification.deadlines import civil_day


@cache
def _calendar() -> holidays.HolidayBase:
    return holidays.country_holidays("FR")


class Days:
    """The calendar of a bench. Working days are counted here and not by the practice, which is judged by them."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    @property
    def now(self) -> datetime:
        """The bench's time, in UTC."""
        return self._bench.now()

    @property
    def today(self) -> date:
        """The day in France."""
        return civil_day(self._bench.now())

    def working(self, count: int) -> date:
        """The ``count``-th working day after today."""
        day = self.today
        while count > 0:
            day += timedelta(days=1)
            count -= _calendar().is_working_day(day)
        return day

    def before_a_holiday(self) -> date:
        """The next working day whose morrow is a public holiday in the week."""
        calendar = _calendar()
        day = self.today + timedelta(days=1)
        while not (calendar.is_working_day(day) and (day + timedelta(1)) in calendar and day.weekday() < 4):
            day += timedelta(days=1)
        return day

    def wait_until(self, day: date) -> None:
        """Let time pass until nine o'clock (UTC) of a day to come."""
        now = self._bench.now()
        seconds = (datetime(day.year, day.month, day.day, 9, tzinfo=now.tzinfo) - now).total_seconds()
        if seconds > 0:
            self._bench.facet(PrivateClock).advance(int(seconds))
