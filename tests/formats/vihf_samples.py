"""Signers and assertions for the tests of VIHF and of XML signatures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from bifente.ground.clock import VirtualClock
from bifente.simulator.formats.soap import SoapEnvelope, built, element, qname
from bifente.simulator.formats.vihf import Vihf, VihfContext, VihfRole, VihfSoftware, signed_vihf
from bifente.simulator.formats.xmldsig.signing import SoftwareSigner
from bifente.simulator.pki import certificate_profiles as profiles
from bifente.simulator.pki import subjects
from bifente.simulator.pki.authority import Authority, Branch, CertificateLevel, Pki
from bifente.simulator.pki.certificate_profiles import Profile, Validity
from bifente.simulator.pki.judging import CertificateJudge, Purpose, authorities_of
from bifente.simulator.pki.revocation import KnownStatus

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
VALID = Validity(date(2025, 1, 1), date(2027, 12, 31))
NATIONAL_ID, STRUCTURE = "899700000017", "499700000017007"
ISSUER = f"CN={NATIONAL_ID}+SN=TESTEUR+GN=AGATHE,T=Médecin,C=FR"
SEAL_ISSUER = "CN=Cachet,OU=1990000019,O=CENTRE DE SANTE,ST=Paris (75),C=FR"


class Laboratory:
    """The authorities of one Pki, and certificates under them."""

    def __init__(self, pki: Pki) -> None:
        self.pki = pki
        self.persons = pki.authority(CertificateLevel.FORT, Branch.PERSONNES)
        self.organisations = pki.authority(CertificateLevel.ELEMENTAIRE, Branch.ORGANISATIONS)
        self.key = pki._keys.key("card/tests/signature")
        self.trust = self.judge(pki)

    @staticmethod
    def judge(pki: Pki, revoked: Callable[[x509.Certificate, datetime], bool] | None = None) -> CertificateJudge:
        some = authorities_of(pki)
        kept = {
            pki.authority(CertificateLevel.FORT, Branch.PERSONNES).certificate,
            pki.authority(CertificateLevel.ELEMENTAIRE, Branch.ORGANISATIONS).certificate,
        }
        trusted = replace(some, authorities=tuple(one for one in some.authorities if one in kept))
        status = KnownStatus(revoked) if revoked else None
        return CertificateJudge(trusted, VirtualClock(NOW), Purpose.NON_REPUDIATION, status)

    def card(
        self, profile: Profile = profiles.SIGNATURE, validity: Validity = VALID, authority: Authority | None = None
    ) -> SoftwareSigner:
        subject = subjects.person(title="Médecin", surname="TESTEUR", given_name="AGATHE", national_id=NATIONAL_ID)
        more = (profiles.profession(10), profiles.specialities(["SM26"]))
        return self._signer(authority or self.persons, subject, profile, validity, more)

    def seal(self) -> SoftwareSigner:
        subject = subjects.organisation(
            name="CENTRE DE SANTE", structure_id="1990000019", department="Paris (75)", common_name="Cachet"
        )
        return self._signer(self.organisations, subject, profiles.ORGANISATION_SEAL, VALID, ())

    def context(self, **more: Any) -> VihfContext:
        return VihfContext(
            NOW, self.trust, structures=lambda who: {STRUCTURE: "SA07"} if who == NATIONAL_ID else None, **more
        )

    def _signer(
        self, authority: Authority, subject: x509.Name, profile: Profile, validity: Validity, more: tuple[Any, ...]
    ) -> SoftwareSigner:
        certificate = authority.issue(
            subject=subject,
            public_key=self.key.public_key(),
            validity=validity,
            profile=profile,
            private_extensions=more,
        )
        return SoftwareSigner(self.key, certificate.public_bytes(Encoding.DER))


def vihf(**changes: Any) -> Vihf:
    """A right VIHF of a physician's card, but for what is changed."""
    right = Vihf(
        id="_11111111-2222-4333-8444-555555555555",
        issued=NOW,
        issuer=ISSUER,
        subject=NATIONAL_ID,
        structure=STRUCTURE,
        sector="SA07^1.2.250.1.71.4.2.4",
        roles=(
            VihfRole("10", "1.2.250.1.71.1.2.7", "Médecin"),
            VihfRole("SM26", "1.2.250.1.71.4.2.5", "Qualifié en Médecine Générale (SM)"),
        ),
        software=VihfSoftware("01.01.01.01", "Bifente", "1", "BIF-1-tmp1"),
        patient="279190100100123^^^&1.2.250.1.213.1.4.10&ISO^NH",
    )
    return replace(right, **changes)


def enveloped(assertion: etree._Element) -> bytes:
    """The bytes of a message that carries an assertion."""
    security = element(qname("wsse:Security"), None, [assertion])
    return built(element("{urn:test}Ask"), [security]).bytes()


def assertion_in(data: bytes) -> etree._Element:
    """The assertion of a message as it was received."""
    root = etree.fromstring(data)
    security = SoapEnvelope(root).header(qname("wsse:Security"))
    assert security is not None
    found = security.find(qname("saml:Assertion"))
    assert found is not None
    return found


def sent(laboratory: Laboratory, **changes: Any) -> etree._Element:
    """A VIHF signed by the card, received in a message."""
    return assertion_in(enveloped(signed_vihf(vihf(**changes), laboratory.card())))
