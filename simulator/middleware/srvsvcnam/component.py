"""The component over HTTP: its version, and the Vitale of the workstation for the page of a site that may ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bifente.ground.text import Text
from bifente.simulator.serving.service import Asgi, Declare, Service, to_nobody
from bifente.simulator.zones import Group, ZoneError, decode, named

VERSION, OLD_VERSION, OLDEST_ACCEPTED = "5.10.04", "3.40.02", "5.10.00"
"""Versions as they were met on workstations (sources#founding-text-001)."""
INTERMITTENT, OLD = "srvsvcnam-intermittent", "srvsvcnam-old"
_SHOWN = (101, 102, 104, 105, 106)


class VitaleAnswer(Protocol):
    """What a reading of the rights gives."""

    @property
    def code(self) -> int:
        """16 bits, 0 is success."""
        ...

    @property
    def zone(self) -> bytes:
        """The groups."""
        ...


class SrvSvCnam(Service):
    """The component. ``read`` reads the Vitale of the workstation, ``origins`` are the sites that may ask for it."""

    name = "srvsvcnam"
    title = Text("Composant CNAM (SrvSVCNAM)", "CNAM component (SrvSVCNAM)")
    offered = frozenset({INTERMITTENT, OLD})

    def __init__(self, read: Callable[[], VitaleAnswer], origins: Iterable[str], declare: Declare = to_nobody) -> None:
        super().__init__(declare)
        self._read = read
        self.origins = frozenset(origins)
        self.installed = VERSION
        """The version that is on the workstation."""
        self._reads = 0

    @cached_property
    def application(self) -> Asgi:
        """Return its ASGI application."""
        served = Starlette(
            routes=[
                Route("/bifente/version", self._version, methods=["GET", "OPTIONS"]),
                Route("/bifente/vitale", self._vitale, methods=["GET", "OPTIONS"]),
            ]
        )
        served.router.redirect_slashes = False
        return served

    def state(self) -> Mapping[str, Any]:
        """Return ``version``, ``reads`` so far, ``origins`` that may ask."""
        return {"version": self.version, "reads": self._reads, "origins": sorted(self.origins)}

    @property
    def version(self) -> str:
        """The version it says it is of."""
        return OLD_VERSION if OLD in self.troubles else self.installed

    async def _version(self, request: Request) -> Response:
        return self._answered(request, lambda: {"version": self.version, "modelled": True})

    async def _vitale(self, request: Request) -> Response:
        return self._answered(request, self._patient)

    def _patient(self) -> Mapping[str, Any]:
        self._reads += 1
        # Every other reading fails, the first one included: pages have to offer another try (SEED-WEBMEDECIN-12).
        if self.suffers(INTERMITTENT) and self._reads % 2:
            return {"code": "F014", "groups": []}
        answer = self._read()
        return {"code": f"{answer.code:04X}", "groups": _shown(answer.zone)}

    def _answered(self, request: Request, give: Callable[[], Mapping[str, Any]]) -> Response:
        origin = request.headers.get("origin", "")
        if origin not in self.origins:
            return JSONResponse({"error": "origine refusée"}, 403)
        headers = {
            "Access-Control-Allow-Origin": origin,
            "Vary": "Origin",
            "Access-Control-Allow-Private-Network": "true",
            "Cache-Control": "no-store",
        }
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
        return JSONResponse(give(), headers=headers)


def _shown(zone: bytes) -> list[dict[str, Any]]:
    try:
        groups: list[Group] = list(decode(zone))
    except ZoneError:
        return []
    return [{"id": group.id, "fields": named(group)} for group in groups if group.id in _SHOWN]
