"""The service behind the apCV over HTTP, as an ASGI application. Paths and bodies are modelled."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bifente.simulator.middleware.apcv.context import ApcvContext
from bifente.simulator.middleware.apcv.refusals import ApcvError, ApcvRefusal
from bifente.simulator.middleware.apcv.remote import CHALLENGES, CLOSING, CONTEXTS, RENEWAL, RIGHTS, written_out
from bifente.simulator.zones import encode

if TYPE_CHECKING:
    from bifente.simulator.services.apcv.service import ApcvService

LONGEST_BODY = 131_072
_Said = Mapping[str, Any]


def application(service: ApcvService) -> Starlette:
    """Return the application of a service."""
    acts: Mapping[str, Callable[[ApcvService, _Said], _Said]] = {
        CHALLENGES: lambda service, said: {"challenge": service.challenge().hex()},
        CONTEXTS: _acquired,
        RENEWAL: lambda service, said: written_out(service.renew(_context(said), _text(said, "invoice"))),
        CLOSING: _closed,
        RIGHTS: _rights,
    }

    async def endpoint(request: Request, act: Callable[[ApcvService, _Said], _Said]) -> Response:
        try:
            body = await _body(request)
            service.learn((), body)
            return JSONResponse(act(service, _said(body)), headers={"Cache-Control": "no-store"})
        except ApcvError as error:
            away = error.refusal is ApcvRefusal.UNREACHABLE
            return JSONResponse(
                {"refusal": error.refusal.value, "detail": error.detail},
                status_code=HTTPStatus.SERVICE_UNAVAILABLE if away else HTTPStatus.FORBIDDEN,
                headers={"Cache-Control": "no-store"},
            )

    served = Starlette(routes=[Route(path, partial(endpoint, act=act), methods=["POST"]) for path, act in acts.items()])
    # A path is served or it is not: a redirection would send a proof a second time.
    served.router.redirect_slashes = False
    return served


def secrets_in(body: bytes) -> Iterator[str]:
    """Yield what a phone proved and the token of a context, as far as a body can be read."""
    try:
        said = _said(body)
    except ApcvError:
        return
    context = said.get("context")
    token = context.get("token") if isinstance(context, Mapping) else None
    yield from (one for one in (said.get("qr"), said.get("answer"), token) if isinstance(one, str) and one)


def _acquired(service: ApcvService, said: _Said) -> _Said:
    if "qr" in said:
        return written_out(service.by_qr(_text(said, "qr")))
    try:
        challenge = bytes.fromhex(_text(said, "challenge"))
    except ValueError:
        raise ApcvError(ApcvRefusal.UNREADABLE, "a challenge is hexadecimal") from None
    return written_out(service.by_nfc(_text(said, "answer"), challenge))


def _closed(service: ApcvService, said: _Said) -> _Said:
    service.close(_context(said))
    return {}


def _rights(service: ApcvService, said: _Said) -> _Said:
    invoice = _text(said, "invoice") if said.get("invoice") is not None else None
    return {"zone": base64.b64encode(encode(service.rights(_context(said), invoice))).decode()}


def _said(body: bytes) -> _Said:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise ApcvError(ApcvRefusal.UNREADABLE, "an object of JSON is expected")
    return said


def _text(said: _Said, name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str):
        raise ApcvError(ApcvRefusal.UNREADABLE, f"{name}: a text is expected")
    return value


def _context(said: _Said) -> ApcvContext:
    given = said.get("context")
    if not isinstance(given, Mapping):
        raise ApcvError(ApcvRefusal.UNREADABLE, "context: an object is expected")
    return ApcvContext(*(_text(given, name) for name in ("identifier", "token", "end")))


async def _body(request: Request) -> bytes:
    body = b""
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > LONGEST_BODY:
                raise ApcvError(ApcvRefusal.UNREADABLE, f"more than {LONGEST_BODY} bytes")
    except ClientDisconnect:
        raise ApcvError(ApcvRefusal.UNREADABLE, "the body was cut") from None
    return body
