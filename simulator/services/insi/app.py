"""INSi over HTTP: one path for both searches, the WSDL beside it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from bifente.ground.text import Text
from bifente.simulator.formats.insi.names import BAM, LPS
from bifente.simulator.formats.soap import SoapCode, SoapFaultError, XmlLimits, addressing_of, qname, received, written
from bifente.simulator.formats.soap.addressing import check_action
from bifente.simulator.formats.soap.names import SOAP_TYPE
from bifente.simulator.services.insi.refusals import InsiRefusedError, fault_for, style_of
from bifente.simulator.services.insi.wsdl import wsdl

if TYPE_CHECKING:
    from bifente.simulator.services.insi.service import Insi

PATH = "/lps"
LONGEST = 262_144
"""Bytes of a request: a signed assertion has some 8,000."""
_LIMITS = XmlLimits(size=LONGEST, depth=40, nodes=4000)
_UNDERSTOOD = frozenset({BAM, LPS, *map(qname, ("wsse:Security", "wsa:Action", "wsa:MessageID", "wsa:To"))})
_UNDERSTOOD |= {qname("wsa:ReplyTo"), qname("wsa:From")}
_NO_STORE = {"Cache-Control": "no-store"}


def application(service: Insi) -> Starlette:
    """Return the application of a service."""

    async def search(request: Request) -> Response:
        message_id = ""
        try:
            body = await _body(request)
            message = received(request.headers.get("content-type"), body, _LIMITS)
            message.envelope.check_understood(_UNDERSTOOD)
            asked = addressing_of(message.envelope)
            message_id = asked.message_id
            check_action(asked, message.action)
            answer = service.answer(message, request.scope)
            return _xml(answer, HTTPStatus.OK)
        except InsiRefusedError as error:
            return _fault(fault_for(error, service.parameters.quirks, message_id))
        except SoapFaultError as error:
            return _fault(error)

    def _fault(error: SoapFaultError) -> Response:
        return _xml(written(error, style_of(service.parameters.quirks)), error.http)

    async def describe(request: Request) -> Response:
        if "wsdl" not in {key.lower() for key in request.query_params}:
            return Response("WSDL: ?wsdl\n", HTTPStatus.BAD_REQUEST, media_type="text/plain")
        where = str(request.url.replace(query=None))
        return Response(wsdl(where), media_type="text/xml", headers=_NO_STORE)

    served = Starlette(routes=[Route(PATH, search, methods=["POST"]), Route(PATH, describe, methods=["GET"])])
    served.router.redirect_slashes = False
    return served


def _xml(data: bytes, status: int) -> Response:
    return Response(data, status, headers={**_NO_STORE, "Content-Type": f"{SOAP_TYPE}; charset=utf-8"})


async def _body(request: Request) -> bytes:
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > LONGEST:
                raise SoapFaultError(
                    SoapCode.SENDER,
                    Text(f"le message dépasse {LONGEST} octets", f"the message has more than {LONGEST} bytes"),
                    http=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                )
            pieces.append(piece)
    except ClientDisconnect:
        raise SoapFaultError(SoapCode.SENDER, Text("le message est coupé", "the message is cut")) from None
    return b"".join(pieces)
