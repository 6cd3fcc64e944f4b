"""The transactions of the DMP as a practice software calls them: one fresh assertion a call, each answer in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import httpx

from bifente.ground.clock import Clock
from bifente.ground.text import Text
from bifente.simulator.formats.dmp import demographics, habilitations
from bifente.simulator.formats.dmp.demographics import ChangeRequest, PatientFound, PersonTraits
from bifente.simulator.formats.dmp.habilitations import (
    AuthorisationAction,
    AuthorisationFilter,
    AuthorisationRole,
    ListDate,
)
from bifente.simulator.formats.dmp.names import REPOSITORY, DmpAction, DmpReason
from bifente.simulator.formats.dmp.transmission import MessageId
from bifente.simulator.formats.soap import (
    Addressing,
    MtomPart,
    SoapFaultError,
    SoapMessage,
    built,
    element,
    fault_of,
    include,
    packed,
    qname,
    received,
)
from bifente.simulator.formats.soap.names import SOAP_TYPE
from bifente.simulator.formats.soap.xml import XmlElement
from bifente.simulator.formats.vihf import AccessPurpose, Vihf, VihfSoftware, signed_vihf
from bifente.simulator.formats.vihf import names as vihf_names
from bifente.simulator.formats.xds import reading, writing
from bifente.simulator.formats.xds.model import (
    Association,
    DocumentEntry,
    QueryRequest,
    RegistryError,
    Submission,
    SubmissionSet,
)
from bifente.simulator.formats.xds.names import (
    RIM,
    XDSB,
    AssociationKind,
    DocumentStatus,
    ReturnType,
    StoredQuery,
)
from bifente.simulator.serving.calling import Caller
from bifente.simulator.software.lps.chart import PatientChart
from bifente.simulator.software.lps.identity import LpsUser
from bifente.simulator.software.lps.submission import CONTENTS, SOURCE_ID, PreparedSubmission

BASE = "/si-dmp-server/v2/services"
PARAMETERS = "Parametres"
SOFTWARE = VihfSoftware("1.2.250.1.999.1.1", "LPS BIFENTE", "1.0", "BIF-0001-tmp1")
_PLACES: Mapping[DmpAction, str] = {
    DmpAction.DEMOGRAPHICS: "GDP_Service",
    DmpAction.REVISE: "GDP_Service",
    DmpAction.FIND_PATIENT: "PDQSupplier_Service",
    DmpAction.SET_AUTHORISATION: "HabilitationsEndPointImplService",
    DmpAction.LIST_AUTHORISED: "HabilitationsEndPointImplService",
    DmpAction.LIST_PATIENTS: "PatientSpecificEndPointImplService",
    DmpAction.PROVIDE: "DocumentRepository_Service",
    DmpAction.RETRIEVE: "DocumentRepository_Service",
    DmpAction.QUERY: "DocumentRegistry_Service",
    DmpAction.UPDATE: "DocumentRegistry_Service",
}


@dataclass(frozen=True, slots=True)
class DmpAccess:
    """How a record is entered; ``secret`` opens a secret connection."""

    mode: str = AccessPurpose.NORMAL
    reason: str = ""
    secret: bool = False

    @property
    def banner(self) -> Text | None:
        """Return what is shown during the whole access, None in normal mode (DMPI-EX_0_3-1050)."""
        if self.mode == AccessPurpose.EMERGENCY:
            return Text(f"BRIS DE GLACE : {self.reason}", f"BRIS DE GLACE: {self.reason}")
        return (
            Text("RÉGULATION (centre 15)", "RÉGULATION (centre 15)") if self.mode == AccessPurpose.REGULATION else None
        )


@dataclass(frozen=True, slots=True)
class DmpReply:
    """What came of one call. ``code`` is empty where it went well; ``reason`` says what and what to do.

    ``content`` is what the body held, ``files`` the documents by uniqueId.
    """

    http: int
    code: str = ""
    reason: str = ""
    content: XmlElement | None = field(default=None, repr=False)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    errors: tuple[RegistryError, ...] = ()

    @property
    def ok(self) -> bool:
        """Return whether it went well."""
        return not self.code


class UnreachableError(Exception):
    """No answer came: nobody knows whether the call arrived. One sentence."""


@dataclass(frozen=True, slots=True)
class DmpRequest:
    """A message ready to leave."""

    action: DmpAction
    content_type: str
    body: bytes = field(repr=False)


@dataclass(slots=True)
class MessageTampering:
    """What is done to a message on its way out, to see it refused: nothing, unless a scenario says so."""

    vihf: Callable[[Vihf], Vihf] = lambda vihf: vihf
    user: LpsUser | None = None
    """Who signs the assertion instead of the user."""
    assertion: Callable[[XmlElement], XmlElement] = lambda assertion: assertion
    body: Callable[[XmlElement], XmlElement] = lambda body: body
    parts: Callable[[list[MtomPart]], list[MtomPart]] = lambda parts: parts
    request: Callable[[DmpRequest], DmpRequest] = lambda request: request
    action: str = ""
    mtom: bool = True


class DmpClient:
    """A client of the DMP in one user's name. ``caller`` reaches the service; ``base`` is its address there."""

    def __init__(
        self,
        caller: Caller,
        user: LpsUser,
        clock: Clock,
        new_id: Callable[[], str],
        base: str = BASE,
        software: VihfSoftware = SOFTWARE,
    ) -> None:
        self.caller, self.user, self.clock = caller, user, clock
        self.base, self.software = base, software
        self.access = DmpAccess()
        self.tampering = MessageTampering()
        self._new_id = new_id

    # -- transactions --------------------------------------------------------------------------------------------------

    def existence(self, patient: PatientChart) -> tuple[DmpReply, PatientFound | None]:
        """TD0.2."""
        return self._demographics(patient, DmpReason.EXISTENCE)

    def data(self, patient: PatientChart) -> tuple[DmpReply, PatientFound | None]:
        """TD1.3a."""
        return self._demographics(patient, DmpReason.READ)

    def authorise(
        self, patient: PatientChart, action: AuthorisationAction, role: AuthorisationRole | None = None
    ) -> DmpReply:
        """TD0.3; the consent is asked for before an addition."""
        if action is AuthorisationAction.ADD:
            patient.check_consent()
        reply = self._ask(DmpAction.SET_AUTHORISATION, habilitations.set_authorisation(action, role), patient)
        return _with_status(reply)

    def authorised(self, patient: PatientChart, mode: AuthorisationFilter) -> DmpReply:
        """TD1.6."""
        return self._ask(DmpAction.LIST_AUTHORISED, habilitations.list_authorised(mode), patient)

    def patients(self, date: ListDate | None = None, start: str = "", owner: str = "") -> DmpReply:
        """TD0.4."""
        return self._ask(DmpAction.LIST_PATIENTS, habilitations.patient_list(date, start, owner), None)

    def find(self, traits: PersonTraits) -> DmpReply:
        """TD0.5."""
        body = demographics.search(self._message_id(), self._message_id(), self.clock.now(), traits)
        return self._ask(DmpAction.FIND_PATIENT, body, None)

    def close(self, patient: PatientChart, reason: str = "FERMETURE_DEMANDE_PATIENT") -> DmpReply:
        """TD1.4."""
        return self._change(patient, DmpReason.CLOSE, reason)

    def change(self, patient: PatientChart, telecoms: tuple[str, ...], reason: str = DmpReason.CHANGE) -> DmpReply:
        """TD1.3b."""
        return self._change(patient, reason, "", telecoms)

    def feed(self, patient: PatientChart, prepared: PreparedSubmission) -> DmpReply:
        """TD2.1, TD2.1b or TD2.2."""
        patient.check_feeding()
        body = writing.provide(prepared.submission)
        holders, parts = [], []
        for name, content in prepared.contents.items():
            part = MtomPart(f"{name}@lps.bifente.invalid", "text/xml; charset=UTF-8", content)
            holders.append((writing.document(body, name), part))
            parts.append(part)
        return self._ask(DmpAction.PROVIDE, body, patient, holders)

    def search(self, patient: PatientChart, query: QueryRequest) -> DmpReply:
        """TD3.1 and TD3.1b."""
        return self._ask(DmpAction.QUERY, writing.query(query), patient)

    def fetch(self, patient: PatientChart, *unique_ids: str, repository: str = REPOSITORY) -> DmpReply:
        """TD3.2."""
        reply = self._ask(DmpAction.RETRIEVE, writing.retrieve([(repository, one) for one in unique_ids]), patient)
        if reply.errors:
            first = reply.errors[0]
            return replace(reply, code=first.code, reason=first.context)
        return reply

    def set_status(self, patient: PatientChart, uuid: str, old: DocumentStatus, new: DocumentStatus) -> DmpReply:
        """TD3.3c and TD3.3d."""
        lot = self._lot(patient)
        slots = (("OriginalStatus", old.value), ("NewStatus", new.value))
        move = Association("association1", AssociationKind.CHANGES_STATUS, lot.id, uuid, slots)
        return self._ask(DmpAction.UPDATE, writing.submit_objects(Submission((lot,), (), (move,))), patient)

    def set_entry(self, patient: PatientChart, entry: DocumentEntry) -> DmpReply:
        """TD3.3a and TD3.3b: a new version of the metadata that TD3.1 gave."""
        lot = self._lot(patient)
        newer = replace(entry, id="Document01", status=None, patient_id=patient.ins.written)
        member = Association(
            "association1",
            AssociationKind.HAS_MEMBER,
            lot.id,
            newer.id,
            (("SubmissionSetStatus", "Original"), ("PreviousVersion", str(entry.version))),
        )
        return self._ask(DmpAction.UPDATE, writing.submit_objects(Submission((lot,), (newer,), (member,))), patient)

    def parameters(self) -> Mapping[str, Any]:
        """Return what the DMP publishes of itself, by name (modelled). Raise UnreachableError."""
        try:
            answer = self.caller.request("GET", f"{self.base}/{PARAMETERS}")
            found: Mapping[str, Any] = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise UnreachableError(f"{type(error).__name__}: {error}") from error
        return found

    # -- how -----------------------------------------------------------------------------------------------------------

    def vihf(self, patient: PatientChart | None) -> Vihf:
        """Return the assertion of a call that is made now."""
        user = self.tampering.user or self.user
        now: datetime = self.clock.now()
        return Vihf(
            id=f"_{self._new_id()}",
            issued=now,
            issuer=user.issuer,
            subject=user.id,
            structure=user.structure,
            sector=f"{user.sector}^{vihf_names.SECTORS}",
            roles=user.roles,
            software=self.software,
            patient=patient.ins.written if patient is not None else "",
            mode=user.mode,
            purpose=self.access.mode,
            reason=self.access.reason,
            subject_name=f"{user.family} {user.given}".strip(),
            confidentiality=vihf_names.SECRET_CONNECTION if self.access.secret else "",
            declaration=user.declaration,
        )

    def request(
        self,
        action: DmpAction,
        body: XmlElement,
        patient: PatientChart | None,
        holders: Iterable[tuple[XmlElement, MtomPart]] = (),
    ) -> DmpRequest:
        """Return a message as it will leave. What the card refuses comes through."""
        tampering = self.tampering
        if patient is not None:
            patient.check_known()
        signer = (tampering.user or self.user).signer
        assertion = tampering.assertion(signed_vihf(tampering.vihf(self.vihf(patient)), signer))
        said = tampering.action or action.value
        headers = [
            *Addressing(said, f"urn:uuid:{self._new_id()}", reply_to=_ANONYMOUS).blocks(mandatory_action=bool(said)),
            element(qname("wsse:Security"), None, [assertion]),
        ]
        listed = list(holders)
        if tampering.mtom:
            for holder, part in listed:
                holder.append(include(part.id))
        else:
            for holder, part in listed:
                holder.text = _base64(part.content)
        data = built(tampering.body(body), headers).bytes()
        parts = tampering.parts([part for _holder, part in listed]) if tampering.mtom else []
        if listed and tampering.mtom:
            content_type, data = packed(data, parts, f"lps-{self._new_id()}", said)
        else:
            content_type = f'{SOAP_TYPE}; charset=utf-8; action="{said}"'
        return tampering.request(DmpRequest(action, content_type, data))

    def send(self, request: DmpRequest) -> DmpReply:
        """Send a message and read what comes. Raise UnreachableError where nothing does."""
        try:
            answer = self.caller.request(
                "POST",
                f"{self.base}/{_PLACES[request.action]}",
                headers={"Content-Type": request.content_type},
                content=request.body,
            )
        except httpx.HTTPError as error:
            raise UnreachableError(f"{type(error).__name__}: {error}") from error
        try:
            message = received(answer.headers.get("content-type"), answer.content)
            content = message.envelope.content
        except SoapFaultError:
            return DmpReply(answer.status_code, f"HTTP {answer.status_code}", answer.text[:200])
        if (fault := fault_of(content, answer.status_code)) is not None:
            code = fault.subcodes[-1].rpartition("}")[2] if fault.subcodes else fault.code.value
            return DmpReply(answer.status_code, code, fault.reason.fr, content)
        errors = reading.registry_errors(content)
        files = _files(message, content)
        if errors and not files:
            return DmpReply(answer.status_code, errors[0].code, errors[0].context, content, files, errors)
        return DmpReply(answer.status_code, "", "", content, files, errors)

    def _ask(
        self,
        action: DmpAction,
        body: XmlElement,
        patient: PatientChart | None,
        holders: Iterable[tuple[XmlElement, MtomPart]] = (),
    ) -> DmpReply:
        return self.send(self.request(action, body, patient, holders))

    def _demographics(self, patient: PatientChart, reason: DmpReason) -> tuple[DmpReply, PatientFound | None]:
        body = demographics.query(
            self._message_id(), self._message_id(), self.clock.now(), reason, patient.ins.oid, patient.ins.whole
        )
        reply = self._ask(DmpAction.DEMOGRAPHICS, body, patient)
        if not reply.ok or reply.content is None:
            return reply, None
        return reply, demographics.read_answer(reply.content)

    def _change(self, patient: PatientChart, reason: str, closing: str, telecoms: tuple[str, ...] = ()) -> DmpReply:
        traits = PersonTraits(patient.family, patient.given, telecoms=telecoms)
        author = (self.user.id, self.user.structure)
        wanted = ChangeRequest(
            self._message_id(), reason, (patient.ins.oid, patient.ins.whole), traits, closing, "", author
        )
        return self._ask(DmpAction.REVISE, demographics.change(self._message_id(), self.clock.now(), wanted), patient)

    def _lot(self, patient: PatientChart) -> SubmissionSet:
        from bifente.simulator.formats.xds.model import CodedEntry

        number = int(self._new_id().replace("-", ""), 16)
        return SubmissionSet(
            "SubmissionSet01",
            f"{SOURCE_ID}.4.{number}",
            SOURCE_ID,
            patient.ins.written,
            self.clock.now().strftime("%Y%m%d%H%M%S"),
            CodedEntry("04", CONTENTS, "Consultation"),
            (self.user.author,),
        )

    def _message_id(self) -> MessageId:
        return MessageId("1.2.250.1.999.1", self._new_id())


_ANONYMOUS = "http://www.w3.org/2005/08/addressing/anonymous"


def find_documents(
    patient: PatientChart,
    statuses: Iterable[DocumentStatus] = (DocumentStatus.APPROVED,),
    returns: ReturnType = ReturnType.OBJECTS,
    more: Mapping[str, tuple[str, ...]] | None = None,
) -> QueryRequest:
    """Return a FindDocuments; ``more`` are further parameters without their ``$XDSDocumentEntry``."""
    named = {f"$XDSDocumentEntry{name}": values for name, values in (more or {}).items()}
    lists = {name for name in named if not name.endswith(("From", "To"))}
    return QueryRequest(
        StoredQuery.FIND_DOCUMENTS.value,
        returns.value,
        (
            ("$XDSDocumentEntryPatientId", (patient.ins.written,)),
            ("$XDSDocumentEntryStatus", tuple(one.value for one in statuses)),
            *named.items(),
        ),
        frozenset({"$XDSDocumentEntryStatus", *lists}),
    )


def get_documents(unique_id: str = "", uuid: str = "", returns: ReturnType = ReturnType.OBJECTS) -> QueryRequest:
    """Return a GetDocuments by uniqueId or entryUUID; as references it is TD3.1b."""
    name, value = ("$XDSDocumentEntryEntryUUID", uuid) if uuid else ("$XDSDocumentEntryUniqueId", unique_id)
    return QueryRequest(StoredQuery.GET_DOCUMENTS.value, returns.value, ((name, (value,)),), frozenset({name}))


def entries_of(reply: DmpReply) -> tuple[DocumentEntry, ...]:
    """Return the documents of a search."""
    listed = None if reply.content is None else reply.content.find(f"{{{RIM}}}RegistryObjectList")
    return () if listed is None else reading.submission(listed).entries


def _files(message: SoapMessage, content: XmlElement) -> Mapping[str, bytes]:
    return {
        one.findtext(f"{{{XDSB}}}DocumentUniqueId", ""): message.content(holder)
        for one in content.iter(f"{{{XDSB}}}DocumentResponse")
        if (holder := one.find(f"{{{XDSB}}}Document")) is not None
    }


def _with_status(reply: DmpReply) -> DmpReply:
    if not reply.ok or reply.content is None:
        return reply
    said: Any = habilitations.read_status(reply.content)
    return replace(reply, code="" if said.status == "DMPOk" else said.status, reason=said.context)


def _base64(content: bytes) -> str:
    from base64 import b64encode

    return b64encode(content).decode("ascii")
