"""The sites in the browser: the card's certificate by the Cryptolib, the component that reads the Vitale for a page."""

from __future__ import annotations

import httpx

from bifente.conformance.domains.portal.part import PortalBench, older
from bifente.conformance.domains.support.dmp_calls import ask_from_web
from bifente.conformance.domains.support.journeys import JourneyStep
from bifente.conformance.domains.support.running import RunningPoste
from bifente.conformance.domains.support.stopping import JourneyStoppedError
from bifente.conformance.domains.support.tokens import BROWSER_BITS, proved, token_of
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.workstation import ABSENT


def _opened(running: RunningPoste, path: str) -> PortalBench:
    """A site opened by the card's certificate. Raise JourneyStoppedError."""
    site = running.scene.part(PortalBench)
    site.stand(running.component)
    if running.poste.get("srvsvcnam") != ABSENT:
        site.component.installed = running.poste.get("srvsvcnam")
    site.chain, site.path = (), path
    if running.certificate_offered:
        with token_of(running, BROWSER_BITS) as token:
            certificate = proved(running, token)
        made = running.act().card.made_as(PersonalisedCard)
        site.chain = (certificate, *(made.chain if made is not None else ()))
    with running.step(JourneyStep.OPEN_PAGE):
        if running.line.get("down") == "yes":
            raise JourneyStoppedError("network", "LINE_DOWN", "no line to the site")
        site.open(path)
        if site.http != httpx.codes.OK:
            said = " ".join("".join(site.document.itertext()).split())
            who = "cps" if site.chain else "browser"
            raise JourneyStoppedError(who, str(site.http), said[:200])
    return site


def open_portal(running: RunningPoste) -> None:
    """Open Ameli Pro, find the component, have it read the Vitale."""
    site = _opened(running, "/ameli")
    with running.step(JourneyStep.FIND_COMPONENT):
        if not running.local_pages_reached:
            raise JourneyStoppedError("browser", "LOCAL_NETWORK", "the browser keeps the page from the local component")
        try:
            version = str(site.ask("/bifente/version").json()["version"])
        except httpx.ConnectError as error:
            why = running.component_why or str(error)
            raise JourneyStoppedError("srvsvcnam", "UNREACHABLE", why) from error
        wanted = running.poste.get("portal-asks")
        if older(version, wanted):
            raise JourneyStoppedError("srvsvcnam", "OLD", f"version {version}, the site asks for {wanted}")
    with running.step(JourneyStep.READ_FOR_PAGE):
        running.load("fsv")
        read = site.ask("/bifente/vitale").json()
        if read["code"] != "0000":
            who = "srvsvcnam" if running.poste.get("srvsvcnam-service") == "intermittent" else "vitale"
            raise JourneyStoppedError(who, str(read["code"]), "the component could not read the Vitale")


def open_dmp_in_browser(running: RunningPoste) -> None:
    """Open the Web PS of the DMP, and ask for a patient's record there."""
    _opened(running, "/webps")
    ask_from_web(running)
