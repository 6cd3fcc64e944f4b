"""A DMP with a few people around it, their keys in software: for the tests of the service and its benchmarks."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bifente.ground.clock import Clock, VirtualClock
from bifente.ground.identifiers import laboratory_nir
from bifente.simulator.formats.dmp.habilitations import AuthorisationAction
from bifente.simulator.formats.pdf import make_pdf_a1
from bifente.simulator.formats.vihf import AuthenticationMode, InsIdentifier
from bifente.simulator.formats.xmldsig.signing import SoftwareSigner
from bifente.simulator.pki import certificate_profiles as profiles
from bifente.simulator.pki import subjects
from bifente.simulator.pki.authority import Branch, CertificateLevel, Pki
from bifente.simulator.pki.certificate_profiles import Profile, Validity
from bifente.simulator.pki.judging import CertificateJudge, Purpose, authorities_of
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.services.dmp.documents import StoredDocument
from bifente.simulator.services.dmp.parameters import DmpParameters
from bifente.simulator.services.dmp.record import DmpPatient, MedicalRecord
from bifente.simulator.services.dmp.register import KnownProfessional
from bifente.simulator.services.dmp.service import DmpService
from bifente.simulator.serving.calling import in_process
from bifente.simulator.software.lps.chart import PatientChart
from bifente.simulator.software.lps.client import DmpClient, DmpReply
from bifente.simulator.software.lps.identity import SECRETARY, LpsUser
from bifente.simulator.software.lps.submission import LpsDocument, PreparedSubmission, prepare

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
VALID = Validity(date(2025, 1, 1), date(2029, 12, 31))
HOSPITAL, PRACTICE = "10B0000014", "499900000011008"
PDF = make_pdf_a1()


@cache
def laboratory(keys: Any) -> tuple[Pki, Any]:
    """The authorities, once for all laboratories of the same keys: they keep nothing of what happens in one."""
    pki = Pki(keys)
    return pki, authorities_of(pki)


@cache
def issued(
    keys: Any,
    branch: Branch,
    level: CertificateLevel,
    subject: x509.Name,
    profile: Profile,
    more: tuple[Any, ...],
    validity: Validity,
) -> bytes:
    """The certificate of somebody who is there in every laboratory."""
    certificate = (
        laboratory(keys)[0]
        .authority(level, branch)
        .issue(
            subject=subject,
            public_key=keys.key("card/tests/signature").public_key(),
            validity=validity,
            profile=profile,
            private_extensions=list(more),
        )
    )
    return certificate.public_bytes(Encoding.DER)


class DmpLab:
    """One service on a virtual clock, and who calls it."""

    _keys: Any

    def __init__(self, keys: KeySource, clock: Clock | None = None, **parameters: Any) -> None:
        self.clock: Any = clock or VirtualClock(START)
        self._keys = keys
        self.pki, authorities = laboratory(self._keys)
        self.key = keys.key("card/tests/signature")
        numbers = itertools.count(1)
        self.new_id: Callable[[], str] = lambda: str(uuid.UUID(int=next(numbers)))
        self.service = DmpService(
            self.clock,
            CertificateJudge(authorities, self.clock, Purpose.NON_REPUDIATION),
            self.new_id,
            DmpParameters(**{"fed_per_second": 1_000, **parameters}),
        )
        self.register = self.service.register
        self.number = itertools.count(1)
        self.doctor = self.card("899900000011", "TESTMEDECIN", "10", "SM26", {PRACTICE: "SA07", HOSPITAL: "SA01"})
        self.colleague = self.card("899900000029", "TESTCOLLEGUE", "10", "SM26", {"10B0000022": "SA07"})
        self.nurse = self.card("899900000037", "TESTINFIRMIER", "60", "", {PRACTICE: "SA07"})
        self.occupational = self.card("899900000045", "TESTTRAVAIL", "10", "SM25", {HOSPITAL: "SA01"})
        self.secretary = self.employee("30B0000014/CPET0001", HOSPITAL, "Carte de service santé ou social")
        self.director = self.employee("30B0000014/0000000001", HOSPITAL, "Directeur de structure")
        self.structure = self.seal(HOSPITAL)
        self.patient = self.chart()
        self.record = self.open(self.patient)

    # -- people --------------------------------------------------------------------------------------------------------

    def card(
        self,
        national_id: str,
        name: str,
        profession: str,
        speciality: str,
        structures: dict[str, str],
        profile: Profile = profiles.SIGNATURE,
        validity: Validity = VALID,
    ) -> LpsUser:
        subject = subjects.person(title="Professionnel", surname=name, given_name="SPECIMEN", national_id=national_id)
        more = [profiles.card_type(0), profiles.profession(int(profession))]
        signer = self._signer(Branch.PERSONNES, CertificateLevel.FORT, subject, profile, more, validity)
        self.register.know(KnownProfessional(national_id, name, "SPECIMEN", structures), {})
        place, sector = next(iter(structures.items()))
        return LpsUser(
            national_id, name, "SPECIMEN", profession, speciality, place, f"STRUCTURE {place}", sector, signer
        )

    def employee(self, national_id: str, structure: str, title: str) -> LpsUser:
        subject = subjects.employee(
            title=title,
            surname="TESTEMPLOYE",
            given_name="ACCUEIL",
            national_id=national_id,
            structure="HOPITAL SPECIMEN",
            structure_id=structure,
            department="Paris (75)",
        )
        signer = self._signer(
            Branch.PERSONNES, CertificateLevel.ELEMENTAIRE, subject, profiles.SIGNATURE, [profiles.card_type(2)], VALID
        )
        self.register.know(KnownProfessional(national_id, "TESTEMPLOYE", "ACCUEIL", {structure: "SA01"}), {})
        return LpsUser(
            national_id, "TESTEMPLOYE", "ACCUEIL", "", "", structure, "HOPITAL", "SA01", signer, role=SECRETARY
        )

    def seal(self, structure: str) -> LpsUser:
        subject = subjects.organisation(
            name="HOPITAL SPECIMEN", structure_id=structure, department="Paris (75)", common_name="Cachet"
        )
        signer = self._signer(
            Branch.ORGANISATIONS, CertificateLevel.ELEMENTAIRE, subject, profiles.ORGANISATION_SEAL, [], VALID
        )
        return LpsUser(
            "interne-42",
            "TESTINTERNE",
            "AGENT",
            "10",
            "SM26",
            structure,
            "HOPITAL",
            "SA01",
            signer,
            mode=AuthenticationMode.INDIRECT,
        )

    def air(self, user: LpsUser) -> LpsUser:
        seal = self.seal(HOSPITAL)
        return replace(
            user,
            signer=seal.signer,
            mode=AuthenticationMode.REINFORCED,
            structure=HOSPITAL,
            sector="SA01",
            declaration="urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI",
        )

    def _signer(
        self,
        branch: Branch,
        level: CertificateLevel,
        subject: x509.Name,
        profile: Profile,
        more: list[Any],
        validity: Validity,
    ) -> SoftwareSigner:
        return SoftwareSigner(self.key, issued(self._keys, branch, level, subject, profile, tuple(more), validity))

    # -- patients ------------------------------------------------------------------------------------------------------

    def chart(self, order: int = 1, year: int = 80, **more: Any) -> PatientChart:
        whole = laboratory_nir(sex="2", year=year, order=order)
        chart = PatientChart(InsIdentifier(whole[:13], whole[13:]), "TESTPATIENT", "ANNE", "F", f"19{year:02}0101")
        chart.consents = True
        for name, value in more.items():
            setattr(chart, name, value)
        return chart

    def open(self, chart: PatientChart, born: date | None = None) -> MedicalRecord:
        birth = born or datetime.strptime(chart.birth, "%Y%m%d").replace(tzinfo=UTC).date()
        return self.register.open(
            DmpPatient(chart.ins.whole, chart.ins.oid, chart.family, chart.given, chart.sex, birth)
        )

    # -- acts ----------------------------------------------------------------------------------------------------------

    def client(self, user: LpsUser | None = None) -> DmpClient:
        return DmpClient(in_process(self.service.application), user or self.doctor, self.clock, self.new_id)

    def authorise(self, user: LpsUser | None = None) -> None:
        client = self.client(user)
        reply = client.authorise(self.patient, AuthorisationAction.ADD)
        assert reply.ok, reply

    def prepared(self, user: LpsUser | None = None, **more: Any) -> PreparedSubmission:
        document = LpsDocument(more.pop("media_type", "application/pdf"), more.pop("content", PDF), **more)
        return prepare(user or self.doctor, self.patient, document, next(self.number), self.clock.now())

    def fed(self, user: LpsUser | None = None, **more: Any) -> StoredDocument:
        prepared = self.prepared(user, **more)
        reply = self.client(user).feed(self.patient, prepared)
        assert reply.ok, reply
        found = self.record.shelf.by_unique(prepared.unique_id)
        assert found is not None
        return found

    def feed(self, prepared: PreparedSubmission, user: LpsUser | None = None) -> DmpReply:
        return self.client(user).feed(self.patient, prepared)
