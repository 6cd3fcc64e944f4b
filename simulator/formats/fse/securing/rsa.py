"""A signature of a sheet, checked: RSA PKCS#1 v1.5 with SHA-256 under the key of a certificate."""

from __future__ import annotations

import hashlib
from enum import Enum
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

# What a library that reads DER lazily may raise at any attribute.
_MALFORMED = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    x509.InvalidVersion,
)
_SMALLEST = 2048


class SignatureFinding(Enum):
    """What a signature is worth."""

    GOOD = "good"
    OTHER_CONTENT = "other-content"
    """The key did sign something: not this."""
    BAD = "bad"


@lru_cache(maxsize=1024)
def certificate_of(raw: bytes) -> tuple[x509.Certificate, RSAPublicKey] | None:
    """A certificate (DER) that can be read to its end, and its key; None if it is none of an RSA key of 2048 bits."""
    try:
        found = x509.load_der_x509_certificate(raw)
        key = found.public_key()
        for name in (found.issuer, found.subject):
            name.public_bytes()
        _ = (found.extensions, found.not_valid_before_utc, found.not_valid_after_utc, found.serial_number)
    except _MALFORMED:
        return None
    if not raw.endswith(b"\0" + found.signature):
        return None  # the count of unused bits before the signature is signed by nobody
    return (found, key) if isinstance(key, RSAPublicKey) and key.key_size >= _SMALLEST else None


def judged(key: RSAPublicKey, content: bytes, value: bytes) -> SignatureFinding:
    """What a signature under a key is worth for a content."""
    try:
        key.verify(value, content, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        pass
    else:
        return SignatureFinding.GOOD
    try:
        told = key.recover_data_from_signature(value, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return SignatureFinding.BAD
    return SignatureFinding.OTHER_CONTENT if told != hashlib.sha256(content).digest() else SignatureFinding.BAD


def signed_by(certificate: bytes, content: bytes, value: bytes) -> bool:
    """Whether the key of a certificate (DER) signed a content."""
    found = certificate_of(certificate)
    return found is not None and judged(found[1], content, value) is SignatureFinding.GOOD
