"""Who the laboratory's INSi believes, and the certificates that its clients hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from cryptography import x509

from bifente.ground.clock import Clock
from bifente.simulator.pki import certificate_profiles as profiles
from bifente.simulator.pki import subjects
from bifente.simulator.pki.authority import Branch, CertificateLevel, Pki
from bifente.simulator.pki.certificate_profiles import Validity
from bifente.simulator.pki.judging import CertificateJudge, Purpose, authorities_of
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.pki.revocation import KnownStatus
from bifente.simulator.services.insi.admission import InsiTrust

Revoked = Callable[[x509.Certificate, datetime], bool]
STRUCTURE_KEY, PROFESSIONAL_KEY = "structure/insi", "professional/insi"
_PERSONS = (CertificateLevel.FORT, CertificateLevel.ELEMENTAIRE)
_RPPS = "899900000011"


def trust_of(pki: Pki, clock: Clock, revoked: Revoked = lambda certificate, at: False) -> InsiTrust:
    """Return whose cards and structures INSi believes."""
    persons = authorities_of(pki, _PERSONS, (Branch.PERSONNES,))
    judge = CertificateJudge(persons, clock, Purpose.NON_REPUDIATION, KnownStatus(revoked))
    structures = pki.authority(CertificateLevel.ELEMENTAIRE, Branch.ORGANISATIONS).certificate
    return InsiTrust(judge, structures)


def structure_certificate(
    pki: Pki, keys: KeySource, name: str, level: CertificateLevel, now: datetime
) -> x509.Certificate:
    """Return the certificate of a structure of the laboratory, in force at ``now``."""
    subject = subjects.organisation(
        name="CENTRE DE SANTE TEST", structure_id="10B0000014", department="Paris (75)", common_name=name
    )
    return pki.authority(level, Branch.ORGANISATIONS).issue(
        subject=subject,
        public_key=keys.key(STRUCTURE_KEY).public_key(),
        validity=_around(now),
        profile=profiles.ORGANISATION_AUTHENTICATION,
        private_extensions=[profiles.product_category(profiles.ProductCategory.TEST_SOFTWARE)],
    )


def professional_certificate(pki: Pki, keys: KeySource, now: datetime) -> x509.Certificate:
    """Return a signature certificate as a card has it, for a software without a card at hand."""
    subject = subjects.person(title="Médecin", surname="TESTMEDECIN", given_name="GENERALISTE", national_id=_RPPS)
    return pki.authority(CertificateLevel.FORT, Branch.PERSONNES).issue(
        subject=subject,
        public_key=keys.key(PROFESSIONAL_KEY).public_key(),
        validity=_around(now),
        profile=profiles.SIGNATURE,
        private_extensions=[
            profiles.product_category(profiles.ProductCategory.TEST_SOFTWARE),
            profiles.profession(10),
            profiles.specialities(["SM26"]),
        ],
    )


def _around(now: datetime) -> Validity:
    """Two years around a time: the same certificate all through a year."""
    return Validity(date(now.year - 1, 1, 1), date(now.year + 1, 12, 31))
