"""DmpConnect-JS over HTTPS and WebSocket. A page of another address is let in by its origin, as Chromium asks."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from bifente.simulator.middleware.dmpconnect.conventions import (
    COMMAND,
    LONGEST,
    ConnectError,
    malformed,
    number,
    read_command,
)
from bifente.simulator.middleware.dmpconnect.workplace import VitaleCondition
from bifente.simulator.serving.recording import Heading, Passed

if TYPE_CHECKING:
    from bifente.simulator.middleware.dmpconnect.service import DmpConnectJs

NORMAL, POLICY = 1000, 1008
_PAUSE = 0.2
_CPX, _VITALE = "hl_startcpxcardmonitoring", "hl_startvitalecardmonitoring"


def application(service: DmpConnectJs) -> Starlette:
    """Return the application of a service."""

    async def command(request: Request) -> Response:
        headers = _allowed(service, request)
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
        try:
            body = await _body(request)
        except ConnectError as error:
            return JSONResponse(error.answer, headers=headers)
        answer = await asyncio.to_thread(service.execute, body, request.path_params["command"])
        return JSONResponse(answer, headers=headers)

    async def socket(connection: WebSocket) -> None:
        if not _welcome(service, connection.headers.get("origin")):
            await connection.close(POLICY)
            return
        await connection.accept()
        try:
            await _conversation(service, connection)
        except WebSocketDisconnect:
            return

    routes = [
        Route("/api/{command}", command, methods=["POST", "OPTIONS"]),
        WebSocketRoute("/", socket),
    ]
    served = Starlette(routes=routes)
    served.router.redirect_slashes = False
    return served


async def _conversation(service: DmpConnectJs, connection: WebSocket) -> None:
    """One command, one answer, the end; a monitoring command pushes until the other side leaves."""
    said = await connection.receive_text()
    service.declare_in(said)
    _tell(service, Heading.RECEIVED, said)
    name = _name(said)
    if name in (_CPX, _VITALE):
        await _monitor(service, connection, said, name)
    else:
        await _send(service, connection, await asyncio.to_thread(service.execute, said))
    await connection.close(NORMAL)


async def _monitor(service: DmpConnectJs, connection: WebSocket, said: str, name: str) -> None:
    try:
        parsed = read_command(said)
        session = service.session_of(parsed)
        service.check_sees_readers(session)
        interval = max(_PAUSE, number(parsed, "i_checkingInterval", 0))
    except ConnectError as error:
        await _send(service, connection, error.answer)
        return
    # The command is acknowledged, then the state is told, then whatever changes.
    await _send(service, connection, {"s_status": "OK"})
    before: object = None
    gone = asyncio.ensure_future(connection.receive())
    try:
        while not gone.done():
            seen = await asyncio.to_thread(_look, service, name)
            if seen != before:
                await _send(service, connection, {"s_status": "OK", **seen})
                before = seen
            await asyncio.wait([gone], timeout=interval)
    finally:
        gone.cancel()
    raise WebSocketDisconnect


def _look(service: DmpConnectJs, name: str) -> dict[str, Any]:
    if name == _CPX:
        card = service.workplace.cpx_condition()
        return {"i_cardStatus": int(card), "s_cardStatus": card.words}
    condition, serial = service.workplace.vitale_condition()
    seen = {"i_cardStatus": int(condition), "s_cardStatus": condition.words, "s_vitaleSerial": serial}
    return seen | ({"i_isDemoCard": 1} if condition is VitaleCondition.NEW else {})


def _name(said: str) -> str:
    try:
        return str(json.loads(said).get(COMMAND, "")).lower()
    except (ValueError, AttributeError, RecursionError):
        return ""


async def _send(service: DmpConnectJs, connection: WebSocket, answer: dict[str, Any]) -> None:
    data = json.dumps(answer, ensure_ascii=False)
    _tell(service, Heading.SENT, data)
    await connection.send_text(data)


def _tell(service: DmpConnectJs, way: Heading, data: str) -> None:
    body = data.encode()
    service.hear(Passed("wss", service.name, way, "", "/", None, (), body, len(body)))


def _welcome(service: DmpConnectJs, origin: str | None) -> bool:
    return origin is None or not service.origins or origin in service.origins


def _allowed(service: DmpConnectJs, request: Request) -> dict[str, str]:
    """What lets a page read the answer: CORS, and the preflight of Local Network Access."""
    origin = request.headers.get("origin")
    if origin is None or not _welcome(service, origin):
        return {"Cache-Control": "no-store"}
    return {
        "Cache-Control": "no-store",
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "content-type",
        "Access-Control-Allow-Private-Network": "true",
        "Vary": "Origin",
    }


async def _body(request: Request) -> bytes:
    pieces, size = [], 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > LONGEST:
                raise malformed(f"more than {LONGEST} bytes")
            pieces.append(piece)
    except ClientDisconnect:
        raise malformed("the body is cut") from None
    return b"".join(pieces)
