"""Whether a requester may do a thing in a record: the matrix, the patient's wishes, the authorisation."""

from __future__ import annotations

from bifente.ground.text import Text
from bifente.simulator.formats.vihf.model import AccessPurpose
from bifente.simulator.formats.xds.model import Confidentiality
from bifente.simulator.formats.xds.names import DocumentStatus
from bifente.simulator.services.dmp.authorisations import AuthorisationState
from bifente.simulator.services.dmp.documents import StoredDocument
from bifente.simulator.services.dmp.errors import DmpRefusalError
from bifente.simulator.services.dmp.record import MedicalRecord
from bifente.simulator.services.dmp.requester import Requester
from bifente.simulator.services.dmp.rights import Calling, DmpGrant, Operation, column, rights

_CONSULTING = frozenset(
    {
        Operation.LIST_AUTHORISED,
        Operation.SEARCH,
        Operation.FETCH,
        Operation.MASK,
        Operation.UNMASK,
        Operation.SHOW,
        Operation.ARCHIVE,
        Operation.CHANGE_DATA,
        Operation.CLOSE,
    }
)
"""What asks for a valid authorisation in normal mode. Deleting one's own documents does not (DMPI-EX_3_3-1060)."""
_FEEDING = frozenset({Operation.FEED, Operation.FEED_AS_EMPLOYEE})
_WORDS = {
    AuthorisationState.NONE: Text("inexistante", "inexistent"),
    AuthorisationState.EXPIRED: Text("expirée", "expired"),
    AuthorisationState.FORBIDDEN: Text("interdite", "forbidden"),
}


def grant_for(operation: Operation, requester: Requester, record: MedicalRecord | None) -> DmpGrant:
    """Return what the matrix says to a requester. Raise DmpRefusalError where it says no."""
    treating = record is not None and requester.id in record.authorisations.treating
    where = column(requester.calling, requester.mode, treating=treating, air=requester.air)
    matrix = rights().matrix(air=requester.air)
    found = matrix.grant(operation, where)
    if found is DmpGrant.NO:
        raise denied(_refused(operation, matrix.name, where, requester.calling))
    return found


def permit(operation: Operation, requester: Requester, record: MedicalRecord) -> DmpGrant:
    """Return the grant for an operation in a record, all that depends on the record checked. Raise DmpRefusalError."""
    found = grant_for(operation, requester, record)
    check_wishes(requester, record)
    state = record.authorisations.state(*requester.parties)
    if operation in _FEEDING:
        if state is AuthorisationState.FORBIDDEN and not record.parameters.blocked_may_feed:
            raise denied(_without(state))
    elif operation in _CONSULTING:
        normal = requester.mode is AccessPurpose.NORMAL
        if state is AuthorisationState.FORBIDDEN or (normal and state is not AuthorisationState.VALID):
            raise denied(_without(state))
    record.authorisations.used(*requester.parties)
    return found


def check_wishes(requester: Requester, record: MedicalRecord) -> None:
    """Raise DmpRefusalError where the patient opposed this way of access beforehand."""
    if requester.mode is AccessPurpose.EMERGENCY and record.wishes.opposes_bris_de_glace:
        raise denied(Text("le patient s'est opposé au bris de glace", "the patient opposed bris de glace beforehand"))
    if requester.mode is AccessPurpose.REGULATION and record.wishes.opposes_urgency:
        raise denied(
            Text("le patient s'est opposé à l'accès en urgence", "the patient opposed access in urgency beforehand")
        )


def check_open(record: MedicalRecord) -> None:
    """Raise DmpRefusalError for a closed record."""
    if record.closing is not None:
        raise DmpRefusalError(
            "DMPClosed",
            Text(
                f"DMP fermé le {record.closing.on:%d/%m/%Y} ({record.closing.reason})",
                f"DMP closed on {record.closing.on:%Y-%m-%d} ({record.closing.reason})",
            ),
        )


def owns(requester: Requester, document: StoredDocument, found: DmpGrant) -> bool:
    """Return whether a grant that is limited to one's own, or to the structure's, covers a document."""
    if found is DmpGrant.OWN:
        return not document.by_patient and document.author == requester.id
    if found is DmpGrant.OF_STRUCTURE:
        return not document.by_patient and document.structure == requester.structure
    return True


def may_see(requester: Requester, record: MedicalRecord, document: StoredDocument) -> bool:
    """Return whether a document masked to professionals is shown to this one; any other one is."""
    if Confidentiality.MASKED not in document.codes(record.clock.now()):
        return True
    try:
        found = grant_for(Operation.FETCH_MASKED, requester, record)
    except DmpRefusalError:
        return False
    if found is DmpGrant.IF_ALLOWED_IN_URGENCY:
        return record.wishes.masked_in_urgency
    return owns(requester, document, found)


def special(record: MedicalRecord, document: StoredDocument) -> bool:
    """Return whether a document is in one of the special states of the matrix: hidden, archived, obsolete, deleted."""
    hidden = {Confidentiality.HIDDEN_FROM_PATIENT, Confidentiality.HIDDEN_FROM_REPRESENTATIVES}
    return document.entry.status is not DocumentStatus.APPROVED or bool(hidden & document.codes(record.clock.now()))


def denied(why: Text) -> DmpRefusalError:
    """Return the refusal of the rights service."""
    return DmpRefusalError("DMPAccessDeniedByRightsService", why)


def _without(state: AuthorisationState) -> Text:
    said = _WORDS[state]
    return Text(f"autorisation d'accès {said.fr}", f"access authorisation {said.en}")


def _refused(operation: Operation, name: str, where: str | None, calling: Calling) -> Text:
    if where is None:
        return Text(
            f"{operation.value} : aucune colonne de {name} pour ce porteur ({calling.value}) dans ce mode",
            f"{operation.value}: no column of {name} for this holder ({calling.value}) in this mode",
        )
    said = rights().columns[where]
    return Text(
        f"{operation.value} : refusé par {name}, colonne {where} ({said.fr})",
        f"{operation.value}: refused by {name}, column {where} ({said.en})",
    )
