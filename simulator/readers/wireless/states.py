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


class RadioLink(StrEnum):
    """The radio link between the terminal and its base."""

    UP = "up"
    WEAK = "weak"
    LOST = "lost"


class TerminalSession(StrEnum):
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


TRANSITIONS: Mapping[tuple[TerminalSession, SessionEvent], TerminalSession | Refusal] = {
    (TerminalSession.CLOSED, SessionEvent.OPEN): TerminalSession.OPEN,
    (TerminalSession.CLOSED, SessionEvent.RENEW): Refusal.NO_SESSION,
    (TerminalSession.CLOSED, SessionEvent.EXPIRE): TerminalSession.CLOSED,
    (TerminalSession.CLOSED, SessionEvent.CLOSE): TerminalSession.CLOSED,
    # A new authentication replaces whatever session there was: the older token opens nothing any more.
    (TerminalSession.OPEN, SessionEvent.OPEN): TerminalSession.OPEN,
    (TerminalSession.OPEN, SessionEvent.RENEW): TerminalSession.OPEN,
    (TerminalSession.OPEN, SessionEvent.EXPIRE): TerminalSession.LAPSED,
    (TerminalSession.OPEN, SessionEvent.CLOSE): TerminalSession.CLOSED,
    (TerminalSession.LAPSED, SessionEvent.OPEN): TerminalSession.OPEN,
    (TerminalSession.LAPSED, SessionEvent.RENEW): Refusal.TOO_LATE,
    (TerminalSession.LAPSED, SessionEvent.EXPIRE): TerminalSession.LAPSED,
    (TerminalSession.LAPSED, SessionEvent.CLOSE): TerminalSession.CLOSED,
}
"""Every state under every event: the state that follows, or why the event is refused (SEED-TOKEN-04)."""


class TerminalCondition(StrEnum):
    """What keeps the cards of a terminal out of reach, the weightiest first; ``READY`` if nothing does."""

    UNPAIRED = "unpaired"
    OFF = "off"
    OUT_OF_RANGE = "out-of-range"
    NO_SESSION = "no-session"
    READY = "ready"

    @property
    def connected(self) -> bool:
        """Whether the terminal can be spoken to at all, with or without a session."""
        return self in (TerminalCondition.NO_SESSION, TerminalCondition.READY)
