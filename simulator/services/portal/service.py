"""The sites as a bench serves them: mutual TLS with the card, pages, and what a page gives back of the Vitale."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bifente.ground.clock import Clock
from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.pki.judging import Chain
from bifente.simulator.services.portal.patient import LONGEST, UnreadableCardError, from_card, from_number
from bifente.simulator.serving.client_certificates import client_chain
from bifente.simulator.serving.pages import Pages
from bifente.simulator.serving.service import Asgi, Declare, Service, to_nobody

_OF_A_PERSON = (NameOID.GIVEN_NAME, NameOID.PSEUDONYM)
"""What names the holder; a card's technical certificate has neither."""
Believes = Callable[[Chain], str | None]
SITES = {"ameli": ("Ameli Pro", "/ameli"), "webps": ("DMP : Web PS", "/webps")}


class Portal(Service):
    """Ameli Pro and Web PS. ``component`` is where the local component answers; ``root`` gives its authority (PEM)."""

    name = "portal"
    title = Text("Portails Ameli Pro et Web PS", "Ameli Pro and Web PS portals")

    def __init__(
        self,
        clock: Clock,
        believes: Believes,
        component: str,
        root: Callable[[], bytes],
        *,
        oldest: str = "5.10.00",
        declare: Declare = to_nobody,
    ) -> None:
        super().__init__(declare)
        self._clock = clock
        self._believes = believes
        self.component = component
        self._root = root
        self._oldest = oldest
        self._data = _laboratory()
        # The page reaches the component, and nothing else beyond its own site.
        policy = (
            "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
            f"connect-src 'self' {component}"
        )
        self._pages = Pages(Path(__file__).parent / "pages", policy)
        self._seen = 0

    @cached_property
    def application(self) -> Asgi:
        """Return its ASGI application."""
        routes = [Route("/", self._index), Route("/bifente/{name}", self._asset), Route("/composant", self._component)]
        routes.append(Route("/composant/autorite.pem", self._authority))
        for path in (path for _title, path in SITES.values()):
            routes += [Route(path, self._home), Route(f"{path}/patient", self._patient, methods=["POST"])]
        served = Starlette(routes=routes)
        served.router.redirect_slashes = False
        return served

    def state(self) -> Mapping[str, Any]:
        """Return how many ``patients`` were shown."""
        return {"patients": self._seen}

    def learn(self, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        """There is nothing secret in a request: a NIR is masked or not by the record's own option."""

    # -- pages ---------------------------------------------------------------------------------------------------------

    async def _index(self, request: Request) -> Response:
        return self._pages.page("index.html", sites=SITES.values())

    async def _component(self, request: Request) -> Response:
        return self._pages.page("component.html", component=self.component, oldest=self._oldest)

    async def _authority(self, request: Request) -> Response:
        return Response(self._root(), media_type="application/x-x509-ca-cert")

    async def _asset(self, request: Request) -> Response:
        if request.path_params["name"] not in ("style.css", "composant.js"):
            raise HTTPException(404)
        return self._pages.asset(request.path_params["name"])

    async def _home(self, request: Request) -> Response:
        return self._site(request, panels=(), message="", by_card=False)

    async def _patient(self, request: Request) -> Response:
        form = await request.form(max_fields=10, max_part_size=4 * LONGEST)
        try:
            if card := str(form.get("card") or ""):
                panels, by_card = from_card(card, self._clock.now().date()), True
            else:
                panels, by_card = [from_number(str(form.get("nir") or ""))], False
        except UnreadableCardError as error:
            return self._site(request, panels=(), message=f"Lecture refusée : {error}.", by_card=False)
        self._seen += len(panels)
        return self._site(request, panels=panels, message="", by_card=by_card)

    def _site(self, request: Request, *, panels: Any, message: str, by_card: bool) -> Response:
        chain = client_chain(request.scope)
        why = self._believes(chain) if chain else "aucun certificat n'a été présenté"
        if why is None and not any(chain[0].subject.get_attributes_for_oid(oid) for oid in _OF_A_PERSON):
            why = "ce certificat n'est pas celui d'une personne, choisissez-en un autre"
        if why is not None:
            return self._pages.page("refused.html", 403, message=why)
        title, path = next(site for site in SITES.values() if request.url.path.startswith(site[1]))
        return self._pages.page(
            "site.html",
            title=title,
            path=path,
            professional=self._professional(chain),
            component=self.component,
            oldest=self._oldest,
            panels=panels,
            message=message,
            services=self._data["services"] if path == "/ameli" else (),
            patient_services=self._data["patient_services"] if by_card else (),
        )

    def _professional(self, chain: Chain) -> list[tuple[str, str]]:
        """What the certificate says, and what the site knows of the practice."""

        def said(oid: Any) -> str:
            found = chain[0].subject.get_attributes_for_oid(oid)
            return str(found[0].value) if found else ""

        national = said(NameOID.COMMON_NAME)
        known = self._data["practices"].get(national, {})
        return [
            ("Nom", f"{said(NameOID.GIVEN_NAME)} {said(NameOID.SURNAME)}".strip()),
            ("Spécialité", known.get("speciality", said(NameOID.TITLE))),
            ("Numéro national", national),
            ("Numéro AM", known.get("am_number", "non connu")),
            ("Adresse", known.get("address", "non connue")),
        ]


@cache
def _laboratory() -> Mapping[str, Any]:
    return shipped(__package__, "laboratory.yaml")  # type: ignore[no-any-return]
