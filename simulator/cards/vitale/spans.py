"""Periods that do not rot: written in years around the bench's own, or as days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

YearsAway = Annotated[int, Field(ge=-25, le=25)]


@dataclass(frozen=True, slots=True)
class Period:
    """First and last day, both included; without a last day it goes on."""

    start: date
    end: date | None

    def holds(self, day: date) -> bool:
        """Whether a day lies in it."""
        return self.start <= day and (self.end is None or day <= self.end)


class TemplatePeriod(BaseModel):
    """A period of a template. A number is a year counted from the bench's: the start on its first day, the end on its
    last one. Whole years, so that a card keeps its bytes for as long as possible.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: YearsAway | date
    end: YearsAway | date | None = None

    def at(self, day: date) -> Period:
        """The days it covers, seen from a day. Raises ValueError if it ends before it starts."""
        start = self.start if isinstance(self.start, date) else date(day.year + self.start, 1, 1)
        end = date(day.year + self.end, 12, 31) if isinstance(self.end, int) else self.end
        if end is not None and end < start:
            raise ValueError(f"a period from {start} to {end} ends before it starts")
        return Period(start, end)


def stamp(day: date | None) -> str:
    """A day as the zones write it, YYYYMMDDHHMM; empty for none."""
    return f"{day:%Y%m%d}0000" if day else ""
