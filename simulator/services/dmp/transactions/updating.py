"""TD3.3: masking, showing, archiving, deleting (ITI-57). Only who sees a document and its state can change."""

from __future__ import annotations

from bifente.ground.text import Text
from bifente.simulator.formats.xds import reading, writing
from bifente.simulator.formats.xds.errors import MetadataError
from bifente.simulator.formats.xds.model import (
    Association,
    Confidentiality,
    DocumentEntry,
    Submission,
    SubmissionSet,
    patient_key,
)
from bifente.simulator.formats.xds.names import AssociationKind, DocumentStatus, ResponseStatus
from bifente.simulator.services.dmp.access import check_open, denied, owns, permit
from bifente.simulator.services.dmp.call import DmpAnswer, DmpCall
from bifente.simulator.services.dmp.documents import StoredDocument
from bifente.simulator.services.dmp.errors import DmpRefusalError
from bifente.simulator.services.dmp.record import MedicalRecord
from bifente.simulator.services.dmp.rights import Operation
from bifente.simulator.services.dmp.transactions.searching import may_see_reference

_MOVES = {
    (DocumentStatus.APPROVED, DocumentStatus.ARCHIVED): Operation.ARCHIVE,
    (DocumentStatus.DEPRECATED, DocumentStatus.ARCHIVED): Operation.ARCHIVE,
    (DocumentStatus.ARCHIVED, DocumentStatus.APPROVED): Operation.ARCHIVE,
    (DocumentStatus.APPROVED, DocumentStatus.DELETED): Operation.DELETE,
    (DocumentStatus.ARCHIVED, DocumentStatus.DELETED): Operation.DELETE,
    (DocumentStatus.DEPRECATED, DocumentStatus.DELETED): Operation.DELETE,
}
"""The changes of state that there are; an obsolete document never becomes current again."""
_HIDING = frozenset({Confidentiality.HIDDEN_FROM_PATIENT, Confidentiality.HIDDEN_FROM_REPRESENTATIVES})


def update(call: DmpCall) -> DmpAnswer:
    """Do what a submission of ITI-57 asks, all of it or nothing."""
    wanted = reading.submission(call.content)
    record = call.register.record(call.requester.patient, call.requester.oid)
    check_open(record)
    lot = _lot(call, wanted, record)
    moves = [_move(call, record, one, lot) for one in wanted.associations if one.kind is AssociationKind.CHANGES_STATUS]
    changes = [_change(call, record, wanted, entry, lot) for entry in wanted.entries]
    if not moves and not changes:
        raise MetadataError("nothing is to change: no UpdateAvailabilityStatus and no new version")
    record.shelf.register(lot, (), ())
    for document, status, action in moves:
        record.shelf.set_status(document, status)
        record.trace(call.requester, action, document.entry.unique_id)
    for document, entry, action in changes:
        record.shelf.set_entry(document, entry)
        if Confidentiality.HIDDEN_FROM_PATIENT not in entry.codes:
            document.hidden_until = None
        record.trace(call.requester, action, document.entry.unique_id)
    return DmpAnswer(writing.registry_response(ResponseStatus.SUCCESS))


def _lot(call: DmpCall, wanted: Submission, record: MedicalRecord) -> SubmissionSet:
    if len(wanted.sets) != 1:
        raise MetadataError(f"one submission set is expected, there are {len(wanted.sets)}")
    lot = wanted.sets[0]
    described: tuple[SubmissionSet | DocumentEntry, ...] = (lot, *wanted.entries)
    for one in described:
        if patient_key(one.patient_id) != (call.requester.patient, call.requester.oid):
            raise MetadataError(
                f"{one.id}: patientId is not the patient of the VIHF", "XDSPatientIdDoesNotMatch", one.id
            )
    if record.shelf.has_set(lot.unique_id):
        raise MetadataError(f"submission set {lot.unique_id} is registered already", "XDSDuplicateUniqueIdInRegistry")
    return lot


def _move(
    call: DmpCall, record: MedicalRecord, one: Association, lot: SubmissionSet
) -> tuple[StoredDocument, DocumentStatus, str]:
    if one.source != lot.id:
        raise MetadataError(f"{one.id}: its source is not the submission set", "UnresolvedReferenceException", one.id)
    document = _target(call, record, one.target)
    try:
        original, new = DocumentStatus(one.slot("OriginalStatus")), DocumentStatus(one.slot("NewStatus"))
    except ValueError:
        raise MetadataError(f"{one.id}: OriginalStatus and NewStatus name states that are known") from None
    if document.entry.status is not original:
        raise MetadataError(
            f"{one.target}: its state is {_short(document)}, not {original.name.lower()}", location=one.target
        )
    operation = _MOVES.get((original, new))
    if operation is None:
        raise MetadataError(
            f"{one.target}: {original.name.lower()} never becomes {new.name.lower()}", location=one.target
        )
    found = permit(operation, call.requester, record)
    _check_owner(call, record, document, owns(call.requester, document, found), operation)
    return document, new, operation.value


def _change(
    call: DmpCall, record: MedicalRecord, wanted: Submission, entry: DocumentEntry, lot: SubmissionSet
) -> tuple[StoredDocument, DocumentEntry, str]:
    document = _target(call, record, entry.logical_id)
    member = next(
        (
            one
            for one in wanted.associations
            if one.kind is AssociationKind.HAS_MEMBER and one.source == lot.id and one.target == entry.id
        ),
        None,
    )
    if member is None or member.slot("PreviousVersion") != str(document.entry.version):
        raise MetadataError(
            f"{entry.logical_id}: a new version has a HasMember with PreviousVersion {document.entry.version}",
            location=entry.logical_id,
        )
    _check_nothing_else(document, entry)
    before, after = document.codes(record.clock.now()), entry.codes
    operations = _operations(before, after, entry.logical_id)
    for operation in operations:
        found = permit(operation, call.requester, record)
        _check_owner(call, record, document, owns(call.requester, document, found), operation)
    kept = DocumentEntry(
        **{
            **{name: getattr(document.entry, name) for name in DocumentEntry.__dataclass_fields__},
            "confidentiality": entry.confidentiality,
            "version": document.entry.version + 1,
        }
    )
    return document, kept, "+".join(one.value for one in operations)


def _operations(before: frozenset[str], after: frozenset[str], where: str) -> list[Operation]:
    if unknown := after - {*Confidentiality}:
        raise MetadataError(f"{where}: confidentiality {sorted(unknown)[0]} is not of JDV_J58")
    if hidden := (after - before) & _HIDING:
        raise DmpRefusalError(
            "DMPVisibilityRefused",
            Text(
                f"{sorted(hidden)[0]} : ce qui a été montré ne se cache plus",
                f"{sorted(hidden)[0]}: what was shown is not hidden again",
            ),
            where,
        )
    found = []
    if Confidentiality.MASKED in after - before:
        found.append(Operation.MASK)
    if Confidentiality.MASKED in before - after:
        found.append(Operation.UNMASK)
    if (before - after) & _HIDING:
        found.append(Operation.SHOW)
    if not found:
        raise MetadataError(f"{where}: the new version changes nothing that can change")
    return found


def _check_nothing_else(document: StoredDocument, entry: DocumentEntry) -> None:
    for name in ("unique_id", "type_code", "class_code", "format_code", "mime", "creation_time"):
        old, new = getattr(document.entry, name), getattr(entry, name)
        if getattr(old, "code", old) != getattr(new, "code", new):
            raise MetadataError(f"{entry.logical_id}: {name} cannot change, only confidentiality can")


def _check_owner(
    call: DmpCall,
    record: MedicalRecord,
    document: StoredDocument,
    own: bool,
    operation: Operation,
) -> None:
    treating = call.requester.id in record.authorisations.treating
    starred = operation in (Operation.ARCHIVE, Operation.DELETE)
    if document.by_patient and starred:
        if treating:
            return
        raise denied(
            Text(
                f"{operation.value} : un document du patient ne se traite que par lui ou son médecin traitant",
                f"{operation.value}: a document of the patient is handled by the patient or the treating doctor",
            )
        )
    if operation is Operation.DELETE and document.structure == call.requester.structure:
        # The issuing structure deletes too (SEED-DMP-12).
        return
    if not own:
        raise denied(
            Text(
                f"{operation.value} : ses propres documents seulement, celui-ci est de {document.author}",
                f"{operation.value}: own documents only, this one is by {document.author}",
            )
        )


def _target(call: DmpCall, record: MedicalRecord, uuid: str) -> StoredDocument:
    found = record.shelf.by_uuid(uuid)
    if found is None or not may_see_reference(call, record, found):
        raise MetadataError(f"{uuid[:80]} leads to no document of this record", "UnresolvedReferenceException", uuid)
    return found


def _short(document: StoredDocument) -> str:
    return document.entry.status.name.lower() if document.entry.status else "none"
