"""TD0.3, TD0.4 and TD1.6."""

from __future__ import annotations

from bifente.ground.text import Text
from bifente.simulator.formats.dmp import habilitations as messages
from bifente.simulator.formats.dmp.habilitations import (
    AuthorisationAction,
    AuthorisationFilter,
    AuthorisationRole,
    AuthorisedParty,
    FunctionalStatus,
    ListDate,
    ListedPatient,
)
from bifente.simulator.formats.dmp.names import PERSONS, STRUCTURES
from bifente.simulator.formats.dmp.transmission import stamp
from bifente.simulator.services.dmp.access import check_open, check_wishes, denied, grant_for, permit
from bifente.simulator.services.dmp.authorisations import AuthorisationError, AuthorisationState
from bifente.simulator.services.dmp.call import DmpAnswer, DmpCall
from bifente.simulator.services.dmp.record import MedicalRecord
from bifente.simulator.services.dmp.register import DmpRegister
from bifente.simulator.services.dmp.requester import Requester
from bifente.simulator.services.dmp.rights import Calling, DmpGrant, Operation

OK = "DMPOk"


def set_authorisation(call: DmpCall) -> DmpAnswer:
    """Do TD0.3."""
    action, role = messages.read_set_authorisation(call.content)
    requester = call.requester
    record = call.register.record(requester.patient, requester.oid)
    check_open(record)
    said = (
        add_authorisation(record, requester, role)
        if action is AuthorisationAction.ADD
        else _remove(record, requester, role)
    )
    record.trace(requester, f"TD0.3 {action.value}")
    return DmpAnswer(messages.status_answer("setAuthorization", FunctionalStatus(OK, said)))


def add_authorisation(record: MedicalRecord, requester: Requester, role: AuthorisationRole | None) -> str:
    """Declare whoever asks authorised, and say what came of it. Raise DmpRefusalError."""
    found = grant_for(Operation.ADD_AUTHORISATION, requester, record)
    check_wishes(requester, record)
    party = requester.structure if found is DmpGrant.FOR_STRUCTURE else requester.party
    try:
        before = record.authorisations.add(party, *requester.parties)
        if role is AuthorisationRole.TREATING:
            if requester.calling is not Calling.PHYSICIAN:
                raise denied(Text("un médecin traitant est médecin", "a treating doctor is a physician"))
            record.authorisations.declare_treating(party)
    except AuthorisationError as error:
        raise denied(Text(f"autorisation d'accès interdite ({error})", f"forbidden ({error})")) from None
    if before is AuthorisationState.VALID and role is None:
        return "Autorisation déjà présente, rien n'est changé"
    return "Autorisation ajoutée"


def _remove(record: MedicalRecord, requester: Requester, role: AuthorisationRole | None) -> str:
    if role is AuthorisationRole.TREATING:
        grant_for(Operation.GIVE_UP_TREATING, requester, record)
        record.authorisations.treating.discard(requester.id)
        return "Rôle de médecin traitant retiré"
    grant_for(Operation.REMOVE_AUTHORISATION, requester, record)
    if record.authorisations.remove(requester.party):
        return "Autorisation supprimée"
    return "Aucune autorisation, rien n'est changé"


def list_authorised(call: DmpCall) -> DmpAnswer:
    """Do TD1.6."""
    mode = messages.read_list_authorised(call.content)
    requester = call.requester
    record = call.register.record(requester.patient, requester.oid)
    check_open(record)
    permit(Operation.LIST_AUTHORISED, requester, record)
    entries: list[AuthorisedParty] = []
    if mode is not AuthorisationFilter.FORBIDDEN:
        for one in record.authorisations.live():
            treating = one.party in record.authorisations.treating
            entries.append(
                _party(
                    call.register, one.party, stamp(one.since), stamp(one.last), AuthorisationFilter.ACTIVE, treating
                )
            )
    if mode is not AuthorisationFilter.ACTIVE:
        for party, since in record.authorisations.blocked.items():
            entries.append(
                _party(call.register, party, stamp(since), stamp(since), AuthorisationFilter.FORBIDDEN, False)
            )
    record.trace(requester, "TD1.6")
    return DmpAnswer(messages.authorised(entries))


def list_patients(call: DmpCall) -> DmpAnswer:
    """Do TD0.4."""
    date, start, owner = messages.read_patient_list(call.content)
    requester = call.requester
    found = grant_for(Operation.LIST_RECORDS, requester, None)
    if found is DmpGrant.NEW_ONLY and (date is not ListDate.LAST_AUTHORISATION or not start):
        raise denied(
            Text(
                "TD0.4 : un certificat de structure ne demande que les nouvelles autorisations, depuis une date",
                "TD0.4: a structure certificate asks for new authorisations only, since a date",
            )
        )
    parties = _parties(call.register, requester, found, owner)
    entries = []
    for record in call.register.everyone():
        given = [one for one in record.authorisations.live() if one.party in parties]
        if not given or not record.open:
            continue
        last_added = max((stamp(one.registered) for one in record.shelf), default="")
        moment = last_added if date is ListDate.LAST_DOCUMENT else max(stamp(one.since) for one in given)
        if start and moment < start:
            continue
        patient = record.patient
        entries.append(
            ListedPatient(
                ((patient.oid, patient.ins),),
                patient.family,
                patient.given,
                f"{patient.birth:%Y%m%d}",
                any(one.party in record.authorisations.treating for one in given),
                max(stamp(one.last) for one in given),
                last_added,
                last_added,
            )
        )
    return DmpAnswer(messages.patients(entries))


def _parties(register: DmpRegister, requester: Requester, found: DmpGrant, owner: str) -> frozenset[str]:
    """Whose authorisations are listed: one's own; for a CPE those of professionals of its structure (note 2)."""
    if found is DmpGrant.SAME_STRUCTURE:
        colleagues = {one.id for one in register.professionals.values() if requester.structure in one.structures}
        return frozenset({owner} & colleagues if owner else {*colleagues, requester.structure})
    if owner and owner not in requester.parties:
        raise denied(
            Text("TD0.4 : seuls ses propres DMP peuvent être listés", "TD0.4: only one's own records can be listed")
        )
    return frozenset(requester.parties)


def _party(
    register: DmpRegister,
    party: str,
    start: str,
    last: str,
    mode: AuthorisationFilter,
    treating: bool,
) -> AuthorisedParty:
    known = register.professionals.get(party)
    if known is None:
        return AuthorisedParty(party, STRUCTURES, register.structures.get(party, ""), "", start, last, mode, treating)
    return AuthorisedParty(party, PERSONS, known.family, known.given, start, last, mode, treating, known.speciality)
