"""INSi, a card and a structure for the tests: who signs, what is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from bifente.ground.clock import VirtualClock
from bifente.simulator.formats.insi import (
    InsiAnswer,
    InsiSender,
    ProfessionalAssertion,
    TraitSearch,
    action_of,
    context_blocks,
    professional_assertion,
    read_answer,
    request_element,
)
from bifente.simulator.formats.insi.requests import Search, operation_of
from bifente.simulator.formats.soap import Addressing, SoapFaultError, built, element, fault_of, opened, qname
from bifente.simulator.formats.xmldsig.signing import SoftwareSigner
from bifente.simulator.pki import certificate_profiles as profiles
from bifente.simulator.pki import subjects
from bifente.simulator.pki.authority import Branch, CertificateLevel, Pki
from bifente.simulator.pki.certificate_profiles import Profile, Validity
from bifente.simulator.pki.judging import CertificateJudge, Purpose, authorities_of
from bifente.simulator.services.insi.admission import InsiTrust
from bifente.simulator.services.insi.parameters import InsiParameters
from bifente.simulator.services.insi.service import Insi
from bifente.simulator.serving.calling import in_process

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NATIONAL_ID = "899700000017"
SENDER = InsiSender(NATIONAL_ID, "BIFENTE-IDAM-01", "1.0", "0d4f4e70-0000-4000-8000-000000000001", "Bifente")
ALICE = TraitSearch("TESTINS", ("ALICE",), "F", "1980-03-12")
SOAP = "application/soap+xml; charset=utf-8"
IN_FORCE = Validity(date(2025, 1, 1), date(2027, 1, 1))
MESSAGE = "uuid:11111111-2222-4333-8444-555555555555"


class InsiBench:
    """One service with its authorities, called in process."""

    def __init__(self, pki: Pki, parameters: InsiParameters | None = None) -> None:
        self.pki = pki
        self.clock = VirtualClock(NOW)
        self.persons = pki.authority(CertificateLevel.FORT, Branch.PERSONNES)
        self.organisations = pki.authority(CertificateLevel.ELEMENTAIRE, Branch.ORGANISATIONS)
        self.key = pki._keys.key("card/tests/signature")
        trust = InsiTrust(self._judge(), self.organisations.certificate)
        self.service = Insi(self.clock, trust, parameters=parameters)

    def _judge(self) -> CertificateJudge:
        trusted = authorities_of(self.pki, (CertificateLevel.FORT,), (Branch.PERSONNES,))
        return CertificateJudge(trusted, self.clock, Purpose.NON_REPUDIATION)

    def card(
        self, profile: Profile = profiles.SIGNATURE, level: CertificateLevel = CertificateLevel.FORT
    ) -> SoftwareSigner:
        subject = subjects.person(title="Médecin", surname="TESTEUR", given_name="AGATHE", national_id=NATIONAL_ID)
        certificate = self.pki.authority(level, Branch.PERSONNES).issue(
            subject=subject,
            public_key=self.key.public_key(),
            validity=IN_FORCE,
            profile=profile,
        )
        return SoftwareSigner(self.key, certificate.public_bytes(Encoding.DER))

    def structure(
        self,
        name: str = "INSI-AUTO",
        level: CertificateLevel = CertificateLevel.ELEMENTAIRE,
        validity: Validity = IN_FORCE,
    ) -> x509.Certificate:
        subject = subjects.organisation(
            name="CENTRE", structure_id="1990000019", department="Paris (75)", common_name=name
        )
        return self.pki.authority(level, Branch.ORGANISATIONS).issue(
            subject=subject, public_key=self.key.public_key(), validity=validity, profile=profiles.AUTHENTICATION
        )

    def assertion(
        self, signer: SoftwareSigner | None = None, age: timedelta = timedelta(), **changes: Any
    ) -> etree._Element:
        said = ProfessionalAssertion(
            "_11111111-2222-4333-8444-555555555555",
            self.clock.now() - age,
            f"CN={NATIONAL_ID}+SN=TESTEUR+GN=AGATHE,T=Médecin,C=FR",
            NATIONAL_ID,
            "991000019",
            "SA07",
        )
        return professional_assertion(replace(said, **changes), signer or self.card())

    def message(
        self,
        search: Search = ALICE,
        *,
        assertion: etree._Element | None = None,
        secured: bool = True,
        sender: InsiSender = SENDER,
        addressing: Addressing | None = None,
    ) -> bytes:
        blocks = list(context_blocks(sender, NOW, "bam", "lps"))
        blocks += (addressing or Addressing(action_of(operation_of(search)), MESSAGE)).blocks()
        if secured:
            blocks.append(element(qname("wsse:Security"), None, [self.assertion() if assertion is None else assertion]))
        return built(request_element(search), blocks).bytes()

    def post(self, data: bytes, kind: str | None = SOAP, client: x509.Certificate | None = None) -> httpx.Response:
        application = self.service.application
        if client is not None:
            application = shown(application, client)
        headers = {"content-type": kind} if kind is not None else {}
        with in_process(application) as caller:
            return caller.request("POST", "/lps", content=data, headers=headers)

    def ask(self, search: Search = ALICE, **more: Any) -> InsiAnswer:
        answer = self.post(self.message(search, **more))
        assert answer.status_code == 200, answer.text
        return read_answer(opened(answer.content).content)

    def refused(self, data: bytes, kind: str | None = SOAP, client: x509.Certificate | None = None) -> SoapFaultError:
        answer = self.post(data, kind, client)
        fault = fault_of(opened(answer.content).content, answer.status_code)
        assert fault is not None, answer.text
        return fault


def code_of(fault: SoapFaultError) -> str:
    """The code of the field in a fault."""
    return next((one.get("code") or "" for one in fault.detail), "")


def shown(application: Any, certificate: x509.Certificate) -> Any:
    """An application that sees a client certificate, as the TLS extension of ASGI tells it."""
    chain = [certificate.public_bytes(Encoding.PEM).decode()]

    async def asked(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        await application({**scope, "extensions": {"tls": {"client_cert_chain": chain}}}, receive, send)

    return asked
