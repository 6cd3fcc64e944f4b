"""How the readers' room makes its faults."""

from __future__ import annotations

from enum import StrEnum


class Mechanism(StrEnum):
    """What is done to a slot, its line, its card or the service above it."""

    MUTE = "mute"
    DEAD = "dead"
    LATE = "late"
    TRUNCATED = "truncated"
    STATUS = "status"
    FAILED = "failed"
    WITHDRAWN_AFTER = "withdrawn-after"
    WITHDRAWN_DURING = "withdrawn-during"
    UNPOWERED = "unpowered"
    MICRO_CUT = "micro-cut"
    SUSPENDED = "suspended"
    THROTTLED = "throttled"
    REMOVED = "removed"
    LOST = "lost"
    SWAPPED = "swapped"
    RESET = "reset"
    HELD = "held"
    CARD = "card"
    """Another card stands in the slot, made for the purpose."""
    SERVICE = "service"


LINE = frozenset(
    {
        *(Mechanism.MUTE, Mechanism.LATE, Mechanism.TRUNCATED, Mechanism.STATUS, Mechanism.FAILED),
        *(Mechanism.WITHDRAWN_AFTER, Mechanism.WITHDRAWN_DURING, Mechanism.UNPOWERED, Mechanism.MICRO_CUT),
        *(Mechanism.SUSPENDED, Mechanism.THROTTLED),
    }
)
"""What strikes commands, so that one can say which."""

ENDING = frozenset(
    {
        *(Mechanism.WITHDRAWN_AFTER, Mechanism.WITHDRAWN_DURING, Mechanism.SUSPENDED, Mechanism.REMOVED),
        *(Mechanism.DEAD, Mechanism.LOST, Mechanism.SWAPPED),
    }
)
"""What ends dialogues by itself: the cards may be reset afterwards."""
