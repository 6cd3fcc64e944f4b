"""Zones of the SSV taken apart: fields that are there, numbers and days that are such, periods that hold at a date."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.zones import Group, OrderError, ZoneError, check_order, decode

Fields = Mapping[str, str]

_NO_DATE = "0" * 12


def groups_of(zone: bytes, order: str, what: str) -> Sequence[Group]:
    """Return the groups of a zone in their order. Raise FseError: ``what`` it is, where it breaks."""
    try:
        groups = decode(zone)
        check_order(groups, order)
    except ZoneError as error:
        raise FseError(f"{what}, byte {error.offset}", error.expected, error.cure) from error
    except OrderError as error:
        raise FseError(what, str(error), "read the card again") from error
    return groups


def needed(fields: Fields, name: str, where: str) -> str:
    """Return a field that must be told. Raise FseError that names it."""
    if not fields[name]:
        raise FseError(f"{where}, {name}", "the card does not tell it", "read the card again, or another one")
    return fields[name]


def digits(fields: Fields, name: str, where: str) -> int:
    """Return a number of one or two digits. Raise FseError."""
    value = needed(fields, name, where)
    if not re.fullmatch("[0-9]{1,2}", value):
        raise FseError(f"{where}, {name}", f"{value[:20]!r} is no number", "read the card again")
    return int(value)


def day_of(fields: Fields, name: str) -> date | None:
    """Return a day, None where none is told. Raise FseError."""
    value = fields[name]
    if value in ("", _NO_DATE):
        return None
    try:
        if not re.fullmatch("[0-9]{12}", value):
            raise ValueError
        return date(int(value[:4]), int(value[4:6]), int(value[6:8]))
    except ValueError:
        raise FseError(name, f"{value[:20]!r} is no date YYYYMMDDHHMM", "read the card again") from None


def holds(fields: Fields, start: str, end: str, on: date) -> bool:
    """Return whether a day lies in a period, open where it has no start or no end."""
    first, last = day_of(fields, start), day_of(fields, end)
    return (first is None or first <= on) and (last is None or on <= last)
