"""Values to ebRIM."""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree

from bifente.simulator.formats.xds import names
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
from bifente.simulator.formats.xds.names import LCM, NAMESPACES, QUERY, RIM, RS, XDSB, ResponseStatus

_Element = etree._Element


def submit_objects(submission: Submission) -> _Element:
    """Return the lcm:SubmitObjectsRequest of a submission."""
    request = etree.Element(f"{{{LCM}}}SubmitObjectsRequest", nsmap=NAMESPACES)
    registry_objects(_add(request, RIM, "RegistryObjectList"), submission)
    return request


def registry_objects(parent: _Element, submission: Submission) -> None:
    """Write every object of a submission below ``parent``."""
    for one in submission.sets:
        _set(parent, one)
    for entry in submission.entries:
        _entry(parent, entry)
    for association in submission.associations:
        _association(parent, association)


def provide(submission: Submission) -> _Element:
    """Return an ITI-41 request without its documents: whoever sends it adds them (``document``)."""
    request = etree.Element(f"{{{XDSB}}}ProvideAndRegisterDocumentSetRequest", nsmap=NAMESPACES)
    request.append(submit_objects(submission))
    return request


def document(request: _Element, name: str) -> _Element:
    """Add a Document to an ITI-41 request and return it, empty: its bytes go by MTOM."""
    return _add(request, XDSB, "Document", id=name)


def retrieve(wanted: Iterable[tuple[str, str]]) -> _Element:
    """Return an ITI-43 request for documents by repository and uniqueId."""
    request = etree.Element(f"{{{XDSB}}}RetrieveDocumentSetRequest", nsmap={"xdsb": XDSB})
    for repository, unique_id in wanted:
        one = _add(request, XDSB, "DocumentRequest")
        _add(one, XDSB, "RepositoryUniqueId").text = repository
        _add(one, XDSB, "DocumentUniqueId").text = unique_id
    return request


def retrieved(status: ResponseStatus, errors: Iterable[RegistryError] = ()) -> _Element:
    """Return an ITI-43 response without its documents (``retrieved_document``)."""
    response = etree.Element(f"{{{XDSB}}}RetrieveDocumentSetResponse", nsmap={"xdsb": XDSB, "rs": RS})
    response.append(registry_response(status, errors))
    return response


def retrieved_document(response: _Element, repository: str, unique_id: str, mime: str) -> _Element:
    """Add a DocumentResponse and return its Document, empty: the bytes go by MTOM."""
    one = _add(response, XDSB, "DocumentResponse")
    _add(one, XDSB, "RepositoryUniqueId").text = repository
    _add(one, XDSB, "DocumentUniqueId").text = unique_id
    _add(one, XDSB, "mimeType").text = mime
    return _add(one, XDSB, "Document")


def registry_response(status: ResponseStatus, errors: Iterable[RegistryError] = ()) -> _Element:
    """Return an rs:RegistryResponse."""
    response = etree.Element(f"{{{RS}}}RegistryResponse", nsmap={"rs": RS}, status=status.value)
    _errors(response, errors)
    return response


def query(request: QueryRequest) -> _Element:
    """Return an ITI-18 request."""
    element = etree.Element(f"{{{QUERY}}}AdhocQueryRequest", nsmap={"query": QUERY, "rim": RIM, "rs": RS})
    _add(element, QUERY, "ResponseOption", returnComposedObjects="true", returnType=request.returns)
    asked = _add(element, RIM, "AdhocQuery", id=request.query)
    for name, values in request.parameters:
        quoted = ["'" + value.replace("'", "''") + "'" for value in values]
        _slot(asked, name, [f"({','.join(quoted)})"] if name in request.lists else quoted)
    return element


def query_response(
    status: ResponseStatus,
    found: Submission = Submission(),  # noqa: B008 - frozen and empty
    references: Iterable[str] = (),
    errors: Iterable[RegistryError] = (),
) -> _Element:
    """Return an ITI-18 response with objects, or with their references alone."""
    response = etree.Element(
        f"{{{QUERY}}}AdhocQueryResponse", nsmap={"query": QUERY, "rim": RIM, "rs": RS}, status=status.value
    )
    _errors(response, errors)
    listed = _add(response, RIM, "RegistryObjectList")
    for one in references:
        _add(listed, RIM, "ObjectRef", id=one)
    registry_objects(listed, found)
    return response


def _errors(response: _Element, errors: Iterable[RegistryError]) -> None:
    listed = tuple(errors)
    if listed:
        parent = _add(response, RS, "RegistryErrorList", highestSeverity=names.SEVERITY)
        for one in listed:
            more = {"location": one.location} if one.location else {}
            _add(
                parent,
                RS,
                "RegistryError",
                codeContext=one.context,
                errorCode=one.code,
                severity=names.SEVERITY,
                **more,
            )


def _set(parent: _Element, one: SubmissionSet) -> None:
    element = _add(parent, RIM, "RegistryPackage", id=one.id)
    if one.status:
        element.set("status", one.status.value)
    _slot(element, "submissionTime", [one.submission_time])
    _texts(element, one.title, one.comments)
    own = _Classified(element, one.id)
    own.node(names.SUBMISSION_SET)
    for author in one.authors:
        own.author(names.SET_AUTHOR, author)
    own.code(names.CONTENT_TYPE, one.content_type)
    own.identify(names.SET_PATIENT_ID, one.patient_id, "XDSSubmissionSet.patientId")
    own.identify(names.SET_SOURCE_ID, one.source_id, "XDSSubmissionSet.sourceId")
    own.identify(names.SET_UNIQUE_ID, one.unique_id, "XDSSubmissionSet.uniqueId")


def _entry(parent: _Element, entry: DocumentEntry) -> None:
    element = _add(parent, RIM, "ExtrinsicObject", id=entry.id, mimeType=entry.mime, objectType=names.DOCUMENT_ENTRY)
    if entry.logical_id:
        element.set("lid", entry.logical_id)
    if entry.status:
        element.set("status", entry.status.value)
    for name, values in (
        ("creationTime", [entry.creation_time]),
        ("languageCode", [entry.language]),
        ("legalAuthenticator", [entry.legal_authenticator]),
        ("serviceStartTime", [entry.service_start]),
        ("serviceStopTime", [entry.service_stop]),
        ("sourcePatientId", [entry.source_patient_id]),
        ("sourcePatientInfo", list(entry.source_patient_info)),
        ("hash", [entry.hash]),
        ("size", ["" if entry.size is None else str(entry.size)]),
        ("repositoryUniqueId", [entry.repository]),
    ):
        _slot(element, name, [value for value in values if value])
    _texts(element, entry.title, entry.comments)
    _add(element, RIM, "VersionInfo", versionName=str(entry.version))
    own = _Classified(element, entry.id)
    for author in entry.authors:
        own.author(names.ENTRY_AUTHOR, author)
    own.code(names.CLASS_CODE, entry.class_code)
    for code in entry.confidentiality:
        own.code(names.CONFIDENTIALITY, code)
    for code in entry.event_codes:
        own.code(names.EVENT_CODE, code)
    own.code(names.FORMAT_CODE, entry.format_code)
    own.code(names.FACILITY, entry.facility)
    own.code(names.PRACTICE, entry.practice)
    own.code(names.TYPE_CODE, entry.type_code)
    own.identify(names.ENTRY_PATIENT_ID, entry.patient_id, "XDSDocumentEntry.patientId")
    own.identify(names.ENTRY_UNIQUE_ID, entry.unique_id, "XDSDocumentEntry.uniqueId")


def _association(parent: _Element, one: Association) -> None:
    element = _add(
        parent,
        RIM,
        "Association",
        id=one.id,
        associationType=one.kind.value,
        sourceObject=one.source,
        targetObject=one.target,
    )
    for name, value in one.slots:
        _slot(element, name, [value])


class _Classified:
    """One object whose classifications and identifiers are written, their ids numbered after its own."""

    def __init__(self, element: _Element, owner: str) -> None:
        self._element, self._owner = element, owner
        self._stem, self._number = owner.removeprefix("urn:uuid:"), 0

    def _id(self, kind: str) -> str:
        self._number += 1
        return f"{kind}.{self._stem}.{self._number}"

    def node(self, node: str) -> None:
        _add(
            self._element,
            RIM,
            "Classification",
            id=self._id("cl"),
            classifiedObject=self._owner,
            classificationNode=node,
        )

    def code(self, scheme: str, code: CodedEntry) -> None:
        element = _add(
            self._element,
            RIM,
            "Classification",
            id=self._id("cl"),
            classifiedObject=self._owner,
            classificationScheme=scheme,
            nodeRepresentation=code.code,
        )
        _slot(element, "codingScheme", [code.system])
        _named(element, "Name", code.display)

    def author(self, scheme: str, author: DocumentAuthor) -> None:
        element = _add(
            self._element,
            RIM,
            "Classification",
            id=self._id("cl"),
            classifiedObject=self._owner,
            classificationScheme=scheme,
            nodeRepresentation="",
        )
        _slot(element, "authorInstitution", list(author.institutions))
        _slot(element, "authorPerson", [author.person])
        _slot(element, "authorRole", [author.role] if author.role else [])
        _slot(element, "authorSpecialty", [author.speciality] if author.speciality else [])

    def identify(self, scheme: str, value: str, name: str) -> None:
        element = _add(
            self._element,
            RIM,
            "ExternalIdentifier",
            id=self._id("ei"),
            registryObject=self._owner,
            identificationScheme=scheme,
            value=value,
        )
        _named(element, "Name", name)


def _texts(element: _Element, title: str, comments: str) -> None:
    _named(element, "Name", title)
    _named(element, "Description", comments)


def _named(element: _Element, tag: str, text: str) -> None:
    if text:
        _add(_add(element, RIM, tag), RIM, "LocalizedString", value=text)


def _slot(element: _Element, name: str, values: list[str]) -> None:
    if values:
        listed = _add(_add(element, RIM, "Slot", name=name), RIM, "ValueList")
        for value in values:
            _add(listed, RIM, "Value").text = value


def _add(parent: _Element, namespace: str, tag: str, /, **attributes: str) -> _Element:
    return etree.SubElement(parent, f"{{{namespace}}}{tag}", attributes)
