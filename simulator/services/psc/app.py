"""The hosts of the provider behind one ASGI application: the ``Host`` header says which of them is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bifente.simulator.services.psc.addresses import REALM, Face
from bifente.simulator.services.psc.asking import asked_by
from bifente.simulator.services.psc.errors import BearerError, OAuthError, PageError
from bifente.simulator.services.psc.other_faces import ApiFace, CardFace, PhoneFace, ProviderFace
from bifente.simulator.services.psc.protocol_face import routes as protocol_routes
from bifente.simulator.services.psc.requests import secrets_in
from bifente.simulator.services.psc.troubles import DOWN
from bifente.simulator.services.psc.wallet_face import WalletFace
from bifente.simulator.serving.service import Asgi

if TYPE_CHECKING:
    from bifente.simulator.services.psc.service import PscService

_WORDS = {404: "RESTEASY003210: Could not find resource for full path", 405: "RESTEASY003650: No resource method found"}
_ASSETS = frozenset({"style.css", "attente.js", "retour.js"})
_DOWN_PAGE = b"<html><head><title>%d</title></head><body><h1>%d</h1></body></html>"


def application(service: PscService) -> Asgi:
    """Return the application."""

    async def asset(request: Request) -> Response:
        if request.path_params["name"] not in _ASSETS:
            raise HTTPException(404)
        return service.pages.asset(request.path_params["name"])

    faces: Mapping[Face, Callable[[], list[Route]]] = {
        Face.AUTH: lambda: protocol_routes(service),
        Face.WALLET: lambda: [*WalletFace(service).routes(), *PhoneFace(service).routes()],
        Face.MTLS: CardFace(service).routes,
        Face.API: ApiFace(service).routes,
        Face.IDP: ProviderFace(service).routes,
    }

    @cache
    def served(face: Face) -> Starlette:
        return _face(service, [*faces[face](), Route("/bifente/{name}", asset)])

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope)
        if scope.get("query_string"):
            for secret in secrets_in((), b"", str(request.url)):
                service.declare(secret)
        down = [trouble for trouble in DOWN if trouble in service.troubles]
        whom: Mapping[str, str] = {}
        if down:
            whom, receive = await asked_by(service.core, request, receive)
        for trouble in down:
            if service.suffers(trouble, **whom):
                status = DOWN[trouble]
                page = _DOWN_PAGE % (status, status)
                await Response(page, status, media_type="text/html")(scope, receive, send)
                return
        face = service.core.addresses.face(request.headers.get("host", ""))
        if face is None:
            await JSONResponse({"error": "unknown host"}, 421)(scope, receive, send)
            return
        await served(face)(scope, receive, send)

    return answer


def _face(service: PscService, routes: list[Route]) -> Starlette:
    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, OAuthError)  # noqa: S101 - it is registered for these alone
        headers = {"Cache-Control": "no-store"}
        if isinstance(error, BearerError):
            said = f', error="{error.error}", error_description="{error.description}"'
            headers["WWW-Authenticate"] = f'Bearer realm="{REALM}"{said}'
        if request.url.path in ("/auth", "/logout-confirm"):
            return _shown(service, error.description, error.status)
        return JSONResponse(error.body, error.status, headers=headers)

    async def shown(request: Request, error: Exception) -> Response:
        assert isinstance(error, PageError)  # noqa: S101 - it is registered for these alone
        return _shown(service, error.message, error.status)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for these alone
        words = {
            404: "RESTEASY003210: Could not find resource for full path",
            405: "RESTEASY003650: No resource method found",
        }
        return JSONResponse(
            {"error": words.get(error.status_code, error.detail)}, error.status_code, headers=error.headers
        )

    app = Starlette(routes=routes, exception_handlers={OAuthError: refused, PageError: shown, HTTPException: http})
    # A path is served or it is not: a redirection would send a code a second time.
    app.router.redirect_slashes = False
    return app


def _shown(service: PscService, message: str, status: int) -> Response:
    return service.pages.page(
        "message.html", status, heading="Nous sommes désolés…", kind="bad", message=message, link=""
    )
