"""Dates of searches: a prefix, and as much of an instant as was given: an interval (FHIR R4, section 3.1.1.4.7)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

_DATE = re.compile(
    r"(?P<prefix>[a-z]{2})?(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)(\.\d{1,9})?)?(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
_ABOUT = timedelta(days=1)
_LAST = datetime.max.replace(tzinfo=UTC)
_MEETS: Mapping[str, Callable[[datetime, datetime, datetime], bool]] = {
    "eq": lambda at, start, end: start <= at < end,
    "ne": lambda at, start, end: not start <= at < end,
    "gt": lambda at, start, end: at >= end,
    "lt": lambda at, start, end: at < start,
    "ge": lambda at, start, end: at >= start,
    "le": lambda at, start, end: at < end,
    "sa": lambda at, start, end: at >= end,
    "eb": lambda at, start, end: at < start,
    "ap": lambda at, start, end: start - at <= _ABOUT and at - end < _ABOUT,
}


def date_test(wanted: str) -> Callable[[str], bool]:
    """Return the test of an instant, as resources have it. Raise ValueError for what is no date."""
    read = _DATE.fullmatch(wanted)
    if read is None or (prefix := read["prefix"] or "eq") not in _MEETS:
        raise ValueError(f"{wanted[:40]!r} is no date: a prefix among {', '.join(_MEETS)}, then 2026, 2026-03-12 ...")
    start, end = _interval(read)
    return lambda said: _MEETS[prefix](datetime.fromisoformat(said), start, end)


def _interval(read: re.Match[str]) -> tuple[datetime, datetime]:
    fields = {name: int(value) for name, value in read.groupdict().items() if value and name not in ("prefix", "zone")}
    try:
        zone = datetime.fromisoformat(f"2000-01-01T00:00:00{read['zone']}").tzinfo if read["zone"] else UTC
        start = datetime(**{"month": 1, "day": 1, **fields}, tzinfo=zone)
    except ValueError:
        raise ValueError(f"there is no such date: {read[0][:40]!r}") from None
    try:
        return start, _after(start, fields)
    except (ValueError, OverflowError):
        return start, _LAST


def _after(start: datetime, fields: Mapping[str, int]) -> datetime:
    if "day" not in fields:
        months = 1 if "month" in fields else 12
        return start.replace(
            year=start.year + (start.month - 1 + months) // 12, month=(start.month - 1 + months) % 12 + 1
        )
    finest = next(name for name in ("second", "minute", "day") if name in fields)
    return start + timedelta(**{f"{finest}s": 1})
