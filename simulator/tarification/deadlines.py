"""Deadlines in working days with the French public holidays, from the rules of ``deadlines.yaml``.

The day something happens is not counted, and a deadline holds until the end of its day, of the calendar of Paris.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from bifente.ground.shipped import shipped

if TYPE_CHECKING:
    from holidays import HolidayBase

PARIS = ZoneInfo("Europe/Paris")
_ALSACE_MOSELLE = "57"
_SATURDAY = 5


class DeadlineRule(BaseModel):
    """One deadline: so many days ``since`` something, working ones or all, and what it rests on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: Annotated[int, Field(ge=0, le=3660)]
    working: bool
    since: Annotated[str, Field(alias="from", min_length=1)]
    fidelity: Literal["documented", "observed", "modelled"]
    source: Annotated[str, Field(min_length=1)]


class DeadlineRules(BaseModel):
    """The deadlines of a practice; ``DeadlineRules.default()`` are those of ``deadlines.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=lambda name: name.replace("_", "-"))

    send_direct: DeadlineRule
    send_third_party: DeadlineRule
    acknowledge: DeadlineRule
    retransmit: DeadlineRule
    paper: DeadlineRule
    payment: DeadlineRule
    claim_payment: DeadlineRule
    payment_rejection: DeadlineRule
    proof: DeadlineRule
    retention: DeadlineRule

    @classmethod
    @cache
    def default(cls) -> Self:
        """The rules of the bench, each with its source."""
        return cls.model_validate(shipped(__package__, "deadlines.yaml"))

    def changed(self, **days: int) -> Self:
        """The same rules with other numbers of days, those of a laboratory. Raises ValueError for an unknown rule."""
        unknown = days.keys() - type(self).model_fields.keys()
        if unknown:
            known = ", ".join(type(self).model_fields)
            raise ValueError(f"no deadline is called {', '.join(sorted(unknown))}: there are {known}")
        new: Mapping[str, Any] = {
            name: {"days": count, "fidelity": "modelled", "source": "changed for this run"}
            for name, count in days.items()
        }
        plain = self.model_dump(by_alias=True)
        for name, change in new.items():
            plain[name.replace("_", "-")].update(change)
        return self.model_validate(plain)


class Deadlines:
    """``alsace_moselle`` adds Good Friday and 26 December. Good Friday holds there only where the commune has a
    Protestant church and a mixed population: the parameter is the choice of the practice.
    """

    def __init__(self, rules: DeadlineRules | None = None, *, alsace_moselle: bool = False) -> None:
        self.rules = rules or DeadlineRules.default()
        self._subdivision = _ALSACE_MOSELLE if alsace_moselle else None
        self._known: dict[tuple[date, int], date] = {}

    @cached_property
    def _holidays(self) -> HolidayBase:
        return _calendar(self._subdivision)

    def is_working_day(self, day: date) -> bool:
        """Monday to Friday, no public holiday."""
        return self._holidays.is_working_day(day)

    def after(self, day: date, rule: DeadlineRule) -> date:
        """The last day on which what ``rule`` wants, counted from ``day``, is in time."""
        if not rule.working:
            return day + timedelta(days=rule.days)
        key = (day, rule.days)
        if key not in self._known:
            self._known[key] = self._holidays.get_nth_working_day(day, rule.days) if rule.days else day
        return self._known[key]


def takes_holiday_rate(day: date) -> bool:
    """Return whether supplements of Sundays and holidays may be billed: those of Alsace-Moselle too, and on Saturdays,
    of whose hours a sheet says nothing.
    """
    return day.weekday() >= _SATURDAY or day in _calendar(_ALSACE_MOSELLE)


@cache
def _calendar(subdivision: str | None) -> HolidayBase:
    """Made once for everybody: a year is worked out when it is first asked for, and kept."""
    import holidays  # the calendars of the whole world: where no day is counted they are not needed

    return holidays.country_holidays("FR", subdiv=subdivision)


def civil_day(moment: datetime) -> date:
    """The day in France at this moment."""
    return moment.astimezone(PARIS).date()


def prescription(care: date) -> date:
    """Return the last day on which care can be claimed: two years after the first day of the quarter that follows it.

    SV-LAW-03 (sources#case-law).
    """
    month = (care.month - 1) // 3 * 3 + 4
    year = care.year + (1 if month > _MONTHS else 0) + _YEARS_OF_PRESCRIPTION
    return date(year, month - _MONTHS if month > _MONTHS else month, 1)


_MONTHS = 12
_YEARS_OF_PRESCRIPTION = 2
