"""The host of the protocol: discovery, tokens, UserInfo, introspection, logout, backchannel requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bifente.simulator.pki.judging import Chain
from bifente.simulator.services.psc.addresses import DISCOVERY_PATH, PROTOCOL_PATH, STANDARD_DISCOVERY_PATH
from bifente.simulator.services.psc.discovery import written
from bifente.simulator.services.psc.errors import OAuthError, PageError, invalid_request
from bifente.simulator.services.psc.model import RegisteredClient
from bifente.simulator.services.psc.requests import bearer_of, chain_of, form_of, query_of

if TYPE_CHECKING:
    from bifente.simulator.services.psc.service import PscService

_Fields = Mapping[str, str]
_Asked = Callable[[RegisteredClient, _Fields, Chain], Any]
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_LOGGED_OUT = "Votre session Pro Santé Connect est fermée sur ce navigateur, pour tous les services."


def routes(service: PscService) -> list[Route]:
    """Return what the host answers."""

    def of_a_client(ask: _Asked, status: int = 200) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            form, chain = await form_of(request), chain_of(request)
            client = service.proof.client(form, request.headers.get("authorization"), chain)
            answer = ask(client, form, chain)
            return Response(status_code=200) if answer is None else JSONResponse(answer, status, headers=NO_STORE)

        return endpoint

    async def discovery(request: Request) -> Response:
        return Response(written(service.core.addresses), media_type="application/json")

    async def certs(request: Request) -> Response:
        return JSONResponse(service.core.mint.jwks)

    async def userinfo(request: Request) -> Response:
        form = await form_of(request) if request.method == "POST" else {}
        if "access_token" in request.query_params:
            service.token_in_url(request.query_params["access_token"])
            raise invalid_request("a token is not accepted in the address")
        client, said = service.bearing.information(bearer_of(request, form), chain_of(request))
        if client is not None and client.userinfo == "jwt":
            claims = {**said, "iss": service.core.addresses.issuer, "aud": client.id}
            return Response(service.core.mint.signed(claims), media_type="application/jwt", headers=NO_STORE)
        return JSONResponse(said, headers=NO_STORE)

    async def logout(request: Request) -> Response:
        given = query_of(request) if request.method == "GET" else await form_of(request)
        try:
            target = service.leaving.asked(given)
        except PageError as error:
            return service.pages.page(
                "message.html", error.status, heading="Déconnexion refusée", kind="bad", message=error.message, link=""
            )
        if target is None:
            return RedirectResponse(service.logout_page(given), 302)
        if target:
            return RedirectResponse(target, 302, headers=NO_STORE)
        return service.pages.page(
            "message.html", 200, heading="Vous êtes déconnecté", kind="good", message=_LOGGED_OUT, link=""
        )

    async def device(request: Request) -> Response:
        form, chain = await form_of(request), chain_of(request)
        service.proof.client(form, request.headers.get("authorization"), chain)
        raise OAuthError(
            "unauthorized_client",
            "Client is not allowed to initiate OAuth 2.0 Device Authorization Grant. "
            "The flow is disabled for the client.",
        )

    def pushed(client: RegisteredClient, form: _Fields, chain: Chain) -> Any:
        if "request_uri" in form:
            raise invalid_request("It is not allowed to include request_uri to PAR.")
        key = f"urn:ietf:params:oauth:request_uri:{service.core.mint.secret(16)}"
        proof = ("client_secret", "client_assertion", "client_assertion_type")
        kept = {name: value for name, value in form.items() if name not in proof} | {"client_id": client.id}
        service.core.pushed.put(key, kept, 60)
        return {"request_uri": key, "expires_in": 60}

    found = [
        Route(DISCOVERY_PATH, discovery),
        Route(f"{PROTOCOL_PATH}/certs", certs),
        Route(f"{PROTOCOL_PATH}/token", of_a_client(service.grants.given), methods=["POST"]),
        Route(
            f"{PROTOCOL_PATH}/token/introspect",
            of_a_client(lambda client, form, chain: service.bearing.introspected(form)),
            methods=["POST"],
        ),
        Route(
            f"{PROTOCOL_PATH}/revoke",
            of_a_client(lambda client, form, chain: service.bearing.revoke(client, form)),
            methods=["POST"],
        ),
        Route(
            f"{PROTOCOL_PATH}/ext/ciba/auth",
            of_a_client(lambda client, form, chain: service.backchannel.asked(client, form)),
            methods=["POST"],
        ),
        Route(f"{PROTOCOL_PATH}/ext/par/request", of_a_client(pushed, 201), methods=["POST"]),
        Route(f"{PROTOCOL_PATH}/auth/device", device, methods=["POST"]),
        Route(f"{PROTOCOL_PATH}/userinfo", userinfo, methods=["GET", "POST"]),
        Route(f"{PROTOCOL_PATH}/logout", logout, methods=["GET", "POST"]),
    ]
    if service.core.parameters.standard_discovery:
        found.append(Route(STANDARD_DISCOVERY_PATH, discovery))
    return found
