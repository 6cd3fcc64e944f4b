"""TD2.1 and TD3.x by command: documents sent, found, fetched, hidden, archived, deleted."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bifente.simulator.formats.cda import CDA_TYPE, CdaBody, CdaError, read_cda
from bifente.simulator.formats.xds import reading
from bifente.simulator.formats.xds.model import (
    Confidentiality,
    DocumentEntry,
    QueryRequest,
    confidentiality,
)
from bifente.simulator.formats.xds.names import RIM, AssociationKind, DocumentStatus, ReturnType, StoredQuery
from bifente.simulator.middleware.dmpconnect.conventions import (
    FUNCTIONAL,
    ConnectError,
    ConnectErrorType,
    in_base64,
    listed,
    malformed,
    number,
    text,
)
from bifente.simulator.software.connect.connector import DmpConnector, refused
from bifente.simulator.software.connect.values import (
    MEDIA,
    STATUSES,
    STRUCTURED,
    bits_of,
    hidden_from,
    statuses,
)
from bifente.simulator.software.lps.chart import PatientChart
from bifente.simulator.software.lps.client import DmpReply, entries_of, find_documents, get_documents
from bifente.simulator.software.lps.submission import LpsDocument, prepare_all

_Said = Mapping[str, Any]
_LOINC = "2.16.840.1.113883.6.1"
_LEVELS = frozenset({Confidentiality.NORMAL, Confidentiality.RESTRICTED, Confidentiality.VERY_RESTRICTED})


def send(connector: DmpConnector, said: _Said) -> _Said:
    """TD2.1 or TD2.1b of one document."""
    names = {
        "s_contentInBase64": "s_fileContentBase64",
        "s_title": "s_documentTitle",
        "s_category": "s_documentCategory",
        "i_visibility": "i_documentVisibility",
        "i_format": "i_documentFormat",
        "s_replacedDocumentUniqueId": "s_replacedDocumentUniqueId",
    }
    one = {name: said[given] for name, given in names.items() if given in said}
    return {"s_uniqueId": _sent(connector, said, [one])[0]}


def send_all(connector: DmpConnector, said: _Said) -> _Said:
    """TD2.1 of several documents in one submission."""
    documents = listed(said, "Documents")
    if not documents or not all(isinstance(one, dict) for one in documents):
        raise malformed("Documents is a list of documents")
    return {"UniqueIds": _sent(connector, said, documents)}


def find(connector: DmpConnector, said: _Said) -> _Said:
    """TD3.1; the handles of an earlier search are gone."""
    patient = connector.patient(said)
    more = {
        name: values
        for name, values in (
            ("TypeCode", tuple(f"{one}^^{_LOINC}" for one in listed(said, "Categories"))),
            ("FormatCode", tuple(f"{one}^^1.2.250.1.213.1.1.4.2.282" for one in listed(said, "Formats"))),
            ("PracticeSettingCode", tuple(f"{one}^^1.2.250.1.213.1.1.4.9" for one in listed(said, "Practices"))),
            *_span(said, "CreationTime", "s_creationDate"),
            *_span(said, "ServiceStartTime", "s_serviceStartDate"),
        )
        if values
    }
    wanted = find_documents(patient, statuses(number(said, "i_status", 1)), more=more)
    entries = entries_of(connector.well(connector.client.search(patient, wanted)))
    visibility = number(said, "i_visibility", 0)
    if visibility:
        entries = tuple(one for one in entries if bits_of(one.codes) & visibility)
    submitted = {} if number(said, "i_disableMetadataSearch", 0) else _submitted(connector, patient, entries)
    first, last = text(said, "s_submissionDateBottom", ""), text(said, "s_submissionDateTop", "")
    if first or last:
        entries = tuple(one for one in entries if _within(submitted.get(one.id, {}), first, last))
    connector.found = {rank: (patient, one) for rank, one in enumerate(entries, 1)}
    return {"Documents": [_told(rank, one) | submitted.get(one.id, {}) for rank, one in enumerate(entries, 1)]}


def content(connector: DmpConnector, said: _Said) -> _Said:
    """TD3.2 of a document that was found; its file is put where the page's user opens it."""
    patient, entry = _by_handle(connector, said, "i_documentHandle")
    body, fields = _fetched(connector, patient, entry.unique_id)
    path = connector.reach.folder / f"{entry.id.rpartition(':')[2]}{_ending(body)}"
    path.touch(0o600)
    path.write_bytes(body.content)
    return {"s_filePath": path.as_uri(), **fields}


def content_by_id(connector: DmpConnector, said: _Said) -> _Said:
    """TD3.2 of a document by its uniqueId."""
    return _fetched(connector, connector.patient(said), text(said, "s_documentUniqueId"))[1]


def show(connector: DmpConnector, said: _Said) -> _Said:
    """TD3.3a and TD3.3b of a document that was found."""
    return _shown(connector, *_by_handle(connector, said, "i_document"), said)


def show_by_id(connector: DmpConnector, said: _Said) -> _Said:
    """TD3.3a and TD3.3b of a document by its uniqueId."""
    return _shown(connector, *_by_unique_id(connector, said, "s_documentUniqueId"), said)


def move(connector: DmpConnector, said: _Said) -> _Said:
    """TD3.3d of a document that was found: into the archive, or out of it."""
    return _moved(connector, *_by_handle(connector, said, "i_document"))


def move_by_id(connector: DmpConnector, said: _Said) -> _Said:
    """TD3.3d of a document by its uniqueId."""
    return _moved(connector, *_by_unique_id(connector, said, "s_documentUniqueId"))


def delete(connector: DmpConnector, said: _Said) -> _Said:
    """TD3.3c: the technical reference is looked for (TD3.1b), then the document is deleted for good."""
    patient = connector.patient(said)
    reply = connector.well(
        connector.client.search(patient, get_documents(text(said, "s_uniqueId"), returns=ReturnType.REFERENCES))
    )
    found = reading.references(reply.content) if reply.content is not None else ()
    if not found:
        raise refused(DmpReply(200, "XDSDocumentUniqueIdError", "aucun document de cet uniqueId"))
    connector.well(connector.client.set_status(patient, found[0], DocumentStatus.APPROVED, DocumentStatus.DELETED))
    return {}


def _sent(connector: DmpConnector, said: _Said, documents: Sequence[_Said]) -> list[str]:
    patient = connector.named(connector.patient(said))
    setting = text(said, "s_healthcareSetting", connector.setting)
    made = [_document(connector, patient, one, setting) for one in documents]
    title, reach = text(said, "s_submissionSetTitle", ""), connector.reach
    prepared = prepare_all(connector.client.user, patient, made, reach.number(), reach.clock.now(), title=title)
    connector.well(connector.client.feed(patient, prepared))
    return list(prepared.unique_ids)


def _document(connector: DmpConnector, patient: PatientChart, said: _Said, setting: str) -> LpsDocument:
    kind, held = number(said, "i_format", 0), in_base64(said, "s_contentInBase64")
    if kind not in MEDIA and kind not in STRUCTURED:
        raise malformed(f"i_format: one of {', '.join(str(one) for one in (*MEDIA, *STRUCTURED))}")
    finished = kind in STRUCTURED
    media, format_code = MEDIA.get(kind, ("text/xml", STRUCTURED.get(kind, "")))
    replaced = text(said, "s_replacedDocumentUniqueId", "")
    return LpsDocument(
        media,
        held,
        title=text(said, "s_title"),
        code=text(said, "s_category"),
        label=text(said, "s_title"),
        visibility=hidden_from(number(said, "i_visibility", 1)),
        replaces=(replaced, _entry(connector, patient, replaced).id) if replaced else None,
        cda=held if finished else None,
        unique_id=_own_id(held) if finished else "",
        format_code=format_code,
        setting=setting,
    )


def _own_id(document: bytes) -> str:
    try:
        return read_cda(document).id
    except CdaError as error:
        raise malformed(f"s_contentInBase64 is no CDA document: {error}") from None


def _entry(connector: DmpConnector, patient: PatientChart, unique_id: str) -> DocumentEntry:
    """The metadata of a document, asked of the DMP."""
    reply = connector.well(connector.client.search(patient, get_documents(unique_id)))
    entries = entries_of(reply)
    if not entries:
        raise refused(DmpReply(200, "XDSDocumentUniqueIdError", "aucun document de cet uniqueId"))
    return entries[0]


def _by_handle(connector: DmpConnector, said: _Said, name: str) -> tuple[PatientChart, DocumentEntry]:
    found = connector.found.get(number(said, name, 0))
    if found is None:
        raise ConnectError(
            ConnectErrorType.API, FUNCTIONAL, f"{name}: no such document in the last hl_findDocuments", "handle"
        )
    return found


def _by_unique_id(connector: DmpConnector, said: _Said, name: str) -> tuple[PatientChart, DocumentEntry]:
    patient = connector.patient(said)
    return patient, _entry(connector, patient, text(said, name))


def _shown(connector: DmpConnector, patient: PatientChart, entry: DocumentEntry, said: _Said) -> _Said:
    codes = (entry.codes & _LEVELS) | hidden_from(number(said, "i_newVisibility", 0))
    newer = replace(entry, confidentiality=tuple(confidentiality(Confidentiality(one)) for one in sorted(codes)))
    connector.well(connector.client.set_entry(patient, newer))
    _keep(connector, replace(newer, version=entry.version + 1))
    return {}


def _moved(connector: DmpConnector, patient: PatientChart, entry: DocumentEntry) -> _Said:
    old = entry.status or DocumentStatus.APPROVED
    new = DocumentStatus.APPROVED if old is DocumentStatus.ARCHIVED else DocumentStatus.ARCHIVED
    connector.well(connector.client.set_status(patient, entry.id, old, new))
    _keep(connector, replace(entry, status=new))
    return {}


def _keep(connector: DmpConnector, newer: DocumentEntry) -> None:
    """What was found stays true to what was changed."""
    for handle, (patient, one) in connector.found.items():
        if one.id == newer.id:
            connector.found[handle] = (patient, newer)


def _fetched(connector: DmpConnector, patient: PatientChart, unique_id: str) -> tuple[CdaBody, _Said]:
    """The file in a document of level 1, else the document itself."""
    reply = connector.well(connector.client.fetch(patient, unique_id))
    document = reply.files[unique_id]
    try:
        body = read_cda(document).body or CdaBody(CDA_TYPE, document)
    except CdaError:
        # An unknown document is given all the same (DMPI-EX_3_1-1050).
        body = CdaBody(CDA_TYPE, document)
    kinds = {media: kind for kind, (media, _code) in MEDIA.items()}
    return body, {
        "s_fileContentInBase64": b64encode(body.content).decode("ascii"),
        "i_documentFormat": kinds.get(body.media_type, 0),
    }


def _ending(body: CdaBody) -> str:
    endings = {
        "text/plain": ".txt",
        "text/rtf": ".rtf",
        "image/jpeg": ".jpg",
        "image/tiff": ".tiff",
        "application/pdf": ".pdf",
    }
    return endings.get(body.media_type, ".xml")


def _submitted(
    connector: DmpConnector, patient: PatientChart, entries: Sequence[DocumentEntry]
) -> dict[str, dict[str, str]]:
    """When each was submitted, and what came before and after it: no stored query tells it with the document."""
    if not entries:
        return {}
    ties = _answered(connector, patient, StoredQuery.GET_ASSOCIATIONS, ("$uuid", tuple(one.id for one in entries)))
    status = ("$XDSSubmissionSetStatus", (DocumentStatus.APPROVED.value,))
    whose = ("$XDSSubmissionSetPatientId", (patient.ins.written,))
    sets = _answered(connector, patient, StoredQuery.FIND_SUBMISSION_SETS, whose, status)
    times = {one.id: one.submission_time for one in sets.sets}
    found = {one.id: {"s_submissionDate": "", "s_previousUUId": "", "s_nextUUId": ""} for one in entries}
    for tie in ties.associations:
        if tie.kind is AssociationKind.HAS_MEMBER and tie.target in found:
            found[tie.target]["s_submissionDate"] = times.get(tie.source, "")
        elif tie.kind is AssociationKind.REPLACES:
            if tie.source in found:
                found[tie.source]["s_previousUUId"] = tie.target
            if tie.target in found:
                found[tie.target]["s_nextUUId"] = tie.source
    return found


def _answered(connector: DmpConnector, patient: PatientChart, query: StoredQuery, *parameters: Any) -> Any:
    lists = frozenset(name for name, _values in parameters if not name.endswith("PatientId"))
    asked = QueryRequest(query.value, ReturnType.OBJECTS.value, parameters, lists)
    reply = connector.well(connector.client.search(patient, asked))
    held = None if reply.content is None else reply.content.find(f"{{{RIM}}}RegistryObjectList")
    if held is None:
        raise refused(DmpReply(200, "XDSRegistryError", "réponse sans RegistryObjectList"))
    return reading.submission(held)


def _span(said: _Said, name: str, field: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    ends = (("From", text(said, f"{field}Bottom", "")), ("To", text(said, f"{field}Top", "")))
    return tuple((f"{name}{end}", (value,) if value else ()) for end, value in ends)


def _within(submitted: Mapping[str, str], first: str, last: str) -> bool:
    moment = submitted.get("s_submissionDate", "")
    return (not first or moment >= first) and (not last or moment < last)


def _told(handle: int, entry: DocumentEntry) -> dict[str, Any]:
    codes = {code: kind for kind, (_media, code) in MEDIA.items()} | {code: kind for kind, code in STRUCTURED.items()}
    return {
        "i_handle": handle,
        "s_uuid": entry.id,
        "s_uniqueId": entry.unique_id,
        "s_title": entry.title,
        "s_description": entry.comments,
        "s_typeCode": entry.type_code.code,
        "s_classCode": entry.class_code.code,
        "s_practiceSettingCode": entry.practice.code,
        "s_healthCareFacilityTypeCode": entry.facility.code,
        "s_creationDate": entry.creation_time,
        "s_serviceStartDate": entry.service_start,
        "s_serviceStopDate": entry.service_stop,
        "i_document_Format": codes.get(entry.format_code.code, 0),
        "i_document_Status": STATUSES.get(entry.status or DocumentStatus.APPROVED, 0),
        "i_document_Visibility": bits_of(entry.codes),
        "Authors": [_author(one.person, one.speciality) for one in entry.authors],
        "EventCodes": [{"s_code": one.code, "s_label": one.display} for one in entry.event_codes],
    }


def _author(person: str, speciality: str) -> dict[str, str]:
    parts = [*person.split("^"), "", "", ""]
    code = speciality.partition("^")[0]
    return {
        "s_hpInternalId": parts[0],
        "s_hpName": parts[1],
        "s_hpGiven": parts[2],
        "s_hpProfession": code.removeprefix("G15_").partition("/")[0],
        "s_hpSpeciality": code.partition("/")[2],
    }
