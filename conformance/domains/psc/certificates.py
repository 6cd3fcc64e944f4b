"""The client certificates of organisations: those by which servers prove who they are."""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from bifente.simulator.pki import subjects
from bifente.simulator.pki.authority import Branch, CertificateLevel, Pki
from bifente.simulator.pki.certificate_profiles import ORGANISATION_AUTHENTICATION, Validity
from bifente.simulator.pki.judging import Chain


def organisation_certificate(pki: Pki, key: RSAPublicKey, at: datetime, name: str) -> Chain:
    """Return a certificate AUTH_CLI (PKI-08) of a publisher of the laboratory, valid for ninety days, and its chain."""
    authority = pki.authority(CertificateLevel.ELEMENTAIRE, Branch.ORGANISATIONS)
    certificate = authority.issue(
        subject=subjects.organisation(
            name="EDITEUR TEST", structure_id="1990000099", department="Paris (75)", common_name=name
        ),
        public_key=key,
        validity=Validity((at - timedelta(days=1)).date(), (at + timedelta(days=90)).date()),
        profile=ORGANISATION_AUTHENTICATION,
    )
    return (certificate, *authority.chain)
