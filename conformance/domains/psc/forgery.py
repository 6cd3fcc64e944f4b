"""Tokens as an attacker would make them: each breaks one rule, the rest is right."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from bifente.conformance.domains.psc.claims_matcher import claims_of
from bifente.conformance.domains.psc.vocabulary import TokenForgery
from bifente.simulator.services.psc.tokens import TokenMint

_TIMES = frozenset({"iat", "exp", "nbf"})


def forged(token: str, how: TokenForgery, jwks: Mapping[str, Any]) -> str:
    """Return a token broken in one way. ``jwks`` are the published keys, as an attacker has them."""
    return _WAYS[how](token, jwks)


def resigned(token: str, changes: Mapping[str, Any], mint: TokenMint, secret: str | None = None) -> str:
    """Return a token that the provider itself would have signed with other claims: what a provider at fault gives."""
    claims = {**claims_of(token), **changes}
    kept = {key: value for key, value in claims.items() if value is not None}
    return mint.shared(kept, secret) if secret is not None else mint.signed(kept)


def client_assertion(
    client: str,
    own: OctKey | RSAKey,
    said: Mapping[str, Any],
    changes: Mapping[str, Any],
) -> str:
    """Return an assertion of a client, signed with its secret or its key; ``said`` are ``aud``, ``iat`` and ``jti``.

    Times among ``changes`` are seconds from ``iat``.
    """
    now = int(said["iat"])
    moved = {
        name: now + value if name in _TIMES and isinstance(value, int) else value for name, value in changes.items()
    }
    claims = {
        "iss": client,
        "sub": client,
        "exp": now + 30,
        **said,
        **moved,
    }
    kept = {name: value for name, value in claims.items() if value is not None}
    algorithm = "HS256" if isinstance(own, OctKey) else "RS256"
    return jws.serialize_compact({"alg": algorithm, "typ": "JWT"}, json.dumps(kept).encode(), own)


def _header(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_decoded(token.split(".")[0]))
    return found


def _alg_none(token: str, jwks: Mapping[str, Any]) -> str:
    return f"{_encoded({'alg': 'none', 'typ': 'JWT', 'kid': _header(token).get('kid')})}.{token.split('.')[1]}."


def _public_key_as_secret(token: str, jwks: Mapping[str, Any]) -> str:
    # By hand: joserfc refuses to take a public key for a secret, as the library of a victim would not.
    public = RSAKey.import_key(jwks["keys"][0]).as_pem(private=False)
    head = _encoded({"alg": "HS256", "typ": "JWT", "kid": jwks["keys"][0]["kid"]})
    claims = token.split(".")[1]
    digest = hmac.digest(public, f"{head}.{claims}".encode(), "sha256")
    return f"{head}.{claims}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def _other_key(token: str, jwks: Mapping[str, Any]) -> str:
    return _signed({"alg": "RS256", "typ": "JWT", "kid": jwks["keys"][0]["kid"]}, token, _attackers())


def _other_algorithm(token: str, jwks: Mapping[str, Any]) -> str:
    header = {"alg": "ES256", "typ": "JWT", "kid": jwks["keys"][0]["kid"]}
    return _signed(header, token, ECKey.generate_key("P-256", private=True))


def _key_in_header(token: str, jwks: Mapping[str, Any]) -> str:
    key = _attackers()
    header = {"alg": "RS256", "typ": "JWT", "kid": jwks["keys"][0]["kid"], "jwk": key.as_dict(private=False)}
    return _signed(header, token, key)


def _unknown_key(token: str, jwks: Mapping[str, Any]) -> str:
    return _signed({"alg": "RS256", "typ": "JWT", "kid": "unknown"}, token, _attackers())


def _claims_changed(token: str, jwks: Mapping[str, Any]) -> str:
    head, _claims, signature = token.split(".")
    claims = claims_of(token)
    return f"{head}.{_encoded({**claims, 'exp': int(claims.get('exp', 0)) + 3600})}.{signature}"


_WAYS: Mapping[TokenForgery, Callable[[str, Mapping[str, Any]], str]] = {
    TokenForgery.ALG_NONE: _alg_none,
    TokenForgery.PUBLIC_KEY_AS_SECRET: _public_key_as_secret,
    TokenForgery.OTHER_KEY: _other_key,
    TokenForgery.OTHER_ALGORITHM: _other_algorithm,
    TokenForgery.KEY_IN_HEADER: _key_in_header,
    TokenForgery.UNKNOWN_KEY: _unknown_key,
    TokenForgery.CLAIMS_CHANGED: _claims_changed,
    TokenForgery.NO_SIGNATURE: lambda token, jwks: token.rpartition(".")[0] + ".",
    TokenForgery.CUT: lambda token, jwks: token.rpartition(".")[0],
}


def _signed(header: Mapping[str, Any], token: str, key: Any) -> str:
    head, claims = _encoded(header), token.split(".")[1]
    registry = jws.JWSRegistry(algorithms=[header["alg"]])
    algorithm = registry.get_alg(header["alg"])
    signature = algorithm.sign(f"{head}.{claims}".encode(), key)
    return f"{head}.{claims}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


@cache
def _attackers() -> RSAKey:
    return RSAKey.generate_key(2048, private=True)


def _encoded(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
