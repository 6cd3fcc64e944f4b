"""Sessions: an inactivity that ends them, a token that must be renewed, and the user of a TSE that each belongs to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bifente.ground.clock import Clock
from bifente.simulator.middleware.dmpconnect.conventions import INVALID_SESSION, ConnectError, ConnectErrorType
from bifente.simulator.middleware.dmpconnect.workplace import Connector

INACTIVITY = 3600
TOKEN = timedelta(seconds=120)


@dataclass(slots=True)
class ConnectSession:
    """One session. ``code`` is the holder code that was given in it, empty before; ``token_until`` None: no token."""

    id: str
    inactivity: timedelta
    user: str
    domain: str
    used: datetime
    token_until: datetime | None
    code: str = field(default="", repr=False)
    insi: set[str] = field(default_factory=set)
    """Connectors of INSi, by what names them."""
    dmp: dict[str, Connector] = field(default_factory=dict)
    """Connectors of the DMP, the last one made last."""


class Sessions:
    """All that are open. ``tokens``: whether the reader is one whose token must be renewed (modelled)."""

    def __init__(self, clock: Clock, identifier: Callable[[], str], *, tokens: bool = False) -> None:
        self._clock = clock
        self._identifier = identifier
        self.tokens = tokens
        self._open: dict[str, ConnectSession] = {}

    def __len__(self) -> int:
        return len(self._open)

    def open(self, seconds: int, user: str, domain: str) -> ConnectSession:
        """Open one."""
        now = self._clock.now()
        made = ConnectSession(
            self._identifier(), timedelta(seconds=seconds), user, domain, now, now + TOKEN if self.tokens else None
        )
        self._open[made.id] = made
        return made

    def of(self, identifier: str) -> ConnectSession:
        """Return an open session, which counts as used now. Raise ConnectError: 6000, code 3, ended or unknown."""
        found, now = self._open.get(identifier), self._clock.now()
        if found is None:
            raise _invalid("no such session: open another one")
        if now - found.used >= found.inactivity:
            del self._open[identifier]
            raise _invalid("the session ended by inactivity: open another one")
        if found.token_until is not None and now >= found.token_until:
            del self._open[identifier]
            raise _invalid("the token of the card was not renewed in time: the session is cut, open another one")
        found.used = now
        return found

    def renew(self, session: ConnectSession) -> int:
        """Renew the token of a session; return how many seconds it is good."""
        if session.token_until is not None:
            session.token_until = self._clock.now() + TOKEN
        return int(TOKEN.total_seconds())

    def close(self, session: ConnectSession) -> None:
        """Close one."""
        self._open.pop(session.id, None)


def _invalid(why: str) -> ConnectError:
    return ConnectError(ConnectErrorType.SERVER, INVALID_SESSION, "invalid session", why)
