"""The DMP of the laboratory: whom it believes, whom it knows, and the records of its patients."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from cryptography import x509

from bifente.conformance.domains.dmp.section import DmpPatientModel, DmpSection
from bifente.conformance.domains.dmp.signers import PEOPLE, STRUCTURE_ID, STRUCTURE_NAME, STRUCTURE_SECTOR
from bifente.ground.clock import Clock
from bifente.ground.identifiers import laboratory_nir
from bifente.simulator.formats.cda import CdaSchema
from bifente.simulator.formats.vihf import InsIdentifier
from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.judging import CertificateJudge, Purpose, authorities_of
from bifente.simulator.pki.revocation import KnownStatus
from bifente.simulator.services.dmp.record import DmpPatient
from bifente.simulator.services.dmp.register import KnownProfessional
from bifente.simulator.services.dmp.service import DmpService
from bifente.simulator.serving.service import Declare
from bifente.simulator.software.lps.chart import PatientChart

ADULT = "adult"
Revoked = Callable[[x509.Certificate, datetime], bool]


def service_of(
    section: DmpSection,
    clock: Clock,
    pki: Pki,
    new_id: Callable[[], str],
    declare: Declare,
    revoked: Revoked = lambda certificate, at: False,
) -> DmpService:
    """Return the service: it believes every authority of the laboratory and knows its professionals."""
    judge = CertificateJudge(authorities_of(pki), clock, Purpose.NON_REPUDIATION, KnownStatus(revoked))
    service = DmpService(
        clock,
        judge,
        new_id,
        section.parameters,
        schema=CdaSchema.from_environment(),
        declare=declare,
    )
    for who, (_profession, speciality, national_id) in PEOPLE.items():
        family = f"TEST{who.replace('-', '').upper()}"
        known = KnownProfessional(national_id, family, "SPECIMEN", {STRUCTURE_ID: STRUCTURE_SECTOR}, speciality)
        service.register.know(known, {STRUCTURE_ID: STRUCTURE_NAME})
    return service


def charts_of(section: DmpSection, service: DmpService) -> dict[str, PatientChart]:
    """Return the patients by their short names, a record opened for each who has one; one adult where none is told."""
    patients = section.patients or {ADULT: DmpPatientModel()}
    return {name: _chart(service, rank, given) for rank, (name, given) in enumerate(patients.items(), 1)}


def _chart(service: DmpService, rank: int, given: DmpPatientModel) -> PatientChart:
    sex = "2" if given.sex == "F" else "1"
    whole = laboratory_nir(sex=sex, year=given.born.year % 100, order=rank)
    chart = PatientChart(
        InsIdentifier(whole[:13], whole[13:]), given.family, given.given, given.sex, f"{given.born:%Y%m%d}"
    )
    if given.record:
        patient = DmpPatient(chart.ins.whole, chart.ins.oid, chart.family, chart.given, chart.sex, given.born)
        record = service.register.open(patient)
        record.attached, record.certified = given.attached, given.certified
    return chart
