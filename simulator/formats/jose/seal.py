"""Signed tokens: compact JWS (RFC 7515) of one agreed algorithm and key, their content deflated where agreed.

``zip: DEF`` on a JWS is no standard header: RFC 7516 has it for encrypted tokens. It was observed on access tokens of
the field (sources#cloudfsv), and means here what it means there: raw DEFLATE (RFC 1951) of the content before it
is signed.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, RSAKey
from joserfc.registry import HeaderParameter

from bifente.simulator.formats.jose.refusals import SealError, SealRefusal

LONGEST_TOKEN = 4096
"""Most characters of a token: it travels in an HTTP header."""
LONGEST_CONTENT = 8192
"""Most bytes of its content once inflated: a few hundred are needed, a bomb would make a thousand times its size."""

Key = ECKey | RSAKey
AnyKey = Key | OctKey
"""A shared secret signs too (HS256, HS512)."""

_ZIP = {"zip": HeaderParameter("compression of the content", "str")}


@dataclass(frozen=True, slots=True)
class Seal:
    """How one kind of token is sealed. ``algorithm`` is the only one accepted, whatever a token says of itself."""

    algorithm: str
    deflated: bool
    longest: int = LONGEST_TOKEN
    """Most characters of a token of this kind."""

    def close(self, claims: Mapping[str, Any], key: AnyKey, kid: str) -> str:
        """Sign claims. ``key`` is a private key of the algorithm."""
        content = json.dumps(claims, separators=(",", ":")).encode()
        header = {"alg": self.algorithm, "kid": kid, "typ": "JWT"}
        if self.deflated:
            header["zip"] = "DEF"
            content = deflate(content)
        return jws.serialize_compact(header, content, key, registry=self._registry())

    def open(self, token: str, keys: Mapping[str, AnyKey]) -> dict[str, Any]:
        """The claims of a token whose signature holds under one of ``keys`` (by key identifier).

        Raises SealError. Nothing of the content is looked at, nor inflated, before the signature is verified.
        """
        if len(token) > self.longest or not token.isascii():
            raise SealError(SealRefusal.MALFORMED, f"{len(token)} characters, at most {self.longest}")
        try:
            sealed = jws.extract_compact(token.encode())
            header = sealed.headers()
        except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise SealError(SealRefusal.MALFORMED, type(error).__name__) from None
        if not isinstance(header, dict):
            raise SealError(SealRefusal.MALFORMED, "the header is no JSON object")
        self._check_header(header)
        key = keys.get(header["kid"])
        if key is None:
            raise SealError(SealRefusal.UNKNOWN_KEY)
        try:
            holds = jws.validate_compact(sealed, key, registry=self._registry())
        except (JoseError, ValueError, TypeError) as error:
            raise SealError(SealRefusal.SIGNATURE, type(error).__name__) from None
        if not holds:
            raise SealError(SealRefusal.SIGNATURE)
        return _claims(inflate(sealed.payload) if self.deflated else sealed.payload)

    def _check_header(self, header: Mapping[str, Any]) -> None:
        if header.get("alg") != self.algorithm:
            raise SealError(SealRefusal.ALGORITHM, f"{self.algorithm} is agreed")
        if header.get("zip") != ("DEF" if self.deflated else None):
            raise SealError(SealRefusal.COMPRESSION, f"zip {'DEF' if self.deflated else 'absent'} is agreed")
        if unknown := set(header) - {"alg", "kid", "typ", "zip"}:
            # jwk, jku, x5c would offer a key of the sender's own; crit and b64 would change what is signed.
            raise SealError(SealRefusal.MALFORMED, f"header {sorted(unknown)[0]!r} is not accepted")
        if not isinstance(header.get("kid"), str):
            raise SealError(SealRefusal.UNKNOWN_KEY, "no kid")

    def _registry(self) -> jws.JWSRegistry:
        return jws.JWSRegistry(_ZIP, algorithms=[self.algorithm])


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the name its tokens give it."""

    kid: str
    key: Key = field(repr=False)

    @classmethod
    def es256(cls, kid: str) -> SigningKey:
        """A new key on P-256."""
        return cls(kid, ECKey.generate_key("P-256", private=True))

    @property
    def public(self) -> Mapping[str, Key]:
        """What who verifies needs: the public key by its name."""
        return {self.kid: type(self.key).import_key(self.key.as_pem(private=False))}


def deflate(content: bytes) -> bytes:
    """Raw DEFLATE, no zlib wrapper."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def inflate(packed: bytes) -> bytes:
    """The content of a raw DEFLATE stream, never more than ``LONGEST_CONTENT`` bytes. Raises SealError."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = unpacker.decompress(packed, LONGEST_CONTENT + 1)
    except zlib.error:
        raise SealError(SealRefusal.COMPRESSION, "no DEFLATE stream") from None
    if len(content) > LONGEST_CONTENT:
        raise SealError(SealRefusal.COMPRESSION, f"more than {LONGEST_CONTENT} bytes once inflated")
    if not unpacker.eof or unpacker.unused_data:
        raise SealError(SealRefusal.COMPRESSION, "the stream is cut, or something follows it")
    return content


def _claims(content: bytes) -> dict[str, Any]:
    try:
        claims = json.loads(content)
    except (ValueError, RecursionError):
        raise SealError(SealRefusal.CLAIMS, "no JSON") from None
    if not isinstance(claims, dict):
        raise SealError(SealRefusal.CLAIMS, "no JSON object")
    return claims
