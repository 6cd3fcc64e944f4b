"""ebRIM to values. Elements come from a hardened parser; whatever is missing or twice is said with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from bifente.simulator.formats.xds import names
from bifente.simulator.formats.xds.errors import MetadataError
from bifente.simulator.formats.xds.model import (
    Association,
    CodedEntry,
    DocumentAuthor,
    DocumentEntry,
    QueryRequest,
    RegistryError,
    Submission,
    SubmissionSet,
)
from bifente.simulator.formats.xds.names import QUERY, RIM, RS, XDSB, AssociationKind, DocumentStatus

_Element = etree._Element
MOST_OBJECTS = 1_000
"""Most objects of one submission."""
_TIME = re.compile(r"\d{4}(\d{2}(\d{2}(\d{2}(\d{2}(\d{2})?)?)?)?)?", re.ASCII)
_OID = re.compile(r"[0-2](\.(0|[1-9]\d*)){1,40}(\^[A-Za-z0-9.\-]{1,64})?", re.ASCII)
_QUOTED = re.compile(r"'((?:[^']|'')*)'")


def submission(parent: _Element) -> Submission:
    """Return what stands in a SubmitObjectsRequest or in a RegistryObjectList. Raise MetadataError."""
    listed = parent if parent.tag == f"{{{RIM}}}RegistryObjectList" else parent.find(f"{{{RIM}}}RegistryObjectList")
    if listed is None:
        raise MetadataError("no RegistryObjectList")
    if len(listed) > MOST_OBJECTS:
        raise MetadataError(f"more than {MOST_OBJECTS} objects in one submission")
    # A submission set may also be told by a Classification of its own.
    loose = {
        one.get("classifiedObject")
        for one in listed.iterfind(f"{{{RIM}}}Classification")
        if one.get("classificationNode") == names.SUBMISSION_SET
    }
    return Submission(
        tuple(_set(one, loose) for one in listed.iterfind(f"{{{RIM}}}RegistryPackage")),
        tuple(_entry(one) for one in listed.iterfind(f"{{{RIM}}}ExtrinsicObject")),
        tuple(_association(one) for one in listed.iterfind(f"{{{RIM}}}Association")),
    )


def references(response: _Element) -> tuple[str, ...]:
    """Return the ids of the ObjectRef of an ITI-18 answer."""
    return tuple(one.get("id", "") for one in response.iter(f"{{{RIM}}}ObjectRef"))


def registry_errors(response: _Element) -> tuple[RegistryError, ...]:
    """Return the lines of the RegistryErrorList, wherever it stands."""
    return tuple(
        RegistryError(one.get("errorCode", ""), one.get("codeContext", ""), one.get("location", ""))
        for one in response.iter(f"{{{RS}}}RegistryError")
    )


def query(element: _Element) -> QueryRequest:
    """Return the stored query of an AdhocQueryRequest. Raise MetadataError."""
    asked = element.find(f"{{{RIM}}}AdhocQuery")
    option = element.find(f"{{{QUERY}}}ResponseOption")
    if asked is None:
        raise MetadataError("no AdhocQuery", "XDSUnknownStoredQuery")
    parameters: list[tuple[str, tuple[str, ...]]] = []
    lists: set[str] = set()
    for slot in asked.iterfind(f"{{{RIM}}}Slot"):
        name, found = slot.get("name", ""), []
        for value in _values(slot):
            text = value.strip()
            if text.startswith("("):
                lists.add(name)
            found.extend(_unquoted(text, name))
        parameters.append((name, tuple(found)))
    returns = "" if option is None else option.get("returnType", "")
    return QueryRequest(
        asked.get("id", ""), returns or names.ReturnType.OBJECTS.value, tuple(parameters), frozenset(lists)
    )


def retrieve(element: _Element) -> tuple[tuple[str, str], ...]:
    """Return the repository and uniqueId of each document of an ITI-43 request. Raise MetadataError."""
    wanted = tuple(
        (
            one.findtext(f"{{{XDSB}}}RepositoryUniqueId", "").strip(),
            one.findtext(f"{{{XDSB}}}DocumentUniqueId", "").strip(),
        )
        for one in element.iterfind(f"{{{XDSB}}}DocumentRequest")
    )
    if not wanted:
        raise MetadataError("no DocumentRequest", "XDSRepositoryMetadataError")
    return wanted


def _unquoted(text: str, name: str) -> list[str]:
    inner = text[1:-1] if text.startswith("(") and text.endswith(")") else text
    if re.fullmatch(r"-?\d+", inner):
        return [inner]
    if not re.fullmatch(r"\s*'(?:[^']|'')*'\s*(,\s*'(?:[^']|'')*'\s*)*", inner):
        raise MetadataError(
            f"{name}: values are written 'like this', several ('so','so'); got {text[:60]!r}",
            "XDSStoredQueryParamNumber",
        )
    return [value.replace("''", "'") for value in _QUOTED.findall(inner)]


def _set(element: _Element, loose: set[str | None]) -> SubmissionSet:
    own = _Read(element, "RegistryPackage")
    if names.SUBMISSION_SET not in own.nodes and element.get("id") not in loose:
        raise own.wrong("is no submission set: its Classification is missing (folders are not taken)")
    return SubmissionSet(
        id=own.id,
        unique_id=own.oid(names.SET_UNIQUE_ID, "uniqueId"),
        source_id=own.oid(names.SET_SOURCE_ID, "sourceId"),
        patient_id=own.identifier(names.SET_PATIENT_ID, "patientId"),
        submission_time=own.time("submissionTime"),
        content_type=own.code(names.CONTENT_TYPE, "contentTypeCode"),
        authors=own.authors(names.SET_AUTHOR),
        title=own.text("Name"),
        comments=own.text("Description"),
        status=own.status,
    )


def _entry(element: _Element) -> DocumentEntry:
    own = _Read(element, "ExtrinsicObject")
    size, version = own.slot("size"), element.find(f"{{{RIM}}}VersionInfo")
    if size and not re.fullmatch(r"\d{1,15}", size, re.ASCII):
        raise own.wrong(f"size {size!r} is no number of bytes")
    number = "1" if version is None else version.get("versionName", "1")
    return DocumentEntry(
        id=own.id,
        unique_id=own.oid(names.ENTRY_UNIQUE_ID, "uniqueId"),
        patient_id=own.identifier(names.ENTRY_PATIENT_ID, "patientId"),
        mime=element.get("mimeType", ""),
        class_code=own.code(names.CLASS_CODE, "classCode"),
        type_code=own.code(names.TYPE_CODE, "typeCode"),
        format_code=own.code(names.FORMAT_CODE, "formatCode"),
        facility=own.code(names.FACILITY, "healthcareFacilityTypeCode"),
        practice=own.code(names.PRACTICE, "practiceSettingCode"),
        confidentiality=own.several(names.CONFIDENTIALITY, "confidentialityCode"),
        authors=own.authors(names.ENTRY_AUTHOR),
        creation_time=own.time("creationTime"),
        title=own.text("Name"),
        comments=own.text("Description"),
        language=own.slot("languageCode"),
        legal_authenticator=own.slot("legalAuthenticator"),
        service_start=own.time("serviceStartTime", required=False),
        service_stop=own.time("serviceStopTime", required=False),
        source_patient_id=own.slot("sourcePatientId"),
        source_patient_info=own.slots("sourcePatientInfo"),
        event_codes=own.codes(names.EVENT_CODE),
        status=own.status,
        hash=own.slot("hash"),
        size=int(size) if size else None,
        repository=own.slot("repositoryUniqueId"),
        logical_id=element.get("lid", ""),
        version=int(number) if re.fullmatch(r"\d{1,6}", number, re.ASCII) else 1,
    )


def _association(element: _Element) -> Association:
    own = _Read(element, "Association")
    kind = element.get("associationType", "")
    try:
        known = AssociationKind(kind)
    except ValueError:
        raise own.wrong(f"associationType {kind!r} is not known") from None
    source, target = element.get("sourceObject", ""), element.get("targetObject", "")
    if not source or not target:
        raise own.wrong("sourceObject and targetObject are both needed")
    slots = tuple(
        (slot.get("name", ""), value)
        for slot in element.iterfind(f"{{{RIM}}}Slot")
        for value in list(_values(slot))[:1]
    )
    return Association(own.id, known, source, target, slots)


class _Read:
    """One registry object, its slots and classifications found once."""

    def __init__(self, element: _Element, kind: str) -> None:
        self.id = element.get("id", "")
        self._element, self._kind = element, kind
        if not self.id:
            raise self.wrong("has no id")
        self._slots: dict[str, tuple[str, ...]] = {}
        for slot in element.iterfind(f"{{{RIM}}}Slot"):
            name = slot.get("name", "")
            if name in self._slots:
                raise self.wrong(f"slot {name} is there twice")
            self._slots[name] = tuple(_values(slot))
        self._classified = list(element.iterfind(f"{{{RIM}}}Classification"))
        self.nodes = {one.get("classificationNode") for one in self._classified}
        self._identified: dict[str, str] = {}
        for one in element.iterfind(f"{{{RIM}}}ExternalIdentifier"):
            scheme = one.get("identificationScheme", "")
            if scheme in self._identified:
                raise self.wrong(f"ExternalIdentifier {scheme} is there twice")
            self._identified[scheme] = one.get("value", "")

    def wrong(self, what: str) -> MetadataError:
        """An error about this object."""
        line = self._element.sourceline
        return MetadataError(f"{self._kind} {self.id or '(no id)'}: {what}", location=f"line {line}" if line else "")

    @property
    def status(self) -> DocumentStatus | None:
        """The status attribute, None without one."""
        given = self._element.get("status")
        if not given:
            return None
        try:
            return DocumentStatus(given)
        except ValueError:
            raise self.wrong(f"status {given!r} is not known") from None

    def slot(self, name: str) -> str:
        """The first value of a slot, empty without it."""
        return next(iter(self._slots.get(name, ())), "")

    def slots(self, name: str) -> tuple[str, ...]:
        """Every value of a slot."""
        return self._slots.get(name, ())

    def time(self, name: str, *, required: bool = True) -> str:
        """A slot that holds a time."""
        value = self.slot(name)
        if not value and not required:
            return ""
        if not _TIME.fullmatch(value):
            raise self.wrong(f"{name} {value!r} is no time YYYYMMDDhhmmss" if value else f"slot {name} is missing")
        return value

    def identifier(self, scheme: str, name: str) -> str:
        """An external identifier, which must be there."""
        value = self._identified.get(scheme, "")
        if not value:
            raise self.wrong(f"{name} is missing (ExternalIdentifier {scheme})")
        return value

    def oid(self, scheme: str, name: str) -> str:
        """An external identifier that is an OID, an extension behind a circumflex allowed."""
        value = self.identifier(scheme, name)
        if len(value) > 128 or not _OID.fullmatch(value):
            raise self.wrong(f"{name} {value[:80]!r} is no OID")
        return value

    def codes(self, scheme: str) -> tuple[CodedEntry, ...]:
        """The codes of a scheme, none or more."""
        return tuple(
            CodedEntry(one.get("nodeRepresentation", ""), _coding(one), _text(one, "Name"))
            for one in self._classified
            if one.get("classificationScheme") == scheme
        )

    def several(self, scheme: str, name: str) -> tuple[CodedEntry, ...]:
        """The codes of a scheme, at least one."""
        found = self.codes(scheme)
        if not found or not all(one.code for one in found):
            raise self.wrong(f"{name} is missing")
        return found

    def code(self, scheme: str, name: str) -> CodedEntry:
        """The one code of a scheme."""
        found = self.several(scheme, name)
        if len(found) != 1:
            raise self.wrong(f"{name} is there {len(found)} times")
        return found[0]

    def authors(self, scheme: str) -> tuple[DocumentAuthor, ...]:
        """The authors, at least one, each with a person."""
        found = []
        for one in self._classified:
            if one.get("classificationScheme") == scheme:
                slots = {slot.get("name", ""): tuple(_values(slot)) for slot in one.iterfind(f"{{{RIM}}}Slot")}
                first = {name: next(iter(values), "") for name, values in slots.items()}
                found.append(
                    DocumentAuthor(
                        first.get("authorPerson", ""),
                        slots.get("authorInstitution", ()),
                        first.get("authorRole", ""),
                        first.get("authorSpecialty", ""),
                    )
                )
        if not found:
            raise self.wrong("author is missing")
        return tuple(found)

    def text(self, tag: str) -> str:
        """Name or Description."""
        return _text(self._element, tag)


def _coding(element: _Element) -> str:
    return next(
        (
            value
            for slot in element.iterfind(f"{{{RIM}}}Slot")
            if slot.get("name") == "codingScheme"
            for value in _values(slot)
        ),
        "",
    )


def _text(element: _Element, tag: str) -> str:
    found = element.find(f"{{{RIM}}}{tag}/{{{RIM}}}LocalizedString")
    return "" if found is None else found.get("value", "")


def _values(slot: _Element) -> Iterator[str]:
    for one in slot.iterfind(f"{{{RIM}}}ValueList/{{{RIM}}}Value"):
        yield (one.text or "").strip()
