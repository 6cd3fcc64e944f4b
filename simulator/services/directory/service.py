"""The directory over HTTP: FHIR version 2 below ``/fhir/v2``, and the page of a person of the older directory."""

from __future__ import annotations

import hmac
import random
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, partial
from html import escape
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from bifente.ground.clock import Clock
from bifente.ground.text import Text
from bifente.simulator.services.directory.entries import SINCE, DirectoryEntry, Register
from bifente.simulator.services.directory.faults import DirectoryTrouble
from bifente.simulator.services.directory.resources import Resource, everything, outcome
from bifente.simulator.services.directory.results import ResultForm, shown, valid_includes
from bifente.simulator.services.directory.search import LARGEST, PAGE, PARAMETERS, found, page_size
from bifente.simulator.serving.service import Asgi, Declare, Service, ServiceError, to_nobody

API_KEY = "esante-api-key"
BASE = "/fhir/v2"
A_MINUTE = 1_000
"""Requests a minute since June 2026 (documented)."""
LATE = 31.0
"""Seconds: the interface gives up after thirty (documented)."""
_LONGEST_FORM = 16_384
_KEPT = 500
_FHIR = "application/fhir+json"


class DirectoryService(Service):
    """The directory of the persons in ``register``. ``key`` is the one API key that it takes."""

    name = "directory"
    title = Text("Annuaire Santé", "Health directory")
    offered = frozenset(DirectoryTrouble)

    def __init__(self, register: Register, clock: Clock, chance: random.Random, declare: Declare = to_nobody) -> None:
        super().__init__(declare)
        self.register = register
        self._clock = clock
        self._chance = chance
        self.key = f"{chance.getrandbits(128):032x}"
        self.declare(self.key)
        self._searches: OrderedDict[str, tuple[list[Resource], ResultForm]] = OrderedDict()
        self._asked: deque[float] = deque()

    @cached_property
    def application(self) -> Asgi:
        """Return its ASGI application."""
        served = Starlette(
            routes=[
                Route(BASE, self._next, methods=["GET"]),
                Route(f"{BASE}/metadata", self._metadata, methods=["GET"]),
                Route(f"{BASE}/{{kind}}", self._search, methods=["GET"]),
                Route(f"{BASE}/{{kind}}/_search", self._posted, methods=["POST"]),
                Route(f"{BASE}/{{kind}}/{{id}}", self._read, methods=["GET"]),
                Route("/annuaire/personnes", self._persons, methods=["GET"]),
                Route("/annuaire/personnes/{number}", self._person, methods=["GET"]),
            ],
            exception_handlers={HTTPException: _not_done},
        )
        served.router.redirect_slashes = False
        return served

    def learn(self, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        """Declare the key of a request, right or wrong."""
        for name, value in headers:
            if name.lower() == API_KEY and value:
                self.declare(value)

    def state(self) -> Mapping[str, Any]:
        """Return ``persons``: how many there are, and ``inactive``: the ids of those that are."""
        return {"persons": len(self.register), "inactive": [one.identifier for one in self.register if not one.active]}

    def set_state(self, changes: Mapping[str, Any]) -> None:
        """Change who is in it: ``{remove: [<RPPS>]}``, ``{close: [<RPPS>]}``. Raise ServiceError."""
        close = partial(self.register.close, at=self._clock.now())
        acts: Mapping[str, Callable[[str], bool]] = {"remove": self.register.remove, "close": close}
        for key, value in changes.items():
            if key not in acts or not isinstance(value, list):
                raise ServiceError(
                    f"{self.name}: no state {key!r} can be set; remove and close are lists of RPPS numbers"
                )
        for key, value in changes.items():
            for number in value:
                if not acts[key](str(number)):
                    raise ServiceError(f"{self.name}: nobody has the RPPS number {number}")

    # -- FHIR ----------------------------------------------------------------------------------------------------------

    async def _metadata(self, request: Request) -> Response:
        listed = []
        for kind, of in PARAMETERS.items():
            forward, backward = valid_includes(kind)
            listed.append(
                {
                    "type": kind,
                    "interaction": [{"code": "read"}, {"code": "search-type"}],
                    "searchInclude": forward,
                    "searchRevInclude": backward,
                    "searchParam": [{"name": name, "type": of[name].kind.value} for name in sorted(of)],
                }
            )
            # FHIR has no empty list.
            listed[-1] = {name: value for name, value in listed[-1].items() if value}
        return _answer(
            {
                "resourceType": "CapabilityStatement",
                "status": "active",
                "date": SINCE.isoformat(),
                "kind": "instance",
                "implementation": {"description": self.title.fr},
                "fhirVersion": "4.0.1",
                "format": ["json"],
                "rest": [{"mode": "server", "resource": listed}],
            }
        )

    async def _search(self, request: Request) -> Response:
        asked = parse_qsl(request.url.query, keep_blank_values=True, max_num_fields=None)
        return await self._searched(request, request.path_params["kind"], asked)

    async def _posted(self, request: Request) -> Response:
        body = b""
        try:
            async for piece in request.stream():
                body += piece
                if len(body) > _LONGEST_FORM:
                    return _refusal(413, "too-long", "the search is too long")
        except ClientDisconnect:
            return _refusal(400, "invalid", "the search was cut")
        text = f"{request.url.query}&{body.decode('utf-8', 'replace')}"
        asked = parse_qsl(text, keep_blank_values=True)
        return await self._searched(request, request.path_params["kind"], asked)

    async def _searched(self, request: Request, kind: str, asked: list[tuple[str, str]]) -> Response:
        if (refused := await self._refused(request)) is not None:
            return refused
        if kind not in PARAMETERS:
            return _unknown(kind)
        try:
            size = page_size(asked)
            form = ResultForm.asked(kind, asked)
            matching = found(self._all, kind, asked)
        except ValueError as error:
            return _refusal(400, "processing", str(error))
        if DirectoryTrouble.LARGE_PAGES in self.troubles and size > LARGEST:
            return _gateway(502)
        token = f"{self._chance.getrandbits(128):032x}"
        self._searches[token] = matching, form
        if len(self._searches) > _KEPT:
            self._searches.popitem(last=False)
        return self._page(request, token, (matching, form), 0, size)

    async def _next(self, request: Request) -> Response:
        if (refused := await self._refused(request)) is not None:
            return refused
        asked = request.query_params
        search = self._searches.get(asked.get("_getpages", ""))
        offset, size = asked.get("_getpagesoffset", "0"), asked.get("_count", str(PAGE))
        if search is None:
            return _refusal(410, "not-found", "HAPI-0417: Search ID does not exist and may have expired")
        if not all(one.isascii() and one.isdecimal() and len(one) < 7 for one in (offset, size)):
            return _refusal(400, "invalid", "HAPI-0473: a page is told by numbers")
        return self._page(request, asked["_getpages"], search, int(offset), max(1, int(size)))

    def _page(
        self, request: Request, token: str, search: tuple[list[Resource], ResultForm], offset: int, size: int
    ) -> Response:
        matching, form = search
        base = f"{request.url.scheme}://{request.url.netloc}{BASE}"
        links = [{"relation": "self", "url": str(request.url)}]
        if offset + size < len(matching) and not form.count_only:
            # A wrong link leads back to the page that it stands on.
            start = offset if DirectoryTrouble.WRONG_NEXT in self.troubles else offset + size
            url = f"{base}?_getpages={token}&_getpagesoffset={start}&_count={size}&_bundletype=searchset"
            links.append({"relation": "next", "url": url})
        entries = [] if form.count_only else form.entries(base, matching[offset : offset + size], self._all)
        total = {"total": len(matching)} if form.total else {}
        bundle: Resource = {"resourceType": "Bundle", "type": "searchset", **total, "link": links}
        return _answer({**bundle, "entry": entries} if entries else bundle)

    async def _read(self, request: Request) -> Response:
        if (refused := await self._refused(request)) is not None:
            return refused
        kind, wanted = request.path_params["kind"], request.path_params["id"]
        if kind not in PARAMETERS:
            return _unknown(kind)
        for one in self._all(kind):
            if one["id"] == wanted:
                return _answer(shown(one))
        return _refusal(404, "not-found", f"HAPI-2001: Resource {kind}/{wanted} is not known")

    def _all(self, kind: str) -> list[Resource]:
        return everything(self.register, kind, december=DirectoryTrouble.DECEMBER_2019 in self.troubles)

    async def _refused(self, request: Request) -> Response | None:
        """Return what stands between a request and its answer: gateway, key, limit; None if nothing does."""
        if DirectoryTrouble.BAD_GATEWAY in self.troubles:
            return _gateway(502)
        if DirectoryTrouble.LATE in self.troubles:
            await run_in_threadpool(self._clock.wait, LATE)
        if DirectoryTrouble.GATEWAY_TIMEOUT in self.troubles:
            return _gateway(504)
        given = request.headers.get(API_KEY, "")
        if not hmac.compare_digest(given.encode(), self.key.encode()):
            said = "Unauthorized" if given else "No API Key"
            return _refusal(401, "login", f"{said}: the header ESANTE-API-KEY is expected")
        now = self._clock.monotonic()
        while self._asked and now - self._asked[0] >= 60:
            self._asked.popleft()
        if len(self._asked) >= A_MINUTE or DirectoryTrouble.RATE_LIMITED in self.troubles:
            answer = _refusal(429, "throttled", f"Rate limit exceeded: {A_MINUTE} requests a minute")
            answer.headers["Retry-After"] = "60"
            return answer
        self._asked.append(now)
        return None

    # -- the older page ------------------------------------------------------------------------------------------------

    async def _persons(self, request: Request) -> Response:
        asked = request.query_params
        name, department = asked.get("nom", "").lower(), asked.get("departement", "")
        chosen = [
            one
            for one in self.register
            if one.active and one.family.lower().startswith(name) and department in {"", one.department}
        ]
        rows = "".join(
            f'<li><a href="/annuaire/personnes/{one.rpps}">{escape(one.family)} {escape(" ".join(one.given))}</a></li>'
            for one in chosen[:PAGE]
        )
        return _html("Recherche", f"<p>{len(chosen)} personne(s)</p><ul>{rows}</ul>")

    async def _person(self, request: Request) -> Response:
        number = request.path_params["number"]
        one = next((one for one in self.register if number in {one.rpps, one.adeli} and number and one.active), None)
        if one is None:
            return _html("Personne inconnue", "<p>Aucune personne ne porte ce numéro.</p>", 404)
        return _html(f"{one.family} {' '.join(one.given)}", _sheet(one))


async def _not_done(request: Request, error: Exception) -> Response:
    """Return the answer to what no route has: an OperationOutcome where FHIR is spoken (ANNUAIRE-03)."""
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for these alone
    if not request.url.path.startswith(BASE):
        return HTMLResponse("", error.status_code, headers=error.headers)
    said = (
        f"Invalid request: this directory, which is read only, does not know {request.method} {request.url.path[:80]}"
    )
    answer = _refusal(error.status_code, "not-supported", said)
    answer.headers.update(error.headers or {})
    return answer


_CERTIFICATES = {"signature": "Certificat de signature", "authentication": "Certificat d'authentification"}


def _sheet(one: DirectoryEntry) -> str:
    rows = [
        ("Identifiant RPPS", one.rpps),
        ("Identifiant ADELI", one.adeli),
        ("Nom", one.family),
        ("Prénoms", " ".join(one.given)),
        ("Type de carte", one.card_type),
        ("Numéro de carte", one.card_number),
        ("Profession", one.profession_title),
        ("Spécialité", one.speciality),
        ("Département", one.department),
    ]
    for role, certificate in one.certificates.items():
        title = {"signature": "Certificat de signature", "authentication": "Certificat d'authentification"}.get(
            role, role
        )
        start, end = certificate.not_valid_before_utc.date(), certificate.not_valid_after_utc.date()
        rows.append((title, f"{certificate.serial_number:X}, du {start.isoformat()} au {end.isoformat()}"))
    cells = "".join(f"<tr><th scope='row'>{escape(a)}</th><td>{escape(b)}</td></tr>" for a, b in rows if b)
    return f"<table>{cells}</table>"


def _html(title: str, body: str, status: int = 200) -> Response:
    page = f"<!doctype html><html lang='fr'><head><meta charset='utf-8'><title>{escape(title)}</title></head>"
    return HTMLResponse(f"{page}<body><main><h1>{escape(title)}</h1>{body}</main></body></html>", status)


def _answer(resource: Resource, status: int = 200) -> Response:
    return JSONResponse(resource, status, media_type=_FHIR)


def _refusal(status: int, code: str, said: str) -> Response:
    return _answer(outcome("error", code, said), status)


def _unknown(kind: str) -> Response:
    known = ", ".join(sorted(PARAMETERS))
    said = f"HAPI-0302: Unknown resource type '{kind[:80]}' - Server knows how to handle: [{known}]"
    return _refusal(404, "processing", said)


def _gateway(status: int) -> Response:
    words = {502: "Bad Gateway", 504: "Gateway Time-out"}
    return HTMLResponse(f"<html><head><title>{status} {words[status]}</title></head></html>", status)
