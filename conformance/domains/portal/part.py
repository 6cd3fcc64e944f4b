"""What a scenario of the portals has at hand: the sites, the component of the workstation, the browser before them."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import cache
from typing import Any, Self

import httpx
from lxml import html

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.scene import Scene
from bifente.conformance.domains.pki.part import PkiOfScene
from bifente.conformance.domains.vitale.workstation import Workstation
from bifente.ground.clock import Clock
from bifente.simulator.middleware.srvsvcnam.authority import identity
from bifente.simulator.middleware.srvsvcnam.component import (
    INTERMITTENT,
    OLD,
    OLDEST_ACCEPTED,
    SrvSvCnam,
    VitaleAnswer,
)
from bifente.simulator.pki.judging import CertificateJudge, Chain
from bifente.simulator.services.portal.service import Portal
from bifente.simulator.serving.calling import AsgiTransport
from bifente.simulator.serving.client_certificates import TlsPeer, seen_by
from bifente.simulator.serving.recording import Hear, recorded

ORIGIN, COMPONENT = "https://ameli.bifente.test", "https://127.0.0.1:9443"


class ComponentState(StrEnum):
    """How the component stands on the workstation; the value is the word of scenarios."""

    ABSENT = "absent"
    UNTRUSTED = "untrusted"
    ACTIVE = "active"
    OLD = "old"
    INTERMITTENT = "intermittent"


class PortalBench:
    """The sites and the component, fresh for each scenario: absent until a step says otherwise."""

    def __init__(
        self, clock: Clock, workshop: Workshop, read: Callable[[], VitaleAnswer], hear: Hear, judge: CertificateJudge
    ) -> None:
        self.component = SrvSvCnam(read, [ORIGIN])
        trust = cache(lambda: identity(workshop.keys, clock.now()).trust)
        self.portal = Portal(clock, judge.complaint, COMPONENT, trust)
        self.state = ComponentState.ABSENT
        self.chain: Chain = ()
        self.path = "/ameli"
        self._component = recorded(self.component, clock, hear)
        self._portal = recorded(self.portal, clock, hear)
        self.document: Any = None
        self.http = 0

    @classmethod
    def of(cls, scene: Scene) -> Self:
        """Return the sites of a scene; its Vitale is read by the workstation's own SSV library."""

        def read() -> VitaleAnswer:
            station = scene.part(Workstation)
            ps, reader = station.resource_names()
            ssv = station.ssv("srvsvcnam")
            ssv.init_lib()
            code = str(scene.bench.card_in("cps").facts["code"])
            return ssv.lire_droits_vitale(ps, reader, code, f"{scene.bench.now():%Y%m%d}")

        judge = scene.part(PkiOfScene).judge(by="ocsp-then-crl")
        return cls(scene.bench.clock, scene.bench.workshop, read, scene.hear, judge)

    def stand(self, state: ComponentState) -> None:
        """Let the component stand so from now on."""
        self.state = state
        self.component.suffer(
            *{ComponentState.OLD: (OLD,), ComponentState.INTERMITTENT: (INTERMITTENT,)}.get(state, ())
        )

    def open(self, path: str) -> None:
        """Open a page of the sites."""
        self._shown(self._called("GET", path))

    def send(self, form: dict[str, str]) -> None:
        """Send a form of the page."""
        self._shown(self._called("POST", f"{self.path}/patient", form))

    def _called(self, method: str, path: str, form: dict[str, str] | None = None) -> httpx.Response:
        served = seen_by(self._portal, lambda: TlsPeer(self.chain))
        with httpx.Client(transport=AsgiTransport(served), base_url=ORIGIN) as caller:
            return caller.request(method, path, data=form)

    def _shown(self, answer: httpx.Response) -> None:
        self.http = answer.status_code
        self.document = html.document_fromstring(answer.text)

    def ask(self, path: str, origin: str = ORIGIN) -> httpx.Response:
        """Ask the component as the script of a page does. Raise httpx.ConnectError if it is out of reach."""
        if self.state is ComponentState.ABSENT:
            raise httpx.ConnectError("connection refused")
        if self.state is ComponentState.UNTRUSTED:
            raise httpx.ConnectError("certificate authority unknown")
        with httpx.Client(transport=AsgiTransport(self._component), base_url=COMPONENT) as caller:
            return caller.get(path, headers={"origin": origin})

    def close(self) -> None:
        """Nothing stays open."""


def older(version: str, oldest: str = OLDEST_ACCEPTED) -> bool:
    """Tell whether a version is older than what the sites accept."""
    return [int(part) for part in version.split(".")] < [int(part) for part in oldest.split(".")]
