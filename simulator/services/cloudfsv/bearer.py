"""The bearer token of the software that calls: a JWT signed RS256, named by its key (sources#cloudfsv).

Its header is observed; its claims, its life and how it is obtained are not public: modelled.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.jwk import RSAKey

from bifente.ground.clock import Clock
from bifente.simulator.formats.jose.claims import ROUNDING, moment, number, text
from bifente.simulator.formats.jose.seal import Key, Seal, SigningKey
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.readers.wireless.refusals import Refusal, TokenRefusedError, refusing
from bifente.simulator.serving.service import Declare, to_nobody

BEARER = Seal("RS256", deflated=False)
KID = "laboratory-software-1"


@dataclass(frozen=True, slots=True)
class BearerParameters:
    """``ttl`` in seconds, ``leeway`` for clocks that disagree; who issues it, and for whom."""

    ttl: float = 3600.0
    leeway: float = 5.0
    issuer: str = "bifente-laboratory"
    audience: str = "bifente-cloudfsv"


class Bearers:
    """Issues and verifies bearer tokens on one clock."""

    def __init__(
        self, clock: Clock, key: SigningKey, chance: random.Random, parameters: BearerParameters | None = None
    ) -> None:
        self.parameters = parameters or BearerParameters()
        self._clock = clock
        self._key = key
        self._chance = chance
        self._public: Mapping[str, Key] = key.public
        self.declare: Declare = to_nobody
        """Hears every token as it is born."""

    def issue(self, software: str = "bifente") -> str:
        """A token for a software."""
        now = self._clock.now().timestamp()
        claims = {
            "iss": self.parameters.issuer,
            "aud": self.parameters.audience,
            "sub": software,
            "jti": f"{self._chance.getrandbits(128):032x}",
            "iat": number(now),
            "exp": number(now + self.parameters.ttl),
        }
        token = BEARER.close(claims, self._key.key, self._key.kid)
        self.declare(token)
        return token

    def verify(self, token: str) -> str:
        """The software a token speaks for. Raises TokenRefusedError."""
        with refusing():
            return self._verified(BEARER.open(token, self._public))

    def _verified(self, claims: Mapping[str, Any]) -> str:
        if text(claims, "iss") != self.parameters.issuer:
            raise TokenRefusedError(Refusal.ISSUER)
        if text(claims, "aud") != self.parameters.audience:
            raise TokenRefusedError(Refusal.AUDIENCE)
        issued, expires = moment(claims, "iat"), moment(claims, "exp")
        if not 0 < expires - issued <= self.parameters.ttl + ROUNDING:
            raise TokenRefusedError(Refusal.LIFETIME)
        now = self._clock.now().timestamp()
        if issued > now + self.parameters.leeway:
            raise TokenRefusedError(Refusal.NOT_YET)
        if now >= expires:
            raise TokenRefusedError(Refusal.EXPIRED)
        return text(claims, "sub")


def laboratory_key(keys: KeySource) -> SigningKey:
    """The laboratory's RSA key for bearer tokens: always the same one for a key store."""
    return SigningKey(KID, RSAKey.import_key(keys.key("cloudfsv/bearer")))
