"""Cards and structures of the laboratory, as clients that present certificates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.model import CardChoice
from bifente.ground.clock import VirtualClock
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.pki import subjects
from bifente.simulator.pki.authority import Branch, CertificateLevel, Pki
from bifente.simulator.pki.certificate_profiles import ORGANISATION_AUTHENTICATION, Validity
from bifente.simulator.pki.keystore import KeyStore
from bifente.simulator.serving.handshake.keys import SoftKey, TlsIdentity
from bifente.simulator.serving.tls import ServerIdentity


@dataclass
class Laboratory:
    """The authorities, and whoever they certify, at the date of a clock."""

    clock: VirtualClock

    def __post_init__(self) -> None:
        self.keys = KeyStore()
        self.pki = Pki(self.keys)
        self.workshop = Workshop(self.keys)

    @cached_property
    def server(self) -> ServerIdentity:
        return ServerIdentity.make(self.pki, self.keys, self.clock.now())

    def card(self, template: str = "medecin-generaliste", **parameters: Any) -> PersonalisedCard:
        choice = CardChoice(template=template, **parameters)
        made = self.workshop.personalised(choice, self.clock.now().date())
        assert isinstance(made, PersonalisedCard)
        return made

    def key(self, made: PersonalisedCard, role: str = "authentication") -> RSAPrivateKey:
        return self.keys.key(f"card/{made.template.family}/{made.template.card.serial}/{role}", 2048)

    def client(self, made: PersonalisedCard, role: str = "authentication") -> TlsIdentity:
        return TlsIdentity((made.certificates[role],), SoftKey(self.key(made, role)))

    def structure(self, pki: Pki | None = None) -> TlsIdentity:
        """An AUTH_CLI certificate of a structure."""
        key = self.keys.key("test/structure")
        issued = (
            (pki or self.pki)
            .authority(CertificateLevel.ELEMENTAIRE, Branch.ORGANISATIONS)
            .issue(
                subject=subjects.organisation(
                    name="CABINET TEST", structure_id="1990000001", department="Paris (75)", common_name="cabinet.test"
                ),
                public_key=key.public_key(),
                validity=Validity(date(2025, 1, 1), date(2027, 12, 31)),
                profile=ORGANISATION_AUTHENTICATION,
            )
        )
        return TlsIdentity((issued,), SoftKey(key))


def of_cps3(identity: TlsIdentity) -> TlsIdentity:
    """The same with a key that signs as a CPS3 does: PKCS#1 v1.5 alone."""
    assert isinstance(identity.key, SoftKey)
    return replace(identity, key=replace(identity.key, schemes=("pkcs1",), digests=("sha256",)))


def word(certificate: x509.Certificate) -> str:
    return subjects.told(certificate.subject)
