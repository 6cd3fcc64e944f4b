"""The DMP over HTTP: SOAP 1.2 with WS-Addressing, MTOM where it is used, its WSDL, and the contextual web access."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from lxml import etree
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bifente.ground.french import in_both
from bifente.ground.text import Text
from bifente.simulator.formats.dmp.demographics import Hl7Error
from bifente.simulator.formats.dmp.names import ALIASES, HABILITATIONS, HL7, PATIENTS, DmpAction
from bifente.simulator.formats.soap import (
    NS,
    Addressing,
    MtomLimits,
    MtomPart,
    SoapCode,
    SoapFaultError,
    SoapMessage,
    XmlLimits,
    addressing_of,
    answer_to,
    built,
    include,
    packed,
    qname,
    received,
    written,
)
from bifente.simulator.formats.soap.addressing import check_action
from bifente.simulator.formats.soap.names import SOAP_TYPE
from bifente.simulator.formats.xds import writing
from bifente.simulator.formats.xds.errors import MetadataError
from bifente.simulator.formats.xds.model import RegistryError
from bifente.simulator.formats.xds.names import LCM, QUERY, RIM, XDSB, DocumentStatus, ResponseStatus, StoredQuery
from bifente.simulator.services.dmp.call import DmpAnswer, DmpCall, Transaction
from bifente.simulator.services.dmp.errors import DmpRefusalError, ErrorShape
from bifente.simulator.services.dmp.judging import HeardCall
from bifente.simulator.services.dmp.requester import Requester
from bifente.simulator.services.dmp.transactions import demographics, habilitations
from bifente.simulator.services.dmp.transactions.feeding import feed
from bifente.simulator.services.dmp.transactions.fetching import fetch
from bifente.simulator.services.dmp.transactions.searching import search
from bifente.simulator.services.dmp.transactions.updating import update
from bifente.simulator.services.dmp.web import site
from bifente.simulator.services.dmp.wsdl import wsdl
from bifente.simulator.serving.client_certificates import client_chain

if TYPE_CHECKING:
    from bifente.simulator.services.dmp.service import DmpService

BASE = "/si-dmp-server/v2/services"


Endpoint = Mapping[DmpAction, tuple[str, Transaction]]
"""One service of the base address: by action, the element of its body and what does it."""

ENDPOINTS: Mapping[str, Endpoint] = {
    "DocumentRegistry_Service": {
        DmpAction.QUERY: (f"{{{QUERY}}}AdhocQueryRequest", search),
        DmpAction.UPDATE: (f"{{{LCM}}}SubmitObjectsRequest", update),
    },
    "DocumentRepository_Service": {
        DmpAction.PROVIDE: (f"{{{XDSB}}}ProvideAndRegisterDocumentSetRequest", feed),
        DmpAction.RETRIEVE: (f"{{{XDSB}}}RetrieveDocumentSetRequest", fetch),
    },
    "GDP_Service": {
        DmpAction.DEMOGRAPHICS: (f"{{{HL7}}}PRPA_IN201307UV02", demographics.ask),
        DmpAction.REVISE: (f"{{{HL7}}}PRPA_IN201314UV02", demographics.change),
    },
    "PDQSupplier_Service": {DmpAction.FIND_PATIENT: (f"{{{HL7}}}PRPA_IN201305UV02", demographics.find)},
    "HabilitationsEndPointImplService": {
        DmpAction.SET_AUTHORISATION: (f"{{{HABILITATIONS}}}setAuthorization", habilitations.set_authorisation),
        DmpAction.LIST_AUTHORISED: (f"{{{HABILITATIONS}}}listAuthorizationByPatient", habilitations.list_authorised),
    },
    "PatientSpecificEndPointImplService": {
        DmpAction.LIST_PATIENTS: (f"{{{PATIENTS}}}patientList", habilitations.list_patients)
    },
}
"""Their names as the official WSDL files have them."""

_UNDERSTOOD = tuple(qname(name) for name in ("wsa:Action", "wsa:ReplyTo", "wsa:MessageID", "wsa:To", "wsse:Security"))
_SUBCODE = "{urn:bifente:dmp:faults}"
"""The namespace of the DMP's own codes, ours: a subcode is a QName, and Java's SAAJ takes none without a namespace."""
_ALWAYS_MTOM = frozenset({DmpAction.RETRIEVE})
_REGISTRY = frozenset({DmpAction.PROVIDE, DmpAction.QUERY, DmpAction.UPDATE, DmpAction.RETRIEVE})
_GONE = (f"{{{PATIENTS}}}createPatientAccess", f"{{{PATIENTS}}}patientOTPUpdate", f"{{{PATIENTS}}}updatePatientAccess")


def application(service: DmpService) -> Starlette:
    """Return the application of a service."""

    async def soap(request: Request) -> Response:
        name = request.path_params["name"]
        endpoint = ENDPOINTS.get(name)
        if endpoint is None:
            return Response(f"no service {name}; there are {', '.join(ENDPOINTS)}\n", HTTPStatus.NOT_FOUND)
        if request.method == "GET":
            return _wsdl(request, endpoint)
        try:
            body = await _body(request, service.largest_message)
        except _TooLargeError:
            return Response(f"more than {service.largest_message} bytes\n", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        return _Exchange(service, endpoint, request).answer(body)

    async def parameters(request: Request) -> Response:
        # That the DMP publishes them is known, by which address is not (modelled).
        given = service.register.parameters
        return JSONResponse(
            {"GestionMineurs": given.minors, "AgeMajorite": given.majority, "CumulVisibilite": given.cumul}
        )

    return Starlette(
        routes=[
            Route(f"{BASE}/Parametres", parameters, methods=["GET"]),
            Route(f"{BASE}/{{name}}", soap, methods=["POST", "GET"]),
            *site.routes(service),
        ]
    )


class _TooLargeError(Exception):
    pass


async def _body(request: Request, most: int) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise _TooLargeError
    return bytes(body)


def _wsdl(request: Request, endpoint: Endpoint) -> Response:
    if "wsdl" not in {name.lower() for name in request.query_params}:
        return Response("POST SOAP 1.2 here; ?wsdl gives the WSDL\n", HTTPStatus.METHOD_NOT_ALLOWED)
    operations = [(action, element) for action, (element, _transaction) in endpoint.items()]
    where = str(request.url.replace(query=""))
    return Response(wsdl(request.path_params["name"], where, operations), media_type="text/xml")


class _Exchange:
    """One message and its answer."""

    def __init__(self, service: DmpService, endpoint: Endpoint, request: Request) -> None:
        self._service, self._endpoint = service, endpoint
        self._content_type = request.headers.get("content-type")
        self._peer = client_chain(request.scope)
        self._asked = Addressing()
        self._action: DmpAction | None = None
        self._requester: Requester | None = None
        self._assertion = self._authorisation = self._detail = ""

    def answer(self, body: bytes) -> Response:
        """Return what is answered to a body, a fault at the worst."""
        code = ""
        try:
            return self._packed(self._done(body))
        except SoapFaultError as error:
            code = error.subcodes[-1] if error.subcodes else error.code.value
            return self._fault(error)
        except (MetadataError, DmpRefusalError) as error:
            code = error.code
            return self._refused(error)
        except Hl7Error as error:
            code = "DMPInvalidMessage"
            return self._fault(SoapFaultError(SoapCode.SENDER, in_both(error), _SUBCODE + code))
        finally:
            self._tell(code)

    def _tell(self, code: str) -> None:
        requester = self._requester
        self._service.heard(
            HeardCall(
                self._service.register.clock.now(),
                requester.id if requester else "",
                requester.patient if requester else "",
                self._action.name if self._action else "",
                requester.mode.value if requester else "",
                self._assertion,
                self._authorisation,
                code,
                self._detail,
                requester.reason if requester else "",
            )
        )

    def _done(self, body: bytes) -> DmpAnswer:
        most = self._service.largest_message
        message = received(self._content_type, body, XmlLimits(size=most), MtomLimits(parts=32, part=most))
        message.envelope.check_understood(_UNDERSTOOD)
        self._asked = addressing_of(message.envelope)
        check_action(self._asked, message.action)
        content = message.envelope.content
        transaction = self._transaction(content.tag)
        self._service.check_up(self._action)
        requester, vihf = self._service.admit(message.envelope, self._peer)
        call = DmpCall(self._service.register, message, content, requester, vihf, self._service.trust)
        self._requester = requester
        self._assertion = vihf.vihf.id
        self._authorisation = _authorisation(self._service, requester)
        self._detail = _about(self._action, message)
        return transaction(call)

    def _transaction(self, tag: str) -> Transaction:
        if tag in _GONE:
            raise DmpRefusalError(
                "DMPUnknownOperation",
                Text(
                    f"{etree.QName(tag).localname} (TD1.5) est retirée depuis l'annexe v2.01.04",
                    f"{etree.QName(tag).localname} (TD1.5) is gone since annexe v2.01.04",
                ),
            )
        action = self._asked.action
        if not action:
            raise SoapFaultError(
                SoapCode.SENDER,
                Text("wsa:Action est obligatoire (WS-Addressing)", "wsa:Action is mandatory (WS-Addressing)"),
                qname("wsa:MessageAddressingHeaderRequired"),
            )
        known = ALIASES.get(action) or next((one for one in DmpAction if one.value == action), None)
        if known is None or known not in self._endpoint:
            raise SoapFaultError(
                SoapCode.SENDER,
                Text(f"action inconnue ici : {action[:120]}", f"unknown action here: {action[:120]}"),
                qname("wsa:ActionNotSupported"),
            )
        self._action = known
        expected, transaction = self._endpoint[known]
        if tag != expected:
            raise SoapFaultError(
                SoapCode.SENDER,
                Text(
                    f"le corps est {etree.QName(tag).localname}, {etree.QName(expected).localname} attendu",
                    f"the body is {etree.QName(tag).localname}, {etree.QName(expected).localname} is expected",
                ),
            )
        return transaction

    def _refused(self, error: MetadataError | DmpRefusalError) -> Response:
        registry = isinstance(error, MetadataError) or error.row.shape is ErrorShape.REGISTRY
        if not registry or self._action not in _REGISTRY:
            if isinstance(error, MetadataError):
                return self._fault(SoapFaultError(SoapCode.SENDER, in_both(error), _SUBCODE + error.code))
            code = SoapCode.RECEIVER if error.row.receiver else SoapCode.SENDER
            return self._fault(SoapFaultError(code, error.told, _SUBCODE + error.code))
        told = (
            error.told if isinstance(error, MetadataError) else RegistryError(error.code, error.told.fr, error.location)
        )
        failure = ResponseStatus.FAILURE
        if self._action is DmpAction.QUERY:
            return self._packed(DmpAnswer(writing.query_response(failure, errors=[told])))
        if self._action is DmpAction.RETRIEVE:
            return self._packed(DmpAnswer(writing.retrieved(failure, [told])))
        return self._packed(DmpAnswer(writing.registry_response(failure, [told])))

    def _packed(self, answer: DmpAnswer) -> Response:
        assert self._action is not None  # noqa: S101 - an answer has its action
        parts = []
        for rank, (holder, content, mime) in enumerate(answer.parts):
            name = f"document{rank}@dmp.bifente.invalid"
            holder.append(include(name))
            parts.append(MtomPart(name, mime, content))
        headers = answer_to(self._asked, self._action.answer, f"urn:uuid:{self._service.register.new_id()}").blocks()
        data = built(answer.body, headers, {"wsa": NS["wsa"]}).bytes()
        return self._sent(data, parts, HTTPStatus.OK)

    def _fault(self, error: SoapFaultError) -> Response:
        headers = answer_to(self._asked, f"{NS['wsa']}/fault", f"urn:uuid:{self._service.register.new_id()}").blocks()
        return self._sent(written(error, headers=headers), [], error.http)

    def _sent(self, data: bytes, parts: list[MtomPart], status: int) -> Response:
        if self._action in _ALWAYS_MTOM or parts:
            boundary = f"bifente-{self._service.register.new_id()}"
            content_type, body = packed(data, parts, boundary)
            return Response(body, status, headers={"content-type": content_type})
        return Response(data, status, headers={"content-type": f"{SOAP_TYPE}; charset=utf-8"})


def _authorisation(service: DmpService, requester: Requester) -> str:
    """Where the requester stood before the call."""
    record = service.register.find(requester.patient, requester.oid)
    return "" if record is None else record.authorisations.state(*requester.parties).value


def _about(action: DmpAction | None, message: SoapMessage) -> str:
    """What a call is about, in one word: for whoever judges clients."""
    content = message.envelope.content
    if action is DmpAction.SET_AUTHORISATION:
        return (content.findtext(f"{{{HABILITATIONS}}}action") or "").strip()
    if action is DmpAction.DEMOGRAPHICS:
        reason = content.find(f"{{{HL7}}}controlActProcess/{{{HL7}}}reasonCode")
        return "" if reason is None else reason.get("code", "")
    if action is DmpAction.PROVIDE:
        bodies = [
            re.sub(rb"<(?:\w+:)?(id|setId|effectiveTime|time|low)\b[^>]*>", b"", part.content)
            for part in message.parts.values()
            if b"ClinicalDocument" in part.content
        ]
        return hashlib.sha256(b"".join(bodies)).hexdigest() if bodies else ""
    if action is DmpAction.QUERY:
        asked = content.find(f"{{{RIM}}}AdhocQuery")
        return "search" if asked is not None and asked.get("id") == StoredQuery.FIND_DOCUMENTS else "reference"
    if action is DmpAction.UPDATE:
        deleted = DocumentStatus.DELETED.value
        return "Deleted" if any(one.text == deleted for one in content.iter(f"{{{RIM}}}Value")) else "changed"
    return ""
