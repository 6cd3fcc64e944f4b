"""TD3.2: documents by repository and uniqueId (ITI-43), answered in MTOM whatever comes."""

from __future__ import annotations

from lxml import etree

from bifente.ground.text import Text
from bifente.simulator.formats.dmp.names import REPOSITORY
from bifente.simulator.formats.xds import reading, writing
from bifente.simulator.formats.xds.model import RegistryError
from bifente.simulator.formats.xds.names import DocumentStatus, ResponseStatus
from bifente.simulator.services.dmp.access import check_open, grant_for, may_see, permit, special
from bifente.simulator.services.dmp.call import DmpAnswer, DmpCall
from bifente.simulator.services.dmp.documents import StoredDocument
from bifente.simulator.services.dmp.errors import DmpRefusalError
from bifente.simulator.services.dmp.record import MedicalRecord
from bifente.simulator.services.dmp.rights import Operation


def fetch(call: DmpCall) -> DmpAnswer:
    """Give the documents; those that cannot be given are errors beside them."""
    wanted = reading.retrieve(call.content)
    record = call.register.record(call.requester.patient, call.requester.oid)
    permit(Operation.FETCH, call.requester, record)
    if not (record.closing and record.wishes.archive_when_closed):
        check_open(record)
    found: list[StoredDocument] = []
    errors: list[RegistryError] = []
    for repository, unique_id in wanted:
        try:
            found.append(_document(call, record, repository, unique_id))
        except DmpRefusalError as error:
            errors.append(RegistryError(error.code, error.told.fr, error.location))
    status = ResponseStatus.SUCCESS
    if errors:
        status = ResponseStatus.PARTIAL if found else ResponseStatus.FAILURE
    body = writing.retrieved(status, errors)
    parts: list[tuple[etree._Element, bytes, str]] = []
    for one in found:
        holder = writing.retrieved_document(body, REPOSITORY, one.entry.unique_id, one.entry.mime)
        parts.append((holder, one.content, one.entry.mime))
        record.trace(call.requester, "TD3.2", one.entry.unique_id)
    return DmpAnswer(body, tuple(parts))


def _document(call: DmpCall, record: MedicalRecord, repository: str, unique_id: str) -> StoredDocument:
    if repository != REPOSITORY:
        raise DmpRefusalError(
            "XDSUnknownRepositoryId",
            Text(
                f"entrepôt {repository[:60]!r}, attendu {REPOSITORY}",
                f"repository {repository[:60]!r}, {REPOSITORY} expected",
            ),
            unique_id,
        )
    found = record.shelf.by_unique(unique_id)
    # One answer for what is not there and for what may not be seen: the difference would tell that it is there.
    absent = found is None or not may_see(call.requester, record, found)
    if found is None or absent or (record.closing and found.entry.status is not DocumentStatus.ARCHIVED):
        hint_fr, hint_en = ("", "")
        if unique_id.startswith("urn:uuid:"):
            hint_fr, hint_en = (
                " : c'est un entryUUID, l'uniqueId est attendu",
                ": this is an entryUUID, the uniqueId is expected",
            )
        raise DmpRefusalError(
            "XDSDocumentUniqueIdError",
            Text(f"document {unique_id[:80]} introuvable{hint_fr}", f"document {unique_id[:80]} not found{hint_en}"),
            unique_id,
        )
    if special(record, found):
        grant_for(Operation.FETCH_SPECIAL, call.requester, record)
    return found
