"""What the session token of a wireless terminal says. The names are standard JWT ones; their set is modelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bifente.simulator.formats.jose.claims import ROUNDING, moment, number, text
from bifente.simulator.formats.jose.seal import Key, Seal
from bifente.simulator.readers.wireless.refusals import Refusal, TokenRefusedError, refusing

ACCESS = Seal("ES256", deflated=True)
"""The seal of access tokens as observed in the field: JOSE header ES256, zip DEF (sources#cloudfsv)."""


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """A session token read: times in seconds since 1970, UTC.

    ``pairing`` counts how often the terminal was paired, so that a token of an earlier pairing is told apart.
    """

    issuer: str
    audience: str
    terminal: str
    session: str
    token_id: str
    pairing: int
    issued: float
    expires: float

    def written(self) -> dict[str, Any]:
        """As JWT claims."""
        return {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": self.terminal,
            "sid": self.session,
            "jti": self.token_id,
            "pairing": self.pairing,
            "iat": number(self.issued),
            "exp": number(self.expires),
        }

    @classmethod
    def read(cls, claims: Mapping[str, Any]) -> AccessClaims:
        """Of JWT claims. Raises TokenRefusedError if one is missing or of the wrong kind."""
        pairing = claims.get("pairing")
        if not isinstance(pairing, int) or isinstance(pairing, bool):
            raise TokenRefusedError(Refusal.CLAIMS, "pairing")
        with refusing():
            return cls(
                issuer=text(claims, "iss"),
                audience=text(claims, "aud"),
                terminal=text(claims, "sub"),
                session=text(claims, "sid"),
                token_id=text(claims, "jti"),
                pairing=pairing,
                issued=moment(claims, "iat"),
                expires=moment(claims, "exp"),
            )

    @classmethod
    def opened(cls, token: str, keys: Mapping[str, Key]) -> AccessClaims:
        """Return what a token says whose signature holds under one of ``keys``. Raise TokenRefusedError."""
        with refusing():
            return cls.read(ACCESS.open(token, keys))

    def check_time(self, now: float, *, ttl: float, leeway: float) -> None:
        """Refuse a token that is expired, from the future, or longer lived than ``ttl``. Raises TokenRefusedError.

        ``leeway`` (seconds) pardons a clock that is behind, never an expired token: RFC 7519 lets a token end *at*
        ``exp``, not after it.
        """
        if not 0 < self.expires - self.issued <= ttl + ROUNDING:
            raise TokenRefusedError(Refusal.LIFETIME, f"at most {ttl:g} s")
        if now < self.issued - leeway:
            raise TokenRefusedError(Refusal.NOT_YET, f"by {self.issued - now:.0f} s")
        if now >= self.expires:
            raise TokenRefusedError(Refusal.EXPIRED, f"{now - self.expires:.0f} s ago")
