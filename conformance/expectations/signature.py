"""Signatures judged outside the card, by a well-kept library, under a certificate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_HASHES: Mapping[str, hashes.HashAlgorithm] = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}  # noqa: S303


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature as observed: ``value`` over ``message`` hashed with ``digest``.

    ``scheme`` is PKCS#1 v1.5, or PSS with a salt exactly as long as the hash (CARD-CPS4-17). With ``digest`` None,
    ``message`` is the DigestInfo (or any data) that was padded as given by PKCS#1 v1.5.
    """

    value: bytes
    message: bytes
    digest: str | None
    scheme: Literal["pkcs1", "pss"] = "pkcs1"

    def valid_under(self, certificate: x509.Certificate) -> bool:
        """Whether the certificate's public key accepts it."""
        key = certificate.public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            return False
        try:
            if self.digest is None:
                return key.recover_data_from_signature(self.value, padding.PKCS1v15(), None) == self.message
            algorithm = _HASHES[self.digest]
            filling: padding.AsymmetricPadding = padding.PKCS1v15()
            if self.scheme == "pss":
                filling = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
            key.verify(self.value, self.message, filling, algorithm)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SignatureMatcher:
    """A certificate (``$card.certificates.signature``) under which the observed signature is valid, or is not."""

    valid: bool
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string", "pattern": r"^\$"})

    def complaint(self, expected: Any) -> str | None:
        """A certificate is named by reference, never written out."""
        if isinstance(expected, x509.Certificate):
            return None
        return "a certificate is named by a reference, e.g. $card.certificates.signature"

    def meets(self, expected: Any, observed: Any) -> bool:
        """``observed`` is a Signature."""
        return observed is not None and observed.valid_under(expected) is self.valid

    def show(self, expected: Any) -> str:
        """The certificate's serial number and subject."""
        name = ", ".join(str(attribute.value) for attribute in expected.subject)
        return f"{'valid' if self.valid else 'not valid'} under {name} (serial {expected.serial_number:X})"

    def show_observed(self, observed: Any) -> str:
        """The signature's first bytes."""
        if observed is None:
            return "(no signature)"
        return f"{observed.value[:16].hex(' ').upper()} … ({len(observed.value)} bytes)"
