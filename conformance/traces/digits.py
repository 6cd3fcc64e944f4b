"""Bytes in hexadecimal of which some are masked: cut into bytes, filled, compared."""

from __future__ import annotations

import re

from bifente.reports.masking import BYTE_MARK

_BYTES = re.compile(rf"(?:[0-9A-F]{{2}}|{BYTE_MARK})*")
_SPACED = re.compile(r"(?:[0-9A-Fa-f]{2} ?)*")
MASK = -1
"""Stands for a byte that is masked."""


def values(digits: str) -> tuple[int, ...]:
    """Return each byte, `MASK` for one that is masked. Raise ValueError for what is no whole number of bytes."""
    if not _BYTES.fullmatch(digits):
        raise ValueError(f"no bytes in hexadecimal: {digits[:40]!r}")
    return tuple(
        MASK if digits[at] == BYTE_MARK[0] else int(digits[at : at + 2], 16) for at in range(0, len(digits), 2)
    )


def filled(digits: str, filling: int) -> bytes:
    """Return the bytes, each masked one being ``filling``."""
    return bytes.fromhex(digits.replace(BYTE_MARK, f"{filling:02X}"))


def masked(digits: str, hidden: set[int]) -> str:
    """Return the digits with the bytes of these ranks masked as well."""
    if not hidden:
        return digits
    return "".join(BYTE_MARK if rank in hidden else digits[2 * rank : 2 * rank + 2] for rank in range(len(digits) // 2))


def agrees(digits: str, other: str) -> bool:
    """Whether both are the same bytes, as far as neither is masked."""
    if len(digits) != len(other):
        return False
    if BYTE_MARK not in digits and BYTE_MARK not in other:
        return digits == other
    return all(one == two or MASK in (one, two) for one, two in zip(values(digits), values(other), strict=True))


def from_text(text: str) -> str | None:
    """Return the digits of bytes written two by two, with or without spaces; None for what is none."""
    text = text.strip()
    return text.replace(" ", "").upper() if _SPACED.fullmatch(text) else None
