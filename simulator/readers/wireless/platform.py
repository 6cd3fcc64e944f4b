"""Who pairs terminals and issues their session tokens. Public texts describe neither: all of it is modelled."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bifente.ground.clock import Clock
from bifente.simulator.formats.jose.seal import Key, SigningKey
from bifente.simulator.readers.wireless.claims import ACCESS, AccessClaims
from bifente.simulator.readers.wireless.parameters import TerminalParameters
from bifente.simulator.readers.wireless.refusals import Refusal, TokenRefusedError
from bifente.simulator.readers.wireless.states import Pairing

_SESSIONS = 16
"""Sessions of one terminal that are kept in mind; older ones cannot be renewed."""


@dataclass(slots=True)
class _Enrolled:
    """A terminal the platform knows; ``generation`` counts its pairings."""

    pairing: Pairing = Pairing.NONE
    generation: int = 0
    newest: dict[str, str] = field(default_factory=dict)
    """The last token issued for each session of this pairing: the only one that can be renewed."""


class Platform:
    """Pairs terminals and issues their tokens on its own clock, which is the workstation's.

    ``chance`` gives the identifiers; the key is the laboratory's own and lives as long as this object unless given.
    """

    def __init__(
        self, clock: Clock, parameters: TerminalParameters, chance: random.Random, key: SigningKey | None = None
    ) -> None:
        self.clock = clock
        self.parameters = parameters
        self._chance = chance
        self._key = key or SigningKey.es256("laboratory-terminal-1")
        self._public = self._key.public
        self._enrolled: dict[str, _Enrolled] = {}
        self.declare: Callable[[str], None] = lambda token: None
        """Hears every token as it is born."""

    @property
    def keys(self) -> Mapping[str, Key]:
        """The public keys under which its tokens hold, by key identifier."""
        return self._public

    def enrol(self) -> str:
        """The identifier (UUID) of a terminal fresh from the factory, not yet paired."""
        terminal = str(uuid.UUID(int=self._chance.getrandbits(128), version=4))
        self._enrolled[terminal] = _Enrolled()
        return terminal

    def pair(self, terminal: str) -> None:
        """Pair a terminal; pairing it anew makes every earlier token of its own worthless. Raises KeyError."""
        known = self._enrolled[terminal]
        known.pairing = Pairing.PAIRED
        known.generation += 1
        known.newest.clear()

    def unpair(self, terminal: str, *, revoked: bool = False) -> None:
        """Undo a pairing, or revoke it (the terminal was lost or stolen). Raises KeyError."""
        self._enrolled[terminal].pairing = Pairing.REVOKED if revoked else Pairing.NONE

    def pairing(self, terminal: str) -> Pairing:
        """How a terminal stands; one that was never enrolled is not paired."""
        known = self._enrolled.get(terminal)
        return known.pairing if known is not None else Pairing.NONE

    def issue(self, terminal: str) -> str:
        """A token that opens a new session. Raises TokenRefusedError (not paired, revoked)."""
        return self._issue(terminal, self._identifier())

    def renew(self, token: str, terminal: str) -> str:
        """The token that follows ``token`` in the same session.

        Raises TokenRefusedError: not a token of this platform for this terminal, expired, renewed already, pairing
        gone.
        """
        claims = self.read(token, terminal)
        if claims.token_id != self._enrolled[terminal].newest.get(claims.session):
            raise TokenRefusedError(Refusal.REPLAYED)
        return self._issue(terminal, claims.session)

    def read(self, token: str, terminal: str, *, skew: float = 0.0) -> AccessClaims:
        """A token verified in full for a terminal, at this platform's time plus ``skew``. Raises TokenRefusedError."""
        claims = AccessClaims.opened(token, self.keys)
        if claims.issuer != self.parameters.issuer:
            raise TokenRefusedError(Refusal.ISSUER)
        if claims.audience != self.parameters.audience:
            raise TokenRefusedError(Refusal.AUDIENCE)
        if claims.terminal != terminal:
            raise TokenRefusedError(Refusal.OTHER_TERMINAL)
        self._paired(terminal)
        if claims.pairing != self._enrolled[terminal].generation:
            raise TokenRefusedError(Refusal.OTHER_PAIRING)
        now = self.clock.now().timestamp() + skew
        claims.check_time(now, ttl=self.parameters.ttl, leeway=self.parameters.leeway)
        return claims

    def _issue(self, terminal: str, session: str) -> str:
        self._paired(terminal)
        known = self._enrolled[terminal]
        token_id = self._identifier()
        known.newest.pop(session, None)
        known.newest[session] = token_id
        if len(known.newest) > _SESSIONS:
            del known.newest[next(iter(known.newest))]
        now = self.clock.now().timestamp()
        claims = AccessClaims(
            issuer=self.parameters.issuer,
            audience=self.parameters.audience,
            terminal=terminal,
            session=session,
            token_id=token_id,
            pairing=known.generation,
            issued=now,
            expires=now + self.parameters.ttl,
        )
        token = ACCESS.close(claims.written(), self._key.key, self._key.kid)
        self.declare(token)
        return token

    def _paired(self, terminal: str) -> None:
        if (reason := self.pairing(terminal).refusal) is not None:
            raise TokenRefusedError(reason)

    def _identifier(self) -> str:
        return f"{self._chance.getrandbits(128):032x}"
