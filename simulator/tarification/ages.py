"""The age of a beneficiary on a day."""

from __future__ import annotations

from datetime import date


def age(birth: str, on: date) -> int:
    """Return the age on a day; of a birth that is not known in full (lunar month), that reached in the year at most."""
    year, month, day = int(birth[:4]), int(birth[4:6]), int(birth[6:8])
    known = 1 <= month <= 12 and day
    return on.year - year - (1 if known and (on.month, on.day) < (month, day) else 0)
