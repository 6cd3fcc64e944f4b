"""TD0.2 and TD1.3a, TD0.5, TD1.3b and TD1.4."""

from __future__ import annotations

from dataclasses import replace

from bifente.ground.text import Text
from bifente.simulator.formats.dmp import demographics as hl7
from bifente.simulator.formats.dmp.demographics import PatientFound, PersonTraits
from bifente.simulator.formats.dmp.names import DmpReason
from bifente.simulator.formats.dmp.transmission import MessageId, stamp
from bifente.simulator.services.dmp.access import check_open, denied, grant_for, permit
from bifente.simulator.services.dmp.call import DmpAnswer, DmpCall
from bifente.simulator.services.dmp.errors import DmpRefusalError
from bifente.simulator.services.dmp.record import MedicalRecord
from bifente.simulator.services.dmp.rights import Operation

_MOST_CANDIDATES = 10


def ask(call: DmpCall) -> DmpAnswer:
    """Answer a PRPA_IN201307UV02: TD0.2, or TD1.3a by its reason."""
    asked = hl7.read_query(call.content)
    oid, number = asked.patient
    if asked.reason == DmpReason.EXISTENCE:
        found = _existence(call, number, oid)
    elif asked.reason == DmpReason.READ:
        found = _data(call, number, oid)
    else:
        raise hl7.Hl7Error(f"reasonCode {asked.reason[:20]!r}: TEST_EXST or CNSLT_DATA")
    return DmpAnswer(hl7.answer(_fresh(call), call.register.clock.now(), asked, found))


def _existence(call: DmpCall, number: str, oid: str) -> PatientFound:
    _check_patient(call, number, oid)
    record = call.register.find(number, oid)
    grant_for(Operation.EXISTENCE, call.requester, record)
    if record is None:
        return PatientFound(False)
    if not record.certified:
        call.register.record(number, oid)
    record.trace(call.requester, "TD0.2")
    authorised = record.authorisations
    return PatientFound(
        True,
        "active" if record.open else "terminated",
        _ids(record),
        _traits(record),
        authorised.state(*call.requester.parties).value,
        call.requester.id in authorised.treating,
        (("COMPTE_INTERNET_OUVERT", record.account), ("RATTACHEMENT_ENS", record.attached)),
        _closing(record),
    )


def _data(call: DmpCall, number: str, oid: str) -> PatientFound:
    _check_patient(call, number, oid)
    record = call.register.record(number, oid)
    permit(Operation.READ_DATA, call.requester, record)
    record.trace(call.requester, "TD1.3a")
    wishes = record.wishes
    return PatientFound(
        True,
        "active" if record.open else "terminated",
        _ids(record),
        replace(_traits(record), telecoms=tuple(record.contact.values())),
        flags=(
            ("OPPOSITION_BRIS_DE_GLACE", wishes.opposes_bris_de_glace),
            ("OPPOSITION_ACCES_URGENCE", wishes.opposes_urgency),
            ("CONSENTEMENT_OUVERTURE_DMP", True),
        ),
        closing=_closing(record),
    )


def find(call: DmpCall) -> DmpAnswer:
    """Answer TD0.5: who has these traits, the best match first."""
    asked = hl7.read_search(call.content)
    grant_for(Operation.FIND_PATIENT, call.requester, None)
    candidates = []
    for record in call.register.everyone():
        match = _match(asked.traits, record)
        if match and record.open and not record.wishes.opposes_urgency:
            record.trace(call.requester, "TD0.5")
            candidates.append(PatientFound(True, "active", _ids(record), _traits(record), match=match))
    candidates.sort(key=lambda one: (-(one.match or 0), one.ids))
    answer = hl7.search_answer(_fresh(call), call.register.clock.now(), asked, candidates[:_MOST_CANDIDATES])
    return DmpAnswer(answer)


def change(call: DmpCall) -> DmpAnswer:
    """Do TD1.3b (contact data) or TD1.4 (closing)."""
    wanted = hl7.read_change(call.content)
    oid, number = wanted.patient
    _check_patient(call, number, oid)
    closing = wanted.reason == DmpReason.CLOSE
    if not closing and wanted.reason != DmpReason.CHANGE:
        raise DmpRefusalError(
            "DMPUnknownOperation",
            Text(
                f"{wanted.reason[:20]} n'est plus ouvert aux logiciels : MODIF_DATA ou FERM",
                f"{wanted.reason[:20]} is no longer open to software: MODIF_DATA or FERM",
            ),
        )
    record = call.register.record(number, oid)
    check_open(record)
    permit(Operation.CLOSE if closing else Operation.CHANGE_DATA, call.requester, record)
    if record.attached:
        raise DmpRefusalError(
            "DMPAttachedToMes",
            Text("ce DMP est rattaché à Mon espace santé", "this DMP belongs to Mon espace santé"),
        )
    if wanted.author[0] not in ("", call.requester.id):
        raise denied(Text("l'auteur n'est pas l'utilisateur du VIHF", "the author is not the user of the VIHF"))
    if closing:
        if not wanted.closing_reason:
            raise hl7.Hl7Error("a closing names its reason (reasonOf/detectedIssueEvent/code)")
        record.close(wanted.closing_reason, wanted.motive)
    else:
        record.contact = {f"telecom{rank}": value for rank, value in enumerate(wanted.traits.telecoms)}
    record.trace(call.requester, "TD1.4" if closing else "TD1.3b")
    status = "terminated" if closing else "active"
    answer = hl7.changed(_fresh(call), call.register.clock.now(), wanted, status, _traits(record))
    return DmpAnswer(answer)


def _check_patient(call: DmpCall, number: str, oid: str) -> None:
    """The INS that is asked about is that of the VIHF, which may leave it out only where no record is entered."""
    if (number, oid) != (call.requester.patient, call.requester.oid):
        raise DmpRefusalError(
            "XDSPatientIdDoesNotMatch",
            Text("l'INS demandé n'est pas celui du VIHF", "the INS that is asked about is not that of the VIHF"),
        )


def _match(traits: PersonTraits, record: MedicalRecord) -> int:
    """Percent: the family name counts most (modelled)."""
    patient, score, wanted = record.patient, 0, 0
    for given, held, weight in (
        (traits.family.upper(), patient.family.upper(), 60),
        (traits.given.upper(), patient.given.upper(), 20),
        (traits.birth, f"{patient.birth:%Y%m%d}", 15),
        (traits.sex, patient.sex, 5),
    ):
        if given:
            wanted += weight
            if given == held or (weight == 20 and held.split()[:1] == [given]):
                score += weight
            elif weight == 60 and not held.startswith(given):
                return 0
            elif weight == 60:
                score += weight // 2
    return round(100 * score / wanted)


def _ids(record: MedicalRecord) -> tuple[tuple[str, str], ...]:
    return ((record.patient.oid, record.patient.ins),)


def _traits(record: MedicalRecord) -> PersonTraits:
    patient = record.patient
    return PersonTraits(patient.family, patient.given, patient.sex, f"{patient.birth:%Y%m%d}")


def _closing(record: MedicalRecord) -> tuple[str, str, str]:
    if record.closing is None:
        return "", "", ""
    return stamp(record.closing.on), record.closing.reason, record.closing.motive


def _fresh(call: DmpCall) -> MessageId:
    return MessageId(call.register.new_id())
