"""Signed assertions by which a client proves who it is: ``client_secret_jwt`` and ``private_key_jwt`` (RFC 7523).

Limits and words are those of the Keycloak underneath (sources#keycloak). A client has one method, the one that it was
registered with: who has a secret alone is not let in by an assertion that it signs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, RSAKey

from bifente.simulator.services.psc.errors import OAuthError
from bifente.simulator.services.psc.model import RegisteredClient, public_key
from bifente.simulator.services.psc.state import ProviderState

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_ASSERTION = 8192
_SKEW, _LONGEST_LIFE = 15, 60
"""Seconds: how far clocks may differ, and for how long an assertion is good at most."""
_NEVER = 2**40
"""No date is as late, and no number that JSON can write and that is none (NaN, infinity) is below it."""
_ALGORITHMS = {
    "client_secret_jwt": ["HS256", "HS384", "HS512"],
    "private_key_jwt": [f"{family}{size}" for family in ("RS", "PS", "ES") for size in (256, 384, 512)],
}
_Key = RSAKey | ECKey | OctKey


class ClientAssertion:
    """An assertion as it was received: its header and claims are read, nothing of it is believed yet."""

    def __init__(self, text: str) -> None:
        """Read it. Raise OAuthError."""
        if len(text) > LONGEST_ASSERTION or not text.isascii():
            raise refused(f"Client authentication with signed JWT failed: more than {LONGEST_ASSERTION} characters")
        try:
            self.sealed = jws.extract_compact(text.encode())
            self.header: Mapping[str, Any] = self.sealed.headers()
            self.claims: Mapping[str, Any] = json.loads(self.sealed.payload)
        except (JoseError, ValueError, TypeError, AttributeError, RecursionError):
            raise refused("Client authentication with signed JWT failed: no readable JWT") from None
        if not isinstance(self.header, dict) or not isinstance(self.claims, dict):
            raise refused("Client authentication with signed JWT failed: no readable JWT")

    def client(self, form: Mapping[str, str]) -> str:
        """Return the id of the client that it says it is of. Raise OAuthError."""
        said = self.claims.get("sub")
        if not isinstance(said, str):
            raise refused("Token sub claim is required")
        if form.get("client_id", said) != said:
            raise refused("client_id parameter does not match sub claim")
        if self.claims.get("iss") != said:
            raise refused("Issuer mismatch. The issuer should match the subject")
        return said


class AssertionJudge:
    """Believes the assertions of registered clients, each once."""

    def __init__(self, state: ProviderState) -> None:
        self._state = state

    def judge(self, client: RegisteredClient, assertion: ClientAssertion) -> None:
        """Take it that this client signed the assertion, for this provider, now. Raise OAuthError."""
        self._check_signature(client, assertion)
        self._check_audience(assertion.claims)
        self._check_life(assertion.claims)
        self._check_once(client, assertion.claims)

    def _check_signature(self, client: RegisteredClient, assertion: ClientAssertion) -> None:
        algorithm = assertion.header.get("alg")
        algorithms = _ALGORITHMS[str(client.authentication)]
        if algorithm not in algorithms:
            raise refused("Invalid signature algorithm")
        known = self._keys(client)
        kid = assertion.header.get("kid")
        # A key that was registered without an id is tried whatever the assertion calls it, as a certificate is.
        fitting = [key for name, key in known if kid is None or name is None or name == kid]
        if not fitting:
            raise refused("Unable to load public key")
        # Other headers (x5t, x5c) name keys too: none is looked at, only what was registered counts.
        registry = jws.JWSRegistry(algorithms=[str(algorithm)], strict_check_header=False)
        if not any(_holds(assertion, key, registry) for key in fitting):
            raise refused("Client authentication with signed JWT failed: Signature on JWT token failed validation")

    def _keys(self, client: RegisteredClient) -> list[tuple[str | None, _Key]]:
        if client.secret is not None and client.authentication == "client_secret_jwt":
            return [(None, OctKey.import_key(client.secret.encode()))]
        if client.keys:
            return [(key.kid, key) for key in map(public_key, client.keys)]
        own = RSAKey.import_key(self._state.keys.key(client.key_name).public_key())
        return [(None, own)]

    def _check_audience(self, claims: Mapping[str, Any]) -> None:
        addresses = self._state.addresses
        endpoints = ("token", "token/introspect", "ext/par/request", "ext/ciba/auth")
        said = claims.get("aud")
        told = said if isinstance(said, list) else [said]
        if not {addresses.issuer, *map(addresses.protocol, endpoints)} & {one for one in told if isinstance(one, str)}:
            raise refused("Invalid token audience")
        if len(told) > 1:
            raise refused("Multiple audiences not allowed")

    def _check_life(self, claims: Mapping[str, Any]) -> None:
        now = self._state.now
        end, issued, start = (_time(claims, name) for name in ("exp", "iat", "nbf"))
        if end is None:
            raise refused("Token exp claim is required")
        if now >= end + _SKEW or (start is not None and now + _SKEW < start):
            raise refused("Token is not active")
        if issued is None:
            if end - now > _LONGEST_LIFE:
                raise refused("Token expiration is too far in the future and iat claim not present in token")
        elif issued - _SKEW > now:
            raise refused("Token was issued in the future")
        elif now > issued + _LONGEST_LIFE:
            raise refused("Token was issued too far in the past to be used now")

    def _check_once(self, client: RegisteredClient, claims: Mapping[str, Any]) -> None:
        said = claims.get("jti")
        if not isinstance(said, str) or not said:
            raise refused("Token jti claim is required")
        key = f"{client.id} {said}"
        if self._state.asserted.get(key):
            raise refused("Token reuse detected")
        # For as long as it could pass for fresh: a minute from its issue, and what clocks may differ by.
        self._state.asserted.put(key, True, _LONGEST_LIFE + 2 * _SKEW)


def refused(description: str) -> OAuthError:
    """Return the refusal of an assertion."""
    return OAuthError("invalid_client", description)


def _holds(assertion: ClientAssertion, key: _Key, registry: jws.JWSRegistry) -> bool:
    try:
        return jws.validate_compact(assertion.sealed, key, registry=registry)
    except (JoseError, ValueError, TypeError):
        return False


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    said = claims.get(name)
    if said is None:
        return None
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said < _NEVER:
        raise refused(f"Client authentication with signed JWT failed: {name} is no time")
    return float(said)
