"""The states of a wireless terminal and what leads from one to the other, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from bifente.simulator.readers.wireless.refusals import Refusal


class Pairing(StrEnum):
    """Whether a terminal belongs to the workstation."""

    NONE = "none"
    PAIRED = "paired"
    REVOKED = "revoked"

    @property
    def refusal(self) -> Refusal | None:
        """Why this pairing lets nothing through, or None if it does."""
        return _PAIRING_REFUSALS[self]


_PAIRING_REFUSALS: Mapping[Pairing, Refusal | None] = {
    Pairing.NONE: Refusal.NOT_PAIRED,
    Pairing.PAIRED: None,
    Pairing.REVOKED: Refusal.REVOKED,
}


class Link(StrEnum):
    """The radio link between the terminal and its base."""

    UP = "up"
    WEAK = "weak"
    LOST = "lost"


class Session(StrEnum):
    """The session a token opens."""

    CLOSED = "closed"
    OPEN = "open"
    LAPSED = "lapsed"
    """Its token was not renewed in time."""


class SessionEvent(StrEnum):
    """What happens to a session."""

    OPEN = "open"
    RENEW = "renew"
    EXPIRE = "expire"
    CLOSE = "close"
    """By hand, or because the terminal lost its power or its pairing."""


TRANSITIONS: Mapping[tuple[Session, SessionEvent], Session | Refusal] = {
    (Session.CLOSED, SessionEvent.OPEN): Session.OPEN,
    (Session.CLOSED, SessionEvent.RENEW): Refusal.NO_SESSION,
    (Session.CLOSED, SessionEvent.EXPIRE): Session.CLOSED,
    (Session.CLOSED, SessionEvent.CLOSE): Session.CLOSED,
    # A new authentication replaces whatever session there was: the older token opens nothing any more.
    (Session.OPEN, SessionEvent.OPEN): Session.OPEN,
    (Session.OPEN, SessionEvent.RENEW): Session.OPEN,
    (Session.OPEN, SessionEvent.EXPIRE): Session.LAPSED,
    (Session.OPEN, SessionEvent.CLOSE): Session.CLOSED,
    (Session.LAPSED, SessionEvent.OPEN): Session.OPEN,
    (Session.LAPSED, SessionEvent.RENEW): Refusal.TOO_LATE,
    (Session.LAPSED, SessionEvent.EXPIRE): Session.LAPSED,
    (Session.LAPSED, SessionEvent.CLOSE): Session.CLOSED,
}
"""Every state under every event: the state that follows, or why the event is refused (SEED-TOKEN-04)."""


class Condition(StrEnum):
    """What keeps the cards of a terminal out of reach, the weightiest first; ``READY`` if nothing does."""

    UNPAIRED = "unpaired"
    OFF = "off"
    OUT_OF_RANGE = "out-of-range"
    NO_SESSION = "no-session"
    READY = "ready"

    @property
    def connected(self) -> bool:
        """Whether the terminal can be spoken to at all, with or without a session."""
        return self in (Condition.NO_SESSION, Condition.READY)
