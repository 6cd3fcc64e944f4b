"""A professional before a portal: the card, the component, the patient found by the Vitale or by the number."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.scenario.step import ImpossibleStepError, Observation, Observes, Step
from bifente.ground.text import Text

if TYPE_CHECKING:
    from bifente.conformance.domains.portal.part import PortalBench

SITE: Observes = {
    key: ValueMatcher()
    for key in (
        *("http", "heading", "message", "professional", "patients", "services", "patient-services", "name", "nir"),
        *("rights", "exemption", "fund", "regime", "rank", "solidarity", "ame", "birth", "labels"),
    )
}
_ROWS = {
    "name": "Nom",
    "nir": "NIR",
    "rights": "Droits ce jour",
    "exemption": "Exonération",
    "fund": "Caisse",
    "regime": "Régime",
    "rank": "Rang",
    "solidarity": "Complémentaire santé solidaire",
    "ame": "AME",
    "birth": "Date de naissance",
}


def portal(act: Act) -> PortalBench:
    """Return the sites of a scene and the component of its workstation."""
    from bifente.conformance.domains.portal.part import PortalBench

    return act.scene.part(PortalBench)


class OpenPortal(Step):
    """Open a portal with the card in the step's slot: the certificate that is chosen in the browser's dialog."""

    name: ClassVar[str] = "portal-open"
    title: ClassVar[Text] = Text("Ouvrir un portail", "Open a portal")
    shorthand: ClassVar[str] = "site"
    observes: ClassVar[Observes] = SITE

    site: Literal["ameli", "webps"] = Field(default="ameli", description="Ameli Pro, or the Web PS of the DMP")
    certificate: Literal["authentication", "signature", "technical", "none"] = Field(
        default="authentication", description="the one chosen in the browser's dialog"
    )

    def run(self, act: Act) -> Observation:
        """Open it."""
        from bifente.simulator.cards.cpx.personalise import PersonalisedCard

        bench = portal(act)
        bench.chain, bench.path = (), f"/{self.site}"
        if self.certificate != "none":
            card = act.card.made_as(PersonalisedCard)
            if card is None:
                raise ImpossibleStepError(
                    Text("la carte de cette fente n'est pas d'un professionnel", "the card here is no professional's")
                )
            bench.chain = (card.certificates[self.certificate], *card.chain)
        bench.open(bench.path)
        return _shown(bench)


class SetComponent(Step):
    """Let the local component be absent, present and not trusted, active, of an old version, or fail now and then."""

    name: ClassVar[str] = "component"
    title: ClassVar[Text] = Text("Changer l'état du composant CNAM", "Change the state of the CNAM component")
    shorthand: ClassVar[str] = "state"

    state: Literal["absent", "untrusted", "active", "old", "intermittent"] = Field(
        description="how it is from now on; untrusted: the browser does not know its authority"
    )

    def run(self, act: Act) -> Observation:
        """Let it be so."""
        from bifente.conformance.domains.portal.part import ComponentState

        portal(act).stand(ComponentState(self.state))
        return Observation({})


class LookForComponent(Step):
    """Look for the component as the script of the page does."""

    name: ClassVar[str] = "portal-component"
    title: ClassVar[Text] = Text("Chercher le composant CNAM", "Look for the CNAM component")
    observes: ClassVar[Observes] = {"found": ValueMatcher(), "version": ValueMatcher(), "http": ValueMatcher()}

    origin: str | None = Field(default=None, max_length=200, description="site that asks, instead of the portal")

    def run(self, act: Act) -> Observation:
        """Look."""
        import httpx

        from bifente.conformance.domains.portal.part import ORIGIN, older

        try:
            answer = portal(act).ask("/bifente/version", self.origin or ORIGIN)
        except httpx.ConnectError:
            return Observation({"found": "missing", "version": "", "http": 0})
        body = answer.json()
        if answer.status_code != httpx.codes.OK:
            return Observation({"found": "refused", "version": "", "http": answer.status_code})
        found = "old" if older(body["version"]) else "active"
        return Observation({"found": found, "version": body["version"], "http": answer.status_code})


class ReadVitaleForPage(Step):
    """Touch the button that reads the Vitale: the page asks the component, then shows who is on the card."""

    name: ClassVar[str] = "portal-read-vitale"
    title: ClassVar[Text] = Text("Lire la Vitale pour la page", "Read the Vitale for the page")
    observes: ClassVar[Observes] = {**SITE, "code": ValueMatcher(), "tries": ValueMatcher()}

    tries: int = Field(default=1, ge=1, le=10, description="touch it again until it reads, so many times at most")

    def run(self, act: Act) -> Observation:
        """Touch it."""
        import httpx

        bench, code, number = portal(act), "", 0
        while number < self.tries:
            number += 1
            try:
                read = bench.ask("/bifente/vitale").json()
            except httpx.ConnectError:
                return Observation({"code": "missing", "tries": number})
            code = read["code"]
            if code == "0000":
                bench.send({"card": json.dumps(read["groups"])})
                break
        found = _shown(bench)
        return Observation({**found.values, "code": code, "tries": number}, found.decoded)


class SendToPortal(Step):
    """Send a form of the page by hand: a number that is typed, or what is said to come from a card."""

    name: ClassVar[str] = "portal-patient"
    title: ClassVar[Text] = Text("Rechercher un patient", "Look for a patient")
    shorthand: ClassVar[str] = "nir"
    observes: ClassVar[Observes] = SITE

    nir: str | None = Field(default=None, max_length=100, description="number that is typed")
    card: str | None = Field(default=None, max_length=100_000, description="groups of a card, as JSON")

    def run(self, act: Act) -> Observation:
        """Send it."""
        bench = portal(act)
        bench.send({key: value for key, value in (("nir", self.nir), ("card", self.card)) if value is not None})
        return _shown(bench)


def _shown(bench: PortalBench) -> Observation:
    document: Any = bench.document
    alerts = document.xpath("//*[@role='alert']")
    panels = [_facts(one) for one in document.xpath("//section[@class='patient']")]
    first = panels[0] if panels else {}
    professional = document.xpath("//section[@aria-labelledby='ps']")
    values = {
        "http": bench.http,
        "heading": _text(document.xpath("//h1")),
        "message": _text(alerts),
        "professional": list(_facts(professional[0]).values()) if professional else [],
        "patients": len(panels),
        "labels": list(first),
        "services": len(document.xpath("//section[@aria-labelledby='s']//li")),
        "patient-services": len(document.xpath("//*[@id='services-patient']/li")),
        **{key: first.get(label, "") for key, label in _ROWS.items()},
    }
    return Observation(values, (("page", f"{values['http']} {values['heading']}"), ("message", _text(alerts))))


def _facts(section: Any) -> dict[str, str]:
    labels, told = section.xpath(".//dt"), section.xpath(".//dd")
    return {label.text_content().strip(): one.text_content().strip() for label, one in zip(labels, told, strict=True)}


def _text(found: Any) -> str:
    return " ".join(found[0].text_content().split()) if found else ""
