"""The tokens: access and ID tokens verify with the published keys, refresh tokens with the provider's own.

Signatures are joserfc's. A token is believed under one algorithm alone, whatever it says of itself.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc.jwk import OctKey, RSAKey

from bifente.simulator.formats.jose.refusals import SealError
from bifente.simulator.formats.jose.seal import Seal
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.serving.service import Declare

SIGNED, SHARED, OWN = Seal("RS256", deflated=False), Seal("HS256", deflated=False), Seal("HS512", deflated=False)


class TokenGrant(StrEnum):
    """How a token was got; the value is the end of the prefix of its ``jti`` (sources#psc-code)."""

    CODE = "ac"
    REFRESH = "rt"
    CIBA = "ci"
    EXCHANGE = "te"


@dataclass(frozen=True, slots=True)
class _Pair:
    kid: str
    private: RSAKey
    public: RSAKey

    @classmethod
    def of(cls, key: RSAPrivateKey) -> _Pair:
        private = RSAKey.import_key(key)
        pem = private.as_pem(private=False)
        kid = base64.urlsafe_b64encode(hashlib.sha256(pem).digest()).decode().rstrip("=")
        return cls(kid, private, RSAKey.import_key(pem))


class TokenMint:
    """Signs tokens and believes its own. ``random`` gives identifiers, ``declare`` hears every token as it is born."""

    def __init__(self, keys: KeySource, random: Callable[[int], bytes], declare: Declare, name: str = "psc") -> None:
        self._keys = keys
        self._random = random
        self._declare = declare
        self._name = name
        self._generations = 1
        self._read: dict[int, _Pair] = {}
        self._secret = random(64)

    # -- keys ----------------------------------------------------------------------------------------------------------

    def rotate(self) -> None:
        """Sign with another key from now on; the former one stays published."""
        self._generations += 1

    @cached_property
    def _own(self) -> OctKey:
        return OctKey.import_key(self._secret)

    @property
    def _pairs(self) -> Sequence[_Pair]:
        """Every pair so far."""
        return [self._pair(generation) for generation in range(self._generations)]

    def _pair(self, generation: int) -> _Pair:
        """Return a pair, read when it is first needed: of the mints of a provider most scenarios use one."""
        found = self._read.get(generation)
        if found is None:
            key = self._keys.key(f"{self._name}/signature-{generation}")
            found = self._read.setdefault(generation, _Pair.of(key))
        return found

    @property
    def jwks(self) -> Mapping[str, Any]:
        """The published key set."""
        keys = [
            {**pair.public.as_dict(private=False), "kid": pair.kid, "use": "sig", "alg": "RS256"}
            for pair in self._pairs
        ]
        return {"keys": keys}

    # -- making --------------------------------------------------------------------------------------------------------

    def identifier(self, prefix: str = "") -> str:
        """Return a new ``jti``, a UUID behind its prefix."""
        digits = self._random(16).hex()
        return f"{prefix}{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def secret(self, size: int = 32) -> str:
        """Return a new secret of URL-safe characters: a code, a cookie, a request id."""
        made = base64.urlsafe_b64encode(self._random(size)).decode().rstrip("=")
        self._declare(made)
        return made

    def signed(self, claims: Mapping[str, Any]) -> str:
        """Return claims signed with the published key."""
        pair = self._pair(self._generations - 1)
        return self._born(SIGNED.close(claims, pair.private, pair.kid))

    def shared(self, claims: Mapping[str, Any], secret: str) -> str:
        """Return claims signed with the secret of the client they are for."""
        return self._born(SHARED.close(claims, OctKey.import_key(secret.encode()), "client-secret"))

    def own(self, claims: Mapping[str, Any]) -> str:
        """Return claims that only the provider can verify."""
        return self._born(OWN.close(claims, self._own, "own"))

    def _born(self, token: str) -> str:
        self._declare(token)
        return token

    # -- believing -----------------------------------------------------------------------------------------------------

    def read(self, token: str) -> dict[str, Any]:
        """Return the claims of a token signed with a published key. Raise SealError."""
        return SIGNED.open(token, {pair.kid: pair.public for pair in self._pairs})

    def read_own(self, token: str) -> dict[str, Any]:
        """Return the claims of a token made by ``own``. Raise SealError."""
        return OWN.open(token, {"own": self._own})

    def read_hint(self, token: str, secret: str | None) -> dict[str, Any] | None:
        """Return the claims of an ID token given back, however it was signed; None if it is not ours."""
        try:
            return self.read(token)
        except SealError:
            if secret is None:
                return None
        try:
            return SHARED.open(token, {"client-secret": OctKey.import_key(secret.encode())})
        except SealError:
            return None


def thumbprint(certificate: x509.Certificate) -> str:
    """Return ``x5t#S256`` of a certificate (RFC 8705, section 3.1)."""
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def left_half(value: str) -> str:
    """Return ``at_hash`` of an access token (OpenID Connect Core, section 3.1.3.6; RS256 and HS256 alike)."""
    return base64.urlsafe_b64encode(hashlib.sha256(value.encode("ascii")).digest()[:16]).decode().rstrip("=")
