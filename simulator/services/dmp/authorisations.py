"""Who may consult a record: granted, kept alive by use, expired after twelve idle months, forbidden by a block list."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bifente.ground.clock import Clock


class AuthorisationState(StrEnum):
    """The states, by the words of the attentionLine of TD0.2 (sources#dmp-messages, sources#dmp-clients)."""

    NONE = "NON_EXISTE"
    VALID = "VALIDE"
    EXPIRED = "EXPIRE"
    FORBIDDEN = "INTERDIT"


class AuthorisationError(ValueError):
    """A change that the state does not allow. One sentence."""


@dataclass(slots=True)
class Authorisation:
    """What one party was granted: since when, and when it last acted on this record."""

    party: str
    since: datetime
    last: datetime


IDLE_MONTHS = 12
"""Months without activity after which an authorisation is no longer valid (SEED-DMP-15)."""


def months_later(moment: datetime, months: int) -> datetime:
    """Return the same day and hour so many months later, the last of a month where it has no such day."""
    years, month = divmod(moment.month - 1 + months, 12)
    year, month = moment.year + years, month + 1
    day = min(moment.day, calendar.monthrange(year, month)[1])
    return moment.replace(year=year, month=month, day=day)


class Authorisations:
    """Those of one record. A party is a professional or a structure, by its national identifier.

    A professional stands under its own authorisation and that of its structure, whichever says more; a block of either
    forbids (modelled: no public text tells how the two meet).
    """

    def __init__(self, clock: Clock, idle_months: int = IDLE_MONTHS) -> None:
        self._clock = clock
        self.idle_months = idle_months
        self._granted: dict[str, Authorisation] = {}
        self._blocked: dict[str, datetime] = {}
        self.treating: set[str] = set()
        """The treating doctors declared for this record."""

    def state(self, *parties: str) -> AuthorisationState:
        """Return where a caller stands, by itself and its structure."""
        if any(party in self._blocked for party in parties):
            return AuthorisationState.FORBIDDEN
        found = [self._granted[party] for party in parties if party in self._granted]
        if any(self._alive(one) for one in found):
            return AuthorisationState.VALID
        return AuthorisationState.EXPIRED if found else AuthorisationState.NONE

    def add(self, party: str, *also: str) -> AuthorisationState:
        """DmpGrant and return the state there was before. Raise AuthorisationError for a forbidden party.

        ``also``: the other identifiers of the caller, whose block forbids too.
        """
        before = self.state(party)
        if self.state(party, *also) is AuthorisationState.FORBIDDEN:
            raise AuthorisationError("the patient or the treating doctor blocked this professional or its structure")
        now = self._clock.now()
        if before is AuthorisationState.VALID:
            self._granted[party].last = now
        else:
            self._granted[party] = Authorisation(party, now, now)
        return before

    def remove(self, party: str) -> bool:
        """Take it back, the treating doctor's role with it; return whether there was one."""
        self.treating.discard(party)
        return self._granted.pop(party, None) is not None

    def used(self, *parties: str) -> None:
        """Let an access count as activity. It revives nothing: what is expired stays expired."""
        for party in parties:
            if party in self._granted and self._alive(self._granted[party]):
                self._granted[party].last = self._clock.now()

    def block(self, party: str) -> None:
        """Put a party on the block list (the patient, or the treating doctor through the web site)."""
        self._blocked.setdefault(party, self._clock.now())

    def unblock(self, party: str) -> None:
        """Take it off: its authorisation begins anew, at none (modelled)."""
        if self._blocked.pop(party, None) is not None:
            self.remove(party)

    def declare_treating(self, party: str) -> None:
        """Make a party the treating doctor. Raise AuthorisationError without a valid authorisation of its own."""
        if self.state(party) is not AuthorisationState.VALID:
            raise AuthorisationError("a treating doctor is authorised first")
        self.treating.add(party)

    def live(self) -> Iterable[Authorisation]:
        """Return the valid ones, the newest first."""
        found = [one for one in self._granted.values() if self.state(one.party) is AuthorisationState.VALID]
        return sorted(found, key=lambda one: one.since, reverse=True)

    @property
    def blocked(self) -> Mapping[str, datetime]:
        """Return the block list: since when, by party."""
        return dict(self._blocked)

    def granted(self, party: str) -> Authorisation | None:
        """Return what a party was granted, valid or not; None if nothing."""
        return self._granted.get(party)

    def _alive(self, one: Authorisation) -> bool:
        return self._clock.now() <= months_later(one.last, self.idle_months)
