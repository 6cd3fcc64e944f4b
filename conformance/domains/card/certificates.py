"""A card's certificate as a relying party judges it: issuer's signature, validity, revocation (PKI)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from bifente.conformance.domains.card.certificate_contents import describe
from bifente.simulator.cards.cpx.personalise import PersonalisedCard


def parse(data: bytes) -> x509.Certificate | None:
    """The certificate in a file, or None if it is none."""
    try:
        return x509.load_der_x509_certificate(data)
    except ValueError:
        return None


def judge(certificate: x509.Certificate, card: PersonalisedCard, at: datetime) -> dict[str, Any]:
    """``trust`` (trusted, expired, not-yet-valid, revoked, untrusted), and all that ``describe`` tells."""
    return {"trust": _trust(certificate, card, at), **describe(certificate)}


def _trust(certificate: x509.Certificate, card: PersonalisedCard, at: datetime) -> str:
    above = [certificate, *card.chain]
    try:
        for lower, upper in zip(above, [*card.chain, card.chain[-1]], strict=True):
            lower.verify_directly_issued_by(upper)
    except (InvalidSignature, ValueError, TypeError):
        return "untrusted"
    if at < certificate.not_valid_before_utc:
        return "not-yet-valid"
    if at > certificate.not_valid_after_utc:
        return "expired"
    revoked = card.authority.crl(card.revocations, at=at)
    if revoked.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
        return "revoked"
    return "trusted"
