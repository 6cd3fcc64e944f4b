"""Whether an ID token is believed (OpenID Connect Core, section 3.1.3.7). Signatures are joserfc's."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from joserfc.jwk import ECKey, OctKey, RSAKey

from bifente.simulator.formats.jose.refusals import SealError, SealRefusal
from bifente.simulator.formats.jose.seal import AnyKey, Seal
from bifente.simulator.software.relying_party.refusals import ClientRefusal, ClientRefusedError

_REASONS = {
    SealRefusal.ALGORITHM: ClientRefusal.ALGORITHM,
    SealRefusal.UNKNOWN_KEY: ClientRefusal.KEY,
    SealRefusal.SIGNATURE: ClientRefusal.SIGNATURE,
}
_LEEWAY = 5
_LONGEST = 65_536
"""UserInfo travels in the body of an answer: a signed one may be long."""


def keys_of(jwks: Mapping[str, Any]) -> dict[str, AnyKey]:
    """Return the keys of a published set by their names; kinds that are not known are left out."""
    readers: Mapping[str, Callable[[Any], AnyKey]] = {"RSA": RSAKey.import_key, "EC": ECKey.import_key}
    return {one["kid"]: readers[one["kty"]](one) for one in jwks.get("keys", ()) if one.get("kty") in readers}


def opened(token: str, algorithm: str, keys: Mapping[str, AnyKey], secret: str | None) -> dict[str, Any]:
    """Return the claims of a token signed as agreed. Raise ClientRefusedError.

    The algorithm is the registered one, never the one that the token names: a token signed with the published key as if
    it were a shared secret is refused, and one that is not signed at all.
    """
    seal = Seal(algorithm, deflated=False, longest=_LONGEST)
    if algorithm == "HS256":
        keys = {"client-secret": OctKey.import_key((secret or "").encode())}
    try:
        return seal.open(token, keys)
    except SealError as error:
        raise ClientRefusedError(_REASONS.get(error.reason, ClientRefusal.MALFORMED)) from None


def check_claims(claims: Mapping[str, Any], issuer: str, client: str, now: float) -> None:
    """Check whom a token is from, whom it is for, and that it is good now. Raise ClientRefusedError."""
    if claims.get("iss") != issuer:
        raise ClientRefusedError(ClientRefusal.TOKEN_ISSUER)
    audience = claims.get("aud")
    if client not in (audience if isinstance(audience, list) else [audience]) or claims.get("azp", client) != client:
        raise ClientRefusedError(ClientRefusal.AUDIENCE)
    if not isinstance(claims.get("exp"), int) or now >= claims["exp"] + _LEEWAY:
        raise ClientRefusedError(ClientRefusal.EXPIRED)


def check_access_hash(claims: Mapping[str, Any], access: str) -> None:
    """Check that an ID token came with this access token. Raise ClientRefusedError."""
    digest = hashlib.sha256(access.encode("ascii", "replace")).digest()[:16]
    made = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    if "at_hash" in claims and claims["at_hash"] != made:
        raise ClientRefusedError(ClientRefusal.ACCESS_HASH)
