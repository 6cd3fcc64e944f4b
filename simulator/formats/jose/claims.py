"""Single claims of a token, written and read: short texts and moments (RFC 7519)."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from bifente.simulator.formats.jose.refusals import SealError, SealRefusal

ROUNDING = 0.002
"""Seconds that writing times in milliseconds may add to a life."""

_LONGEST_TEXT = 128
_FAR = 1e11
"""No date of a bench lies so many seconds from 1970."""


def number(seconds: float) -> int | float:
    """Return a NumericDate: whole where it is whole, else in milliseconds, rounded."""
    rounded = round(seconds, 3)
    return int(rounded) if rounded == int(rounded) else rounded


def text(claims: Mapping[str, Any], name: str) -> str:
    """Return a claim that must be a short text. Raise SealError."""
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TEXT:
        raise SealError(SealRefusal.CLAIMS, name)
    return value


def moment(claims: Mapping[str, Any], name: str) -> float:
    """Return a claim that must be a NumericDate. Raise SealError."""
    value = claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > _FAR or not isfinite(value):
        raise SealError(SealRefusal.CLAIMS, name)
    return float(value)
