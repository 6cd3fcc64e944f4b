"""Pro Santé Connect served on this machine, and a relying party that another library makes."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from requests_oauth2client import OAuth2Client, requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bifente.conformance.bench.serving import ServingBench
from bifente.conformance.domains.psc.section import PscSection
from bifente.conformance.domains.psc.serving import serve
from bifente.ground.clock import WallClock
from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.services.psc.service import PscService
from bifente.simulator.serving.loopback import LoopbackServer
from bifente.simulator.serving.tls import ServerIdentity

SECRET = "un-secret-pour-les-essais-de-clients"
USER = "899900000011"
PHONE = "telephone-1"
HEAD = "<!DOCTYPE html><html lang=fr>"


@dataclass
class Served:
    service: PscService
    ca: Path
    party: str
    """Where the relying party answers."""
    folder: Path

    def oauth(self, client: str = "tiers", **more: Any) -> OAuth2Client:
        session = requests.Session()
        session.verify = str(self.ca)
        session.trust_env = False
        addresses = self.service.core.addresses
        document = session.get(addresses.discovery).json()
        return OAuth2Client.from_discovery_document(
            document,
            issuer=addresses.issuer,
            client_id=client,
            session=session,
            backchannel_authentication_endpoint=document["backchannel_authentication_endpoint"],
            authorization_server_jwks=session.get(document["jwks_uri"]).json(),
            redirect_uri=f"{self.party}/retour",
            **({"client_secret": SECRET} | more),
        )


@contextmanager
def served(keys: KeySource, folder: Path, **said: Any) -> Iterator[Served]:
    """The provider, and a relying party of requests_oauth2client registered as ``tiers`` (confidential) at it."""
    with ExitStack() as stack:
        pki, clock = Pki(keys), WallClock()
        later: dict[str, Any] = {}
        identity = ServerIdentity.make(pki, keys, clock.now())

        async def party(scope: Any, receive: Any, send: Any) -> None:
            await later["party"](scope, receive, send)

        server = stack.enter_context(LoopbackServer(party, identity.context()))
        base = f"https://localhost:{server.port}"
        section = PscSection.model_validate(
            {
                "clients": [
                    {
                        "id": "tiers",
                        "name": "Logiciel tiers",
                        "secret": SECRET,
                        "redirect-uris": [f"{base}/retour"],
                        "post-logout-redirect-uris": [f"{base}/au-revoir"],
                        "ciba": True,
                        "pkce": "required",
                    }
                ],
                **said,
            }
        )
        around = ServingBench(
            clock=clock,
            keys=keys,
            pki=pki,
            chance=random.Random(1),
            folder=folder,
            stack=stack,
            declare=lambda secret: None,
            hear=lambda passed: None,
            said=(section,),
        )
        found = Served(serve(around), folder / "ca.pem", base, folder)
        later["party"] = _party(found)
        yield found


def _party(found: Served) -> Starlette:
    """A web application that logs its users in; the library does all of OpenID Connect."""
    begun: dict[str, Any] = {}

    def client() -> OAuth2Client:
        return found.oauth()

    def home(request: Request) -> Response:
        return HTMLResponse(f"{HEAD}<title>Logiciel</title><h1>Logiciel</h1><a href=/entrer>Se connecter</a>")

    def enter(request: Request) -> Response:
        asked = client().authorization_request(scope="openid scope_all", acr_values=["eidas1"])
        begun[str(asked.state)] = asked
        return RedirectResponse(asked.uri)

    def back(request: Request) -> Response:
        asked = begun.pop(request.query_params["state"])
        answer = asked.validate_callback(str(request.url))
        one = client()
        token = one.authorization_code(answer, validate=True)
        user = one.userinfo(token)
        begun["token"] = token
        return HTMLResponse(
            f"{HEAD}<title>Bienvenue</title><h1>Bienvenue {user['given_name']} "
            f"{user['family_name']}</h1><pre id=user>{json.dumps(user)}</pre><a href=/sortir>Se déconnecter</a>"
        )

    def leave(request: Request) -> Response:
        said = {"id_token_hint": str(begun["token"].id_token), "post_logout_redirect_uri": f"{found.party}/au-revoir"}
        return RedirectResponse(f"{found.service.core.addresses.protocol('logout')}?{urlencode(said)}")

    def bye(request: Request) -> Response:
        return HTMLResponse(f"{HEAD}<title>Au revoir</title><h1>Au revoir</h1>")

    return Starlette(
        routes=[
            Route("/", home),
            Route("/entrer", enter),
            Route("/retour", back),
            Route("/sortir", leave),
            Route("/au-revoir", bye),
        ]
    )
