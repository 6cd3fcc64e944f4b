"""All that the parts of the provider share: the clock, who is registered, the mint, and what is remembered."""

from __future__ import annotations

import random as randomness
from collections.abc import Callable

from bifente.ground.clock import Clock
from bifente.simulator.pki.judging import Chain
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.services.psc.addresses import Addresses
from bifente.simulator.services.psc.claims import AuthMode
from bifente.simulator.services.psc.conduct import Conduct
from bifente.simulator.services.psc.ecps import EcpsPlatform
from bifente.simulator.services.psc.expiring import Expiring
from bifente.simulator.services.psc.model import ListedProfessional, Registry
from bifente.simulator.services.psc.parameters import PscParameters
from bifente.simulator.services.psc.sessions import BackchannelRequest, IssuedCode, LoginAttempt, SsoSession
from bifente.simulator.services.psc.tokens import TokenMint
from bifente.simulator.serving.service import Declare

CertificateCheck = Callable[[Chain], str | None]
"""Says in one sentence why a client's certificate is not believed; None if it is."""

_SWEPT_EVERY = 256


class ProviderState:
    """The provider's memory. ``suffers(fault, client=..., user=...)`` tells whether a fault strikes this request."""

    def __init__(
        self,
        clock: Clock,
        registry: Registry,
        parameters: PscParameters,
        addresses: Addresses,
        keys: KeySource,
        chance: randomness.Random,
        declare: Declare,
        suffers: Callable[..., bool],
        believes: CertificateCheck,
    ) -> None:
        self.clock = clock
        self.registry = registry
        self.parameters = parameters
        self.addresses = addresses
        self.suffers = suffers
        self.believes = believes
        self.declare = declare
        self.chance = chance
        self.keys = keys
        self.mint = TokenMint(keys, chance.randbytes, declare)
        self.idp_mint = TokenMint(keys, chance.randbytes, declare, "psc-idp")
        self.api_mint = TokenMint(keys, chance.randbytes, declare, "psc-api")
        self.conduct = Conduct(clock)
        self.ecps = EcpsPlatform(clock, lambda: self.mint.identifier(), self._digits)
        self.sessions: dict[str, SsoSession] = {}
        self.by_cookie: dict[str, str] = {}
        self.attempts: Expiring[LoginAttempt] = Expiring(clock)
        self.tickets: Expiring[str] = Expiring(clock)
        self.codes: Expiring[IssuedCode] = Expiring(clock)
        self.spent: Expiring[str] = Expiring(clock)
        """Codes that were redeemed, with the session they gave: presented again, that session is closed."""
        self.requests: Expiring[BackchannelRequest] = Expiring(clock)
        self.pushed: Expiring[dict[str, str]] = Expiring(clock)
        self.exchanged: Expiring[bool] = Expiring(clock)
        self.asserted: Expiring[bool] = Expiring(clock)
        """Assertions of clients that were believed, by client and ``jti``: each is good once."""
        self.refused: Expiring[bool] = Expiring(clock)
        self.api_tokens: Expiring[bool] = Expiring(clock)
        self.pairings: dict[tuple[str, str], str] = {}
        self._opened = 0

    @property
    def now(self) -> float:
        """Seconds of the epoch on the bench clock."""
        return self.clock.now().timestamp()

    def two_digits(self) -> str:
        """Return a number to be compared on two screens."""
        return f"{self.chance.randrange(100):02d}"

    def _digits(self, count: int) -> str:
        digits = f"{self.chance.randrange(10**count):0{count}d}"
        self.declare(digits)
        return digits

    # -- sessions of browsers ------------------------------------------------------------------------------------------

    def open_session(self, professional: ListedProfessional, mode: AuthMode, *, browser: bool) -> SsoSession:
        """Open the session of a professional who has just proved who it is."""
        self._opened += 1
        if self._opened % _SWEPT_EVERY == 0:
            for sid in [sid for sid, one in self.sessions.items() if self._is_over(one)]:
                self.close_session(sid)
        sid, now = self.mint.identifier(), self.now
        cookie = self.mint.secret() if browser else None
        session = SsoSession(sid, professional, mode, int(now), cookie, now)
        self.sessions[sid] = session
        if cookie is not None:
            self.by_cookie[cookie] = sid
        return session

    def session(self, sid: str) -> SsoSession | None:
        """Return a session that is not over: 4 hours at most, 30 minutes idle."""
        found = self.sessions.get(sid)
        if found is not None and self._is_over(found):
            self.close_session(sid)
            return None
        return found

    def session_of(self, cookie: str | None) -> SsoSession | None:
        """Return the session that a browser's cookie opens."""
        sid = self.by_cookie.get(cookie) if cookie else None
        return self.session(sid) if sid else None

    def close_session(self, sid: str) -> None:
        """End a session for every client."""
        found = self.sessions.pop(sid, None)
        if found is not None and found.cookie is not None:
            self.by_cookie.pop(found.cookie, None)

    def _is_over(self, one: SsoSession) -> bool:
        now, limits = self.now, self.parameters
        return now >= one.auth_time + limits.sso_max or now >= one.seen + limits.sso_idle
