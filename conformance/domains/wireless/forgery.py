"""Tokens as an attacker, or a software gone wrong, would present them: each breaks one rule, the rest is right."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from bifente.simulator.formats.jose.seal import Key, Seal, SigningKey, deflate

_BOMB = 1_500_000
"""Bytes the bomb inflates to: about 1,500 once deflated, so that it fits in a header."""
_HOUR = 3600


class Forgery(StrEnum):
    """What is wrong with a token."""

    TAMPERED = "tampered"
    NO_SIGNATURE = "no-signature"
    NONE_ALGORITHM = "none-algorithm"
    HMAC_WITH_PUBLIC_KEY = "hmac-with-public-key"
    OTHER_KEY = "other-key"
    UNKNOWN_KEY = "unknown-key"
    NO_KEY_NAME = "no-key-name"
    OTHER_COMPRESSION = "other-compression"
    INFLATION_BOMB = "inflation-bomb"
    OTHER_ISSUER = "other-issuer"
    OTHER_AUDIENCE = "other-audience"
    EXPIRED = "expired"
    FROM_THE_FUTURE = "from-the-future"
    LIVES_TOO_LONG = "lives-too-long"
    NO_EXPIRY = "no-expiry"
    NO_TOKEN = "no-token"  # noqa: S105 - a word
    TWO_TOKENS = "two-tokens"
    GARBAGE = "garbage"


def forge(kind: Forgery, token: str, seal: Seal, key: SigningKey) -> list[str]:
    """The values of the header that carries a token, made wrong; ``key`` is the real issuer's.

    One value, but for ``no-token`` (none) and ``two-tokens`` (the good one twice).
    """
    header, content, signature = token.split(".")
    claims = seal.open(token, key.public)
    match kind:
        case Forgery.NO_TOKEN:
            return []
        case Forgery.TWO_TOKENS:
            return [token, token]
        case Forgery.GARBAGE:
            return ["not.a.token"]
        case Forgery.NO_SIGNATURE:
            return [f"{header}.{content}."]
        case Forgery.TAMPERED:
            other = _packed(seal, {**claims, "sub": f"{claims['sub'][:-1]}!"})
            return [f"{header}.{_part(other)}.{signature}"]
        case Forgery.NONE_ALGORITHM:
            return [f"{_part(_json({**_header(seal, key.kid), 'alg': 'none'}))}.{content}."]
        case Forgery.HMAC_WITH_PUBLIC_KEY:
            (public,) = key.public.values()
            signed = f"{_part(_json({**_header(seal, key.kid), 'alg': 'HS256'}))}.{content}"
            return [f"{signed}.{_part(hmac.digest(public.as_pem(private=False), signed.encode(), hashlib.sha256))}"]
        case Forgery.OTHER_KEY:
            stranger = RSAKey.generate_key(2048) if isinstance(key.key, RSAKey) else ECKey.generate_key("P-256")
            return [seal.close(claims, stranger, key.kid)]
        case Forgery.UNKNOWN_KEY:
            return [seal.close(claims, key.key, "nobody-knows-this-key")]
        case Forgery.NO_KEY_NAME:
            return [_signed(_header(seal, None), _packed(seal, claims), seal, key.key)]
        case Forgery.OTHER_COMPRESSION:
            # Deflated where it must not be, plain where it must.
            opposite = Seal(seal.algorithm, deflated=not seal.deflated)
            return [_signed(_header(opposite, key.kid), _packed(opposite, claims), seal, key.key)]
        case Forgery.INFLATION_BOMB:
            bomb = deflate(_json(claims)[:-1] + b" " * _BOMB + b"}")
            return [_signed({**_header(seal, key.kid), "zip": "DEF"}, bomb, seal, key.key)]
        case _:
            changed = {name: value for name, value in {**claims, **_claims(kind, claims)}.items() if value is not None}
            return [seal.close(changed, key.key, key.kid)]


def _claims(kind: Forgery, claims: Mapping[str, Any]) -> Mapping[str, Any]:
    issued, expires = claims["iat"], claims["exp"]
    return {
        Forgery.OTHER_ISSUER: {"iss": "somebody-else"},
        Forgery.OTHER_AUDIENCE: {"aud": "somebody-else"},
        Forgery.EXPIRED: {"iat": issued - 10 * _HOUR, "exp": expires - 10 * _HOUR},
        Forgery.FROM_THE_FUTURE: {"iat": issued + _HOUR, "exp": expires + _HOUR},
        Forgery.LIVES_TOO_LONG: {"exp": expires + 24 * _HOUR},
        Forgery.NO_EXPIRY: {"exp": None},
    }[kind]


def _header(seal: Seal, kid: str | None) -> dict[str, Any]:
    header = {"alg": seal.algorithm, "typ": "JWT"}
    return {**header, **({"kid": kid} if kid else {}), **({"zip": "DEF"} if seal.deflated else {})}


def _packed(seal: Seal, claims: Mapping[str, Any]) -> bytes:
    return deflate(_json(claims)) if seal.deflated else _json(claims)


def _signed(header: Mapping[str, Any], content: bytes, seal: Seal, key: Key) -> str:
    """Any header over any content, really signed."""
    signed = f"{_part(_json(header))}.{_part(content)}"
    algorithm = jws.JWSRegistry(algorithms=[seal.algorithm]).get_alg(seal.algorithm)
    return f"{signed}.{_part(algorithm.sign(signed.encode(), key))}"


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
