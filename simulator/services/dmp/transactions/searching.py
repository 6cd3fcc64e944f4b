"""TD3.1 and TD3.1b: the four stored queries of the DMP (ITI-18)."""

from __future__ import annotations

from collections.abc import Iterable

from bifente.simulator.formats.xds import reading, writing
from bifente.simulator.formats.xds.errors import MetadataError
from bifente.simulator.formats.xds.model import DocumentEntry, QueryRequest, Submission, patient_key
from bifente.simulator.formats.xds.names import DocumentStatus, ResponseStatus, ReturnType, StoredQuery
from bifente.simulator.services.dmp.access import check_open, may_see, owns, permit
from bifente.simulator.services.dmp.call import DmpAnswer, DmpCall
from bifente.simulator.services.dmp.documents import StoredDocument
from bifente.simulator.services.dmp.record import MedicalRecord
from bifente.simulator.services.dmp.rights import Calling, DmpGrant, Operation

_PATIENT, _STATUS = "$XDSDocumentEntryPatientId", "$XDSDocumentEntryStatus"
_TIMES = {
    "$XDSDocumentEntryCreationTime": "creation_time",
    "$XDSDocumentEntryServiceStartTime": "service_start",
    "$XDSDocumentEntryServiceStopTime": "service_stop",
}
_CODES = {
    "$XDSDocumentEntryClassCode": "class_code",
    "$XDSDocumentEntryTypeCode": "type_code",
    "$XDSDocumentEntryFormatCode": "format_code",
    "$XDSDocumentEntryHealthcareFacilityTypeCode": "facility",
    "$XDSDocumentEntryPracticeSettingCode": "practice",
}
_KNOWN = {
    StoredQuery.FIND_DOCUMENTS: {
        _PATIENT,
        _STATUS,
        *_CODES,
        *(f"{name}{end}" for name in _TIMES for end in ("From", "To")),
        "$XDSDocumentEntryConfidentialityCode",
        "$XDSDocumentEntryAuthorPerson",
        "$XDSDocumentEntryEventCodeList",
        "$XDSDocumentEntryType",
    },
    StoredQuery.FIND_SUBMISSION_SETS: {
        "$XDSSubmissionSetPatientId",
        "$XDSSubmissionSetStatus",
        "$XDSSubmissionSetSubmissionTimeFrom",
        "$XDSSubmissionSetSubmissionTimeTo",
        "$XDSSubmissionSetContentType",
        "$XDSSubmissionSetSourceId",
        "$XDSSubmissionSetAuthorPerson",
    },
    StoredQuery.GET_DOCUMENTS: {"$XDSDocumentEntryEntryUUID", "$XDSDocumentEntryUniqueId", "$homeCommunityId"},
    StoredQuery.GET_ASSOCIATIONS: {"$uuid", "$homeCommunityId"},
}


def search(call: DmpCall) -> DmpAnswer:
    """Answer a stored query."""
    asked = reading.query(call.content)
    try:
        kind, returns = StoredQuery(asked.query), ReturnType(asked.returns)
    except ValueError:
        raise MetadataError(
            f"query {asked.query} or returnType {asked.returns} is not known", "XDSUnknownStoredQuery"
        ) from None
    if unknown := [name for name, _values in asked.parameters if name not in _KNOWN[kind]]:
        raise MetadataError(f"{unknown[0]} is no parameter of this query", "XDSStoredQueryParamNumber")
    record = call.register.record(call.requester.patient, call.requester.oid)
    reference = kind is StoredQuery.GET_DOCUMENTS and returns is ReturnType.REFERENCES
    found = permit(Operation.REFERENCE if reference else Operation.SEARCH, call.requester, record)
    if not (record.closing and record.wishes.archive_when_closed):
        check_open(record)
    record.trace(call.requester, "TD3.1b" if reference else "TD3.1")
    match kind:
        case StoredQuery.FIND_DOCUMENTS:
            return _answer(call, returns, _documents(call, record, asked))
        case StoredQuery.FIND_SUBMISSION_SETS:
            return _sets(call, record, asked, returns)
        case StoredQuery.GET_DOCUMENTS:
            return _answer(call, returns, _named(call, record, asked, found))
        case _:
            return _associations(call, record, asked, returns)


def _documents(call: DmpCall, record: MedicalRecord, asked: QueryRequest) -> list[DocumentEntry]:
    _check_patient(call, asked, _PATIENT, required=False)
    statuses = [_status(value) for value in asked.values(_STATUS)]
    if not statuses:
        raise MetadataError(f"{_STATUS} is missing", "XDSStoredQueryMissingParam")
    if _STATUS not in asked.lists:
        raise MetadataError(f"{_STATUS} is a list, in parentheses", "XDSStoredQueryParamNumber")
    if record.closing is not None:
        # Of a closed record nothing but the archive is left, where the patient allows it.
        statuses = [one for one in statuses if one is DocumentStatus.ARCHIVED]
    codes = {field: _code_values(asked, name) for name, field in _CODES.items()}
    codes = {field: values for field, values in codes.items() if values}
    spans = {
        field: (_one(asked, f"{name}From"), _one(asked, f"{name}To"))
        for name, field in _TIMES.items()
        if asked.values(f"{name}From") or asked.values(f"{name}To")
    }
    since, until = spans.pop("creation_time", ("", ""))
    confidential = {value.partition("^")[0] for value in asked.values("$XDSDocumentEntryConfidentialityCode")}
    authors = [value.replace("%", "") for value in asked.values("$XDSDocumentEntryAuthorPerson")]
    now, found = record.clock.now(), []
    for document in record.shelf.find(statuses, since, until, codes.pop("type_code", ())):
        entry = document.entry
        if codes and not all(getattr(entry, field).code in values for field, values in codes.items()):
            continue
        if spans and not all(_within(getattr(entry, field), *span) for field, span in spans.items()):
            continue
        if authors and not any(author in one.person for author in authors for one in entry.authors):
            continue
        if confidential and not confidential & document.codes(now):
            continue
        if may_see(call.requester, record, document) and entry.type_code.code != "E1762":
            found.append(document.shown(now))
    return found


def _named(call: DmpCall, record: MedicalRecord, asked: QueryRequest, found: DmpGrant) -> list[DocumentEntry]:
    uuids, uniques = asked.values("$XDSDocumentEntryEntryUUID"), asked.values("$XDSDocumentEntryUniqueId")
    if bool(uuids) == bool(uniques):
        raise MetadataError(
            "one of $XDSDocumentEntryEntryUUID and $XDSDocumentEntryUniqueId is needed", "XDSStoredQueryMissingParam"
        )
    documents: Iterable[StoredDocument | None] = (
        [record.shelf.by_uuid(one) for one in uuids] if uuids else [record.shelf.by_unique(one) for one in uniques]
    )
    limited = found is DmpGrant.TO_DELETE_OR_REPLACE
    return [
        one.shown(record.clock.now())
        for one in documents
        if one is not None
        and may_see_reference(call, record, one)
        and (not limited or owns(call.requester, one, DmpGrant.OF_STRUCTURE))
    ]


def may_see_reference(call: DmpCall, record: MedicalRecord, document: StoredDocument) -> bool:
    """Return whether the reference of a document is given: its author's structure has it even where it is masked."""
    return document.structure == call.requester.structure or (
        call.requester.calling not in (Calling.EMPLOYEE, Calling.STRUCTURE)
        and may_see(call.requester, record, document)
    )


def _sets(call: DmpCall, record: MedicalRecord, asked: QueryRequest, returns: ReturnType) -> DmpAnswer:
    _check_patient(call, asked, "$XDSSubmissionSetPatientId", required=False)
    if not asked.values("$XDSSubmissionSetStatus"):
        raise MetadataError("$XDSSubmissionSetStatus is missing", "XDSStoredQueryMissingParam")
    since = _one(asked, "$XDSSubmissionSetSubmissionTimeFrom")
    until = _one(asked, "$XDSSubmissionSetSubmissionTimeTo")
    found = tuple(record.shelf.find_sets(since, until))
    if returns is ReturnType.REFERENCES:
        return DmpAnswer(writing.query_response(ResponseStatus.SUCCESS, references=[one.id for one in found]))
    _check_number(call, len(found))
    return DmpAnswer(writing.query_response(ResponseStatus.SUCCESS, Submission(sets=found)))


def _associations(call: DmpCall, record: MedicalRecord, asked: QueryRequest, returns: ReturnType) -> DmpAnswer:
    uuids = asked.values("$uuid")
    if not uuids:
        raise MetadataError("$uuid is missing", "XDSStoredQueryMissingParam")

    def shown(uuid: str) -> bool:
        document = record.shelf.by_uuid(uuid)
        return document is None or may_see(call.requester, record, document)

    found = tuple(one for one in record.shelf.associations(uuids) if shown(one.source) and shown(one.target))
    if returns is ReturnType.REFERENCES:
        return DmpAnswer(writing.query_response(ResponseStatus.SUCCESS, references=[one.id for one in found]))
    return DmpAnswer(writing.query_response(ResponseStatus.SUCCESS, Submission(associations=found)))


def _answer(call: DmpCall, returns: ReturnType, entries: list[DocumentEntry]) -> DmpAnswer:
    if returns is ReturnType.REFERENCES:
        return DmpAnswer(writing.query_response(ResponseStatus.SUCCESS, references=[one.id for one in entries]))
    _check_number(call, len(entries))
    return DmpAnswer(writing.query_response(ResponseStatus.SUCCESS, Submission(entries=tuple(entries))))


def _check_number(call: DmpCall, number: int) -> None:
    most = call.register.parameters.most_results
    if number > most:
        raise MetadataError(f"{number} objects found, at most {most} are given back", "XDSTooManyResults")


def _check_patient(call: DmpCall, asked: QueryRequest, name: str, *, required: bool) -> None:
    """The patient may be left out: that of the VIHF counts then (DMPI-RG_3010)."""
    given = asked.values(name)
    if not given and not required:
        return
    if name in asked.lists or len(given) != 1:
        raise MetadataError(f"{name} is one value without parentheses", "XDSStoredQueryParamNumber")
    if patient_key(given[0]) != (call.requester.patient, call.requester.oid):
        raise MetadataError(
            f"{name} is not the patient of the VIHF, or not <ins>^^^&<oid>&ISO^NH", "XDSPatientIdDoesNotMatch"
        )


def _status(value: str) -> DocumentStatus:
    try:
        return DocumentStatus(value)
    except ValueError:
        raise MetadataError(f"status {value[:80]!r} is not known", "XDSStoredQueryParamNumber") from None


def _code_values(asked: QueryRequest, name: str) -> frozenset[str]:
    return frozenset(value.partition("^")[0] for value in asked.values(name))


def _one(asked: QueryRequest, name: str) -> str:
    values = asked.values(name)
    if len(values) > 1 or (values and not values[0].isdigit()):
        raise MetadataError(f"{name} is one time YYYYMMDDhhmmss", "XDSStoredQueryParamNumber")
    return values[0] if values else ""


def _within(moment: str, since: str, until: str) -> bool:
    return (not since or moment >= since) and (not until or moment < until)
