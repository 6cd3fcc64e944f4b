"""The service over HTTP, as an ASGI application."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cached_property, partial
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bifente.ground.text import Text
from bifente.simulator.readers.wireless import Pairing, Terminal
from bifente.simulator.services.cloudfsv.laboratory import TerminalAdministration, told
from bifente.simulator.services.cloudfsv.refusals import HttpRefusal, bad_request, bad_token, unavailable
from bifente.simulator.services.cloudfsv.request import LONGEST_BODY, METHODS, Function, ReadingBody
from bifente.simulator.services.cloudfsv.service import CloudFsv, FsvAnswer
from bifente.simulator.serving.service import Asgi, Declare, Service, ServiceError, to_nobody

ACCESS_HEADER = "accessHealthcareToken"
REASON_HEADER = "X-Bifente-Reason"
"""Ours: the cause of a refusal, which the field's body does not tell."""


UNAVAILABLE = "cloudfsv-unavailable"
"""The fault it can suffer: every reading is told that its terminal is unavailable."""


class CloudFsvService(Service):
    """The reading service as a bench serves it. Its state are the terminals it answers for, by id."""

    name = "cloudfsv"
    title = Text("Service de lecture CloudFSV", "CloudFSV reading service")
    offered = frozenset({UNAVAILABLE})

    def __init__(self, core: CloudFsv, declare: Declare = to_nobody) -> None:
        super().__init__(declare)
        self.core = core

    @cached_property
    def application(self) -> Asgi:
        """Return its ASGI application."""
        return _application(self)

    def learn(self, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        """Declare every token, right or forged, and the holder code."""
        for name, value in headers:
            if name.lower() == ACCESS_HEADER.lower() and value:
                self.declare(value)
            elif name.lower() == "authorization" and (token := value.rpartition(" ")[2]):
                self.declare(token)
        with suppress(HttpRefusal):
            if (code := ReadingBody.read(body).code) is not None:
                self.declare(code)

    def state(self) -> Mapping[str, Any]:
        """Return ``version`` and ``terminals``: how each stands."""
        terminals = {terminal.id: told(terminal) for terminal in self.core.terminals.values()}
        return {"version": self.core.version, "terminals": terminals}

    def set_state(self, changes: Mapping[str, Any]) -> None:
        """Set ``terminals.<id>.pairing`` (none, paired, revoked). Raise ServiceError for anything else."""
        if set(changes) != {"terminals"} or not isinstance(changes["terminals"], Mapping):
            raise ServiceError(f"{self.name}: terminals can be set, a mapping by id")
        wanted = [(self._terminal(named), _pairing(change)) for named, change in changes["terminals"].items()]
        for terminal, pairing in wanted:
            if pairing is Pairing.PAIRED:
                self.core.platform.pair(terminal.id)
            else:
                self.core.platform.unpair(terminal.id, revoked=pairing is Pairing.REVOKED)
            terminal.look()

    def _terminal(self, named: str) -> Terminal:
        if named not in self.core.terminals:
            raise ServiceError(f"{self.name}: no terminal {named!r}; it has {', '.join(self.core.terminals) or 'none'}")
        return self.core.terminals[named]


def _pairing(change: Any) -> Pairing:
    try:
        if set(change) == {"pairing"}:
            return Pairing(change["pairing"])
    except (TypeError, ValueError):
        pass
    raise ServiceError(f"cloudfsv: of a terminal, pairing can be set: {', '.join(Pairing)}")


def _application(served_as: CloudFsvService) -> Starlette:
    service = served_as.core
    laboratory = TerminalAdministration(service)

    async def read(request: Request, function: Function) -> Response:
        bearer, access = _bearer(request), _single(request, ACCESS_HEADER)
        if access is None:
            raise bad_token("no-access-token")
        served_as.learn(request.headers.items(), b"")
        if UNAVAILABLE in served_as.troubles:
            raise unavailable("trouble")
        terminal = _terminal(request)
        body = await _body(request)
        served_as.learn((), body)
        call = partial(service.call, function, bearer=bearer, access=access, terminal=terminal, body=body)
        return _answered(await run_in_threadpool(call))

    def laboratory_route(path: str, method: str, act: Callable[[Request], Mapping[str, Any]]) -> Route:
        async def endpoint(request: Request) -> Response:
            return JSONResponse(await run_in_threadpool(act, request), headers={"Cache-Control": "no-store"})

        return Route(path, endpoint, methods=[method])

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HttpRefusal)  # noqa: S101 - starlette calls it for nothing else
        return _refused(service, request, error)

    async def not_served(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - starlette calls it for nothing else
        status = HTTPStatus(error.status_code)
        return _refused(service, request, HttpRefusal(status, status.phrase, "not-served"), error.headers)

    one = "/bifente/terminals/{terminal}"
    served = Starlette(
        routes=[
            *(
                Route(
                    f"/fsv/{service.version}/ssv/{function.value}",
                    partial(read, function=function),
                    methods=list(methods),
                )
                for function, methods in METHODS.items()
            ),
            laboratory_route("/bifente/terminals", "GET", lambda r: laboratory.state(_bearer(r))),
            laboratory_route(f"{one}/pairing", "POST", lambda r: laboratory.pair(_bearer(r), _named(r))),
            laboratory_route(f"{one}/pairing", "DELETE", lambda r: laboratory.unpair(_bearer(r), _named(r))),
            laboratory_route(
                f"{one}/token", "POST", lambda r: laboratory.token(_bearer(r), _named(r), _single(r, ACCESS_HEADER))
            ),
        ],
        exception_handlers={HttpRefusal: refused, HTTPException: not_served},
    )
    # A path is served or it is not: a redirection would send the tokens a second time.
    served.router.redirect_slashes = False
    return served


def _answered(outcome: FsvAnswer) -> Response:
    data = base64.b64encode(outcome.zone).decode()
    return JSONResponse(
        {"codeResult": outcome.code, "dataResult": {"arraySize": len(outcome.zone), "data": data}},
        media_type="application/json; charset=UTF-8",
        headers={"Cache-Control": "no-store"},
    )


def _refused(
    service: CloudFsv, request: Request, refusal: HttpRefusal, more: Mapping[str, str] | None = None
) -> Response:
    return JSONResponse(
        refusal.body(service.clock.now(), request.url.path),
        status_code=refusal.status.value,
        headers={**(more or {}), REASON_HEADER: refusal.reason, "Cache-Control": "no-store"},
    )


def _single(request: Request, name: str) -> str | None:
    values = request.headers.getlist(name)
    if len(values) > 1:
        # Two values are read differently by every proxy on the way.
        raise bad_token(f"{name.lower()}-twice")
    return values[0] if values else None


def _bearer(request: Request) -> str:
    scheme, _, token = (_single(request, "Authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise bad_token("no-bearer")
    return token.strip()


def _terminal(request: Request) -> str:
    named = request.query_params.getlist("terminalId")
    if len(named) != 1 or not named[0]:
        raise bad_request("terminalId : un identifiant de terminal est attendu", "terminal-id")
    return named[0]


def _named(request: Request) -> str:
    return str(request.path_params["terminal"])


async def _body(request: Request) -> bytes:
    body = b""
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > LONGEST_BODY:
                raise bad_request(f"corps de plus de {LONGEST_BODY} octets", "body-too-long")
    except ClientDisconnect:
        raise bad_request("corps interrompu", "body-cut") from None
    return body
