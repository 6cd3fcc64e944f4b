"""What a workstation holds of a phone that was acquired."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

_END = "%Y%m%d%H%M%S"


@dataclass(frozen=True, slots=True)
class ApcvContext:
    """A context: the three values that are known to make one. ``end`` is YYYYMMDDHHMMSS, in UTC (modelled)."""

    identifier: str
    token: str = field(repr=False)
    end: str

    def expired(self, now: datetime) -> bool:
        """Whether it ends now or has ended. Raises ValueError if its end is no moment."""
        return now >= moment(self.end)


def written(end: datetime) -> str:
    """A moment as contexts write it."""
    return end.astimezone(UTC).strftime(_END)


def moment(end: str) -> datetime:
    """The moment that a context writes. Raises ValueError."""
    if not (len(end) == 14 and end.isascii() and end.isdigit()):
        raise ValueError(f"{end!r} is no moment YYYYMMDDHHMMSS")
    return datetime.strptime(end, _END).replace(tzinfo=UTC)
