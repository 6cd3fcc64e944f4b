"""What a visitor does on a page: choose where to work, declare an authorisation, block, read a document."""

from __future__ import annotations

from collections.abc import Mapping

from bifente.ground.text import Text
from bifente.simulator.formats.dmp.habilitations import AuthorisationAction
from bifente.simulator.formats.xds.names import DocumentStatus
from bifente.simulator.services.dmp.access import check_open, denied, may_see, permit
from bifente.simulator.services.dmp.record import MedicalRecord
from bifente.simulator.services.dmp.register import DmpRegister
from bifente.simulator.services.dmp.requester import Requester
from bifente.simulator.services.dmp.rights import Operation
from bifente.simulator.services.dmp.transactions.habilitations import add_authorisation
from bifente.simulator.services.dmp.web.visitor import Visitor


def act(register: DmpRegister, visitor: Visitor, ins: str, said: Mapping[str, str]) -> None:
    """Do what a form asks. Raise DmpRefusalError."""
    what = said.get("do", "")
    if what == "settle":
        _settle(register, visitor, said.get("structure", ""))
        return
    record, requester = _record(register, visitor, ins)
    match what:
        case "authorise":
            if said.get("consent") != "on":
                raise denied(Text("l'accord du patient n'est pas coché", "the patient's agreement is not ticked"))
            add_authorisation(record, requester, None)
            record.trace(requester, f"TD0.3 {AuthorisationAction.ADD.value}")
        case "block" | "unblock":
            _block(record, requester, what, said.get("who", ""))
        case _:
            raise denied(Text(f"action {what[:20]!r} inconnue", f"unknown action {what[:20]!r}"))


def read(register: DmpRegister, visitor: Visitor, ins: str, unique_id: str) -> tuple[bytes, str]:
    """Return a document and its media type (TD3.2). Raise DmpRefusalError."""
    record, requester = _record(register, visitor, ins)
    permit(Operation.FETCH, requester, record)
    found = record.shelf.by_unique(unique_id)
    if found is None or found.entry.status is not DocumentStatus.APPROVED or not may_see(requester, record, found):
        raise denied(Text("aucun document de cet identifiant ici", "no document of this id here"))
    record.trace(requester, "TD3.2", unique_id)
    return found.content, found.entry.mime


def _settle(register: DmpRegister, visitor: Visitor, structure: str) -> None:
    if structure not in visitor.structures:
        raise denied(Text("cette situation n'est pas la vôtre", "this situation is not yours"))
    register.situations[visitor.id] = structure


def _record(register: DmpRegister, visitor: Visitor, ins: str) -> tuple[MedicalRecord, Requester]:
    record = register.records.get(ins)
    if record is None or not visitor.structure:
        raise denied(Text("aucun DMP pour cet INS", "no DMP for this INS"))
    check_open(record)
    return record, visitor.requester(record.patient.ins, record.patient.oid)


def _block(record: MedicalRecord, requester: Requester, what: str, who: str) -> None:
    """Blocking exists on the web site alone; of professionals it is the treating doctor who may."""
    if requester.id not in record.authorisations.treating or who in ("", *requester.parties):
        raise denied(Text("le médecin traitant bloque les autres", "the treating doctor blocks others"))
    if what == "block":
        record.authorisations.block(who)
    else:
        record.authorisations.unblock(who)
    record.trace(requester, f"web {what}")
