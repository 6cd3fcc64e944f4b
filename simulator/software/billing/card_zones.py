"""Zones of the SSV taken apart: fields that are there, numbers and days that are such, periods that hold at a date."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.zones import Group, OrderError, ZoneError, bytes_of, check_order, decode

Fields = Mapping[str, str]

_WHOLE_NIR, _KEY = 15, 13
_NO_DATE, _NEVER = "0" * 12, "9" * 12


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


def capitals(text: str) -> str:
    """Return a name as a sheet holds it: upper case, no accents, whatever the card has (one byte a letter)."""
    folded = unicodedata.normalize("NFKD", bytes_of(text).decode("iso-8859-1"))
    return re.sub("[^ -`{-~]", "", folded.upper()).strip()


def nir_of(fields: Fields) -> tuple[str, str]:
    """Return the NIR of a card and its key; a card may tell both in one field. Raise FseError."""
    nir = needed(fields, "nir", "group 101").strip().upper()
    if len(nir) == _WHOLE_NIR and fields["nir-key"] in ("", nir[_KEY:]):
        return nir[:_KEY], nir[_KEY:]
    return nir, needed(fields, "nir-key", "group 101")


def digits(fields: Fields, name: str, where: str) -> int:
    """Return a number of one or two digits. Raise FseError."""
    value = needed(fields, name, where)
    if not re.fullmatch("[0-9]{1,2}", value):
        raise FseError(f"{where}, {name}", f"{value[:20]!r} is no number", "read the card again")
    return int(value)


def day_of(fields: Fields, name: str, where: str) -> date | None:
    """Return a day, None where none is told. Raise FseError."""
    value = fields[name].strip()
    if value in ("", _NO_DATE, _NEVER):
        return None
    try:
        if not re.fullmatch("[0-9]{12}", value):
            raise ValueError
        return date(int(value[:4]), int(value[4:6]), int(value[6:8]))
    except ValueError:
        raise FseError(f"{where}, {name}", f"{value[:20]!r} is no date YYYYMMDDHHMM", "read the card again") from None


def holds(fields: Fields, start: str, end: str, on: date, where: str) -> bool:
    """Return whether a day lies in a period, open where it has no start or no end. Raise FseError."""
    first, last = day_of(fields, start, where), day_of(fields, end, where)
    return (first is None or first <= on) and (last is None or on <= last)
