"""TD2.1, TD2.1b and TD2.2: a submission is checked whole, then kept whole (ITI-41)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from bifente.ground.text import Text
from bifente.simulator.formats.dmp.names import REPOSITORY
from bifente.simulator.formats.soap import SoapFaultError
from bifente.simulator.formats.soap.xml import XmlElement
from bifente.simulator.formats.xades import SubmissionSignatureError, verified_submission
from bifente.simulator.formats.xds import reading, writing
from bifente.simulator.formats.xds.errors import MetadataError
from bifente.simulator.formats.xds.model import (
    Association,
    Confidentiality,
    DocumentAuthor,
    DocumentEntry,
    Submission,
    SubmissionSet,
    patient_key,
)
from bifente.simulator.formats.xds.names import LCM, XDSB, AssociationKind, DocumentStatus, ResponseStatus
from bifente.simulator.pki.refusals import CertificateRefusedError
from bifente.simulator.services.dmp.access import check_open, permit
from bifente.simulator.services.dmp.call import DmpAnswer, DmpCall
from bifente.simulator.services.dmp.contents import check_content
from bifente.simulator.services.dmp.documents import StoredDocument
from bifente.simulator.services.dmp.errors import DmpRefusalError
from bifente.simulator.services.dmp.record import MedicalRecord
from bifente.simulator.services.dmp.rights import Calling, Operation
from bifente.simulator.services.dmp.visibility import PATIENT_CLASS, check_visibility

SIGNATURE_TYPE = "E1762"


def feed(call: DmpCall) -> DmpAnswer:
    """Register a submission; nothing of it is kept unless all of it is right."""
    try:
        call.message.check_mtom()
    except SoapFaultError as error:
        raise DmpRefusalError("DMPNoMtom", error.reason) from None
    requester = call.requester
    call.register.count_feeding(requester.structure, requester.software)
    record = call.register.record(requester.patient, requester.oid)
    check_open(record)
    # A CPE feeds by TD2.2, everybody else by TD2.1: the message is the same.
    operation = Operation.FEED_AS_EMPLOYEE if requester.calling is Calling.EMPLOYEE else Operation.FEED
    permit(operation, requester, record)
    wanted = _submission(call.content)
    lot = _lot(call, record, wanted)
    contents = _contents(call, wanted)
    signature = _signature_entry(wanted, lot)
    documents = [one for one in wanted.entries if one is not signature]
    _check_ids(record, wanted, contents)
    replaced = _replaced(call, record, wanted)
    for entry in documents:
        _check_author(call, entry.authors, entry.unique_id)
        if entry.class_code.code == PATIENT_CLASS:
            raise MetadataError(
                f"{entry.id}: classCode {PATIENT_CLASS} is for documents that the patient puts in", location=entry.id
            )
        check_visibility(record, requester, entry)
        found = check_content(call.register, requester, entry, contents[entry.id])
        _check_replacement(record, wanted, entry, found.replaces)
    _check_signature(call, lot, signature, documents, contents)
    _keep(call, record, wanted, lot, contents, replaced)
    record.trace(requester, operation.value if not replaced else "TD2.1b", documents[0].unique_id)
    return DmpAnswer(writing.registry_response(ResponseStatus.SUCCESS))


def _submission(content: XmlElement) -> Submission:
    request = content.find(f"{{{LCM}}}SubmitObjectsRequest")
    if request is None:
        raise MetadataError("no SubmitObjectsRequest", "XDSRepositoryMetadataError")
    return reading.submission(request)


def _lot(call: DmpCall, record: MedicalRecord, wanted: Submission) -> SubmissionSet:
    if len(wanted.sets) != 1:
        raise MetadataError(f"one submission set is expected, there are {len(wanted.sets)}")
    lot = wanted.sets[0]
    members = {
        one.target for one in wanted.associations if one.kind is AssociationKind.HAS_MEMBER and one.source == lot.id
    }
    for entry in wanted.entries:
        if entry.id not in members:
            raise MetadataError(f"{entry.id} is no member of the submission set (HasMember)", location=entry.id)
    if strangers := members - {entry.id for entry in wanted.entries}:
        raise MetadataError(f"HasMember leads to {sorted(strangers)[0][:80]}", "UnresolvedReferenceException")
    described: tuple[SubmissionSet | DocumentEntry, ...] = (lot, *wanted.entries)
    for one in described:
        if patient_key(one.patient_id) != (call.requester.patient, call.requester.oid):
            raise MetadataError(
                f"{one.id}: patientId is not the INS and OID of the VIHF", "XDSPatientIdDoesNotMatch", one.id
            )
    _check_author(call, lot.authors, lot.id)
    if record.shelf.has_set(lot.unique_id):
        raise MetadataError(
            f"submission set {lot.unique_id} is registered already", "XDSDuplicateUniqueIdInRegistry", lot.unique_id
        )
    return lot


def _contents(call: DmpCall, wanted: Submission) -> Mapping[str, bytes]:
    found: dict[str, bytes] = {}
    for holder in call.content.iterfind(f"{{{XDSB}}}Document"):
        name = holder.get("id", "")
        if name in found:
            raise MetadataError(f"Document {name} is there twice", "XDSRepositoryDuplicateUniqueIdInMessage", name)
        # XOP lets a small content stay in the envelope of a multipart message.
        found[name] = call.message.content(holder)
    described = {entry.id for entry in wanted.entries}
    if missing := described - found.keys():
        name = sorted(missing)[0]
        raise MetadataError(f"{name} is described and not attached", "XDSMissingDocument", name)
    if more := found.keys() - described:
        name = sorted(more)[0]
        raise MetadataError(f"{name} is attached and not described", "XDSMissingDocumentMetadata", name)
    return found


def _check_ids(record: MedicalRecord, wanted: Submission, contents: Mapping[str, bytes]) -> None:
    seen: set[str] = set()
    for entry in wanted.entries:
        if entry.unique_id in seen:
            raise MetadataError(
                f"uniqueId {entry.unique_id} is there twice", "XDSRepositoryDuplicateUniqueIdInMessage", entry.unique_id
            )
        seen.add(entry.unique_id)
        digest = hashlib.sha1(contents[entry.id]).hexdigest()  # noqa: S324 - XDS has no other
        if entry.hash and entry.hash.lower() != digest:
            raise MetadataError(f"{entry.id}: hash is not that of the document", "XDSNonIdenticalHash", entry.unique_id)
        if entry.size is not None and entry.size != len(contents[entry.id]):
            raise MetadataError(f"{entry.id}: size is not that of the document", location=entry.unique_id)
        known = record.shelf.by_unique(entry.unique_id)
        if known is not None and known.entry.hash != digest:
            raise MetadataError(
                f"uniqueId {entry.unique_id} is registered with another hash", "XDSNonIdenticalHash", entry.unique_id
            )
        if known is not None:
            raise MetadataError(f"document {entry.unique_id} is registered already", location=entry.unique_id)


def _check_author(call: DmpCall, authors: Iterable[DocumentAuthor], where: str) -> None:
    requester = call.requester
    for author in authors:
        institutions = {one.rsplit("^", 1)[-1] for one in author.institutions}
        person = author.person.partition("^")[0]
        by_card = requester.direct and requester.calling is not Calling.EMPLOYEE
        if requester.structure in institutions and (not by_card or person == requester.id):
            return
    raise DmpRefusalError(
        "DMPAuthorMismatch",
        Text(
            f"auteur attendu : {requester.id}, structure {requester.structure}",
            f"author expected: {requester.id}, structure {requester.structure}",
        ),
        where,
    )


def _signature_entry(wanted: Submission, lot: SubmissionSet) -> DocumentEntry:
    found = [one for one in wanted.entries if one.type_code.code == SIGNATURE_TYPE]
    if len(found) != 1:
        raise DmpRefusalError(
            "DMPInvalidSignature",
            Text(
                f"le lot porte {len(found)} document de signature ({SIGNATURE_TYPE}), un seul est attendu",
                f"the set holds {len(found)} signature documents ({SIGNATURE_TYPE}), one is expected",
            ),
        )
    if len(wanted.entries) == 1:
        raise MetadataError("the set holds no document beside its signature", location=lot.id)
    if not any(
        one.kind is AssociationKind.SIGNS and (one.source, one.target) == (found[0].id, lot.id)
        for one in wanted.associations
    ):
        raise MetadataError("no association says that the signature signs the submission set", location=found[0].id)
    return found[0]


def _check_signature(
    call: DmpCall,
    lot: SubmissionSet,
    signature: DocumentEntry,
    documents: Iterable[DocumentEntry],
    contents: Mapping[str, bytes],
) -> None:
    try:
        verified = verified_submission(contents[signature.id], sha1=call.register.parameters.sha1)
        verified.check(lot.unique_id, {one.unique_id: contents[one.id] for one in documents})
    except SubmissionSignatureError as error:
        raise DmpRefusalError("DMPInvalidSignature", str(error), signature.unique_id) from None
    if verified.certificate.subject != call.vihf.certificate.subject:
        raise DmpRefusalError(
            "DMPInvalidSignature",
            Text("le lot est signé par un autre que le VIHF", "the set is signed by another than the VIHF"),
            signature.unique_id,
        )
    try:
        call.trust.judge([verified.certificate])
    except CertificateRefusedError as error:
        raise DmpRefusalError("DMPInvalidCertificate", error.text, signature.unique_id) from None


def _replaced(call: DmpCall, record: MedicalRecord, wanted: Submission) -> Mapping[str, StoredDocument]:
    """The documents that are replaced, by the id of the new one."""
    found: dict[str, StoredDocument] = {}
    for one in wanted.associations:
        if one.kind is not AssociationKind.REPLACES:
            continue
        old = record.shelf.by_uuid(one.target)
        if old is None:
            raise MetadataError(
                f"RPLC leads to {one.target[:80]}, which is not there", "UnresolvedReferenceException", one.target
            )
        if one.source not in {entry.id for entry in wanted.entries} or one.source in found:
            raise MetadataError("the source of RPLC is no document of this set", "UnresolvedReferenceException", one.id)
        if old.entry.status is not DocumentStatus.APPROVED:
            raise MetadataError(f"{one.target} is no longer current", "XDSRegistryDeprecatedDocumentError", one.target)
        own = not old.by_patient and (old.author == call.requester.id or old.structure == call.requester.structure)
        if not own:
            raise DmpRefusalError(
                "DMPAccessDeniedByRightsService",
                Text(
                    "TD2.1b : seul l'auteur ou sa structure remplace un document",
                    "TD2.1b: only the author or the author's structure replaces a document",
                ),
            )
        found[one.source] = old
    return found


def _check_replacement(
    record: MedicalRecord, wanted: Submission, entry: DocumentEntry, replaces: tuple[str, ...]
) -> None:
    """What the CDA says that it replaces is what the association replaces."""
    targets = [
        record.shelf.by_uuid(one.target)
        for one in wanted.associations
        if one.kind is AssociationKind.REPLACES and one.source == entry.id
    ]
    named = {one.entry.unique_id for one in targets if one is not None}
    if named != set(replaces):
        raise DmpRefusalError(
            "DMPInvalidDocument",
            Text(
                "relatedDocument (RPLC) du CDA et l'association RPLC ne disent pas le même document",
                "relatedDocument (RPLC) of the CDA and the RPLC association do not name the same document",
            ),
            entry.unique_id,
        )


def _keep(
    call: DmpCall,
    record: MedicalRecord,
    wanted: Submission,
    lot: SubmissionSet,
    contents: Mapping[str, bytes],
    replaced: Mapping[str, StoredDocument],
) -> None:
    now, new_id = record.clock.now(), call.register.new_id
    uuids = {one.id: one.id if one.id.startswith("urn:uuid:") else f"urn:uuid:{new_id()}" for one in wanted.entries}
    lot_id = lot.id if lot.id.startswith("urn:uuid:") else f"urn:uuid:{new_id()}"
    names = {**uuids, lot.id: lot_id}
    stored = []
    for entry in wanted.entries:
        content = contents[entry.id]
        hidden = Confidentiality.HIDDEN_FROM_PATIENT in entry.codes and entry.type_code.code != SIGNATURE_TYPE
        stored.append(
            StoredDocument(
                replace(
                    entry,
                    id=uuids[entry.id],
                    logical_id=uuids[entry.id],
                    status=DocumentStatus.APPROVED,
                    hash=hashlib.sha1(content).hexdigest(),  # noqa: S324 - XDS has no other
                    size=len(content),
                    repository=REPOSITORY,
                    version=1,
                ),
                content,
                call.requester.id,
                call.requester.structure,
                now,
                lot_id,
                hidden_until=now + record.parameters.hidden_for if hidden else None,
            )
        )
    associations = [
        Association(
            f"urn:uuid:{new_id()}",
            one.kind,
            names.get(one.source, one.source),
            names.get(one.target, one.target),
            one.slots,
        )
        for one in wanted.associations
    ]
    record.shelf.register(replace(lot, id=lot_id, status=DocumentStatus.APPROVED), stored, associations)
    for old in replaced.values():
        record.shelf.set_status(old, DocumentStatus.DEPRECATED)
