"""The provider looked at: its document, its sessions, the directory behind it, and what it says of a client."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.psc.steps.login import ClientId
from bifente.conformance.domains.psc.steps.words import ANSWER, answered
from bifente.conformance.domains.psc.vocabulary import psc
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.scenario.step import ImpossibleStepError, Observation, Observes, Step
from bifente.ground.text import Text
from bifente.simulator.services.psc.addresses import DISCOVERY_PATH
from bifente.simulator.serving.service import ServiceError


class PscDiscovery(Step):
    """Read the discovery document, or another path of the protocol's host."""

    name: ClassVar[str] = "psc-discovery"
    title: ClassVar[Text] = Text("Lire le document de découverte", "Read the discovery document")
    shorthand: ClassVar[str] = "path"
    observes: ClassVar[Observes] = ANSWER

    path: str = Field(default=DISCOVERY_PATH, max_length=200, description="path below the protocol's host")

    def run(self, act: Act) -> Observation:
        """Read it."""
        bench = psc(act)
        with bench.caller() as caller:
            return answered(caller.get(f"{bench.service.core.addresses.auth}{self.path}"))


class PscSessions(Step):
    """Look at the sessions that are open at the provider."""

    name: ClassVar[str] = "psc-sessions"
    title: ClassVar[Text] = Text("Regarder les sessions ouvertes", "Look at the open sessions")
    observes: ClassVar[Observes] = {"count": ValueMatcher(), "users": ValueMatcher(), "clients": ValueMatcher()}

    def run(self, act: Act) -> Observation:
        """Look."""
        found = psc(act).service.state()["sessions"]
        return Observation(
            {
                "count": len(found),
                "users": [one["user"] for one in found],
                "clients": [client for one in found for client in one["clients"]],
            }
        )


class PscDirectory(Step):
    """Say which professionals the directory does not have."""

    name: ClassVar[str] = "psc-directory"
    title: ClassVar[Text] = Text("Retirer de l'annuaire", "Take out of the directory")
    shorthand: ClassVar[str] = "absent"

    absent: list[str] = Field(max_length=100, description="national ids")

    def run(self, act: Act) -> Observation:
        """Say it."""
        try:
            psc(act).service.set_state({"unlisted": self.absent})
        except ServiceError as error:
            raise ImpossibleStepError(Text(str(error), str(error))) from None
        return Observation({})


class ClientFindings(Step):
    """Read what the provider has to say of a client: the rules it broke."""

    name: ClassVar[str] = "client-findings"
    title: ClassVar[Text] = Text("Lire les constats sur le logiciel", "Read the findings about the software")
    shorthand: ClassVar[str] = "client"
    observes: ClassVar[Observes] = {"rules": ValueMatcher(), "count": ValueMatcher()}

    client: ClientId = "lgc-demo"

    def run(self, act: Act) -> Observation:
        """Read them."""
        found = psc(act).service.findings(self.client)
        return Observation(
            {"rules": [one.rule.id for one in found], "count": len(found)},
            tuple((f"{one.rule.requirement} ×{one.times}", one.rule.text) for one in found),
        )
