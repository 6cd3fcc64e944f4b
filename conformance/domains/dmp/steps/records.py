"""TD0.x and TD1.x: existence, authorisations, lists, administrative data, closing, web access."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import Any, ClassVar, Literal
from urllib.parse import urlencode

import httpx
from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.dmp.bench import DmpBench
from bifente.conformance.domains.dmp.steps.base import ANSWERED, NONE, DmpStep, DmpTold
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.scenario.step import Observes
from bifente.ground.text import Text
from bifente.simulator.formats.dmp import habilitations
from bifente.simulator.formats.dmp.demographics import PatientFound, PersonTraits, read_search_answer
from bifente.simulator.formats.dmp.habilitations import (
    AuthorisationAction,
    AuthorisationFilter,
    AuthorisationRole,
    ListDate,
)
from bifente.simulator.software.lps.client import BASE

_FOUND = ("found", "status", "authorisation", "treating", "account", "attached", "closing", "motive", "names")


class DmpExists(DmpStep):
    """TD0.2: whether the patient has a DMP, how it stands, and my authorisation on it."""

    name: ClassVar[str] = "dmp-exists"
    title: ClassVar[Text] = Text("Tester l'existence du DMP (TD0.2)", "Test whether there is a DMP (TD0.2)")
    observes: ClassVar[Observes] = {**ANSWERED, **{name: ValueMatcher() for name in _FOUND}}

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Ask."""
        reply, found = bench.client.existence(bench.patient)
        return DmpTold(_seen(found), reply)


class DmpData(DmpStep):
    """TD1.3a: the administrative data, with what the patient opposed beforehand."""

    name: ClassVar[str] = "dmp-data"
    title: ClassVar[Text] = Text("Lire les données administratives (TD1.3a)", "Read administrative data (TD1.3a)")
    observes: ClassVar[Observes] = {
        **ANSWERED,
        **{name: ValueMatcher() for name in (*_FOUND, "opposes-bris-de-glace", "opposes-urgency")},
    }

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Read."""
        reply, found = bench.client.data(bench.patient)
        seen = _seen(found)
        if found is not None:
            seen["opposes-bris-de-glace"] = found.flag("OPPOSITION_BRIS_DE_GLACE")
            seen["opposes-urgency"] = found.flag("OPPOSITION_ACCES_URGENCE")
        return DmpTold(seen, reply)


class DmpAuthorise(DmpStep):
    """TD0.3: declare myself authorised, remove it, take or give up the role of treating doctor."""

    name: ClassVar[str] = "dmp-authorise"
    title: ClassVar[Text] = Text("Mettre à jour mon autorisation (TD0.3)", "Update my authorisation (TD0.3)")
    shorthand: ClassVar[str] = "action"
    observes: ClassVar[Observes] = ANSWERED

    action: Literal["add", "remove"] = Field(default="add", description="declare myself authorised, or no longer")
    treating: bool = Field(default=False, description="as treating doctor")

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Do it."""
        action = AuthorisationAction.ADD if self.action == "add" else AuthorisationAction.REMOVE
        role = AuthorisationRole.TREATING if self.treating else None
        return DmpTold(reply=bench.client.authorise(bench.patient, action, role))


class DmpAuthorised(DmpStep):
    """TD1.6: who is authorised on this DMP, or blocked."""

    name: ClassVar[str] = "dmp-authorised"
    title: ClassVar[Text] = Text("Lister les autorisés et bloqués (TD1.6)", "List the authorised and blocked (TD1.6)")
    shorthand: ClassVar[str] = "which"
    observes: ClassVar[Observes] = {**ANSWERED, "parties": ValueMatcher(), "treating": ValueMatcher()}

    which: Literal["active", "forbidden", "all"] = Field(default="active", description="which entries")

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """List."""
        mode = {
            "active": AuthorisationFilter.ACTIVE,
            "forbidden": AuthorisationFilter.FORBIDDEN,
            "all": AuthorisationFilter.ALL,
        }[self.which]
        reply = bench.client.authorised(bench.patient, mode)
        if not reply.ok or reply.content is None:
            return DmpTold(reply=reply)
        entries = habilitations.read_authorised(reply.content)
        return DmpTold(
            {"parties": [one.id for one in entries], "treating": [one.id for one in entries if one.treating]}, reply
        )


class DmpList(DmpStep):
    """TD0.4: the DMPs that I am authorised on."""

    name: ClassVar[str] = "dmp-list"
    title: ClassVar[Text] = Text("Lister mes DMP autorisés (TD0.4)", "List the DMPs I am authorised on (TD0.4)")
    observes: ClassVar[Observes] = {**ANSWERED, "count": ValueMatcher(), "patients": ValueMatcher()}

    date: Literal["authorisation", "document"] | None = Field(default=None, description="what the start date is about")
    since: str = Field(default="", pattern=r"^(\d{8}|\d{14})?$", description="start date YYYYMMDD or YYYYMMDDhhmmss")
    owner: str = Field(default="", max_length=40, description="national id of the professional whose list is asked for")

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """List."""
        kinds = {"authorisation": ListDate.LAST_AUTHORISATION, "document": ListDate.LAST_DOCUMENT, None: None}
        reply = bench.client.patients(kinds[self.date], self.since, self.owner)
        if not reply.ok or reply.content is None:
            return DmpTold(reply=reply)
        entries = habilitations.read_patients(reply.content)
        return DmpTold({"count": len(entries), "patients": [one.ids[0][1] for one in entries]}, reply)


class DmpFind(DmpStep):
    """TD0.5: look for a patient by traits, in régulation alone."""

    name: ClassVar[str] = "dmp-find"
    title: ClassVar[Text] = Text("Chercher un patient sans INS (TD0.5)", "Look for a patient without INS (TD0.5)")
    shorthand: ClassVar[str] = "family"
    observes: ClassVar[Observes] = {
        **ANSWERED,
        "count": ValueMatcher(),
        "match": ValueMatcher(),
        "first": ValueMatcher(),
    }

    family: str = Field(max_length=80, description="family name")
    given: str = Field(default="", max_length=80, description="given name")
    birth: str = Field(default="", pattern=r"^(\d{8})?$", description="YYYYMMDD")
    sex: str = Field(default="", pattern="^[FM]?$", description="F or M")

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Look."""
        reply = bench.client.find(PersonTraits(self.family, self.given, self.sex, self.birth))
        if not reply.ok or reply.content is None:
            return DmpTold(reply=reply)
        found = read_search_answer(reply.content)
        first = found[0] if found else None
        return DmpTold(
            {
                "count": len(found),
                "match": None if first is None else first.match,
                "first": None if first is None else first.traits.family,
            },
            reply,
        )


class DmpClose(DmpStep):
    """TD1.4: close the DMP at the patient's wish."""

    name: ClassVar[str] = "dmp-close"
    title: ClassVar[Text] = Text("Fermer le DMP (TD1.4)", "Close the DMP (TD1.4)")
    shorthand: ClassVar[str] = "reason"
    observes: ClassVar[Observes] = ANSWERED

    reason: str = Field(default="FERMETURE_DEMANDE_PATIENT", max_length=60, description="code of the reason")

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Close it."""
        return DmpTold(reply=bench.client.close(bench.patient, self.reason))


class DmpChange(DmpStep):
    """TD1.3b: change contact data; with another reason, what is no longer open to software."""

    name: ClassVar[str] = "dmp-change"
    title: ClassVar[Text] = Text("Modifier les données administratives (TD1.3b)", "Change administrative data (TD1.3b)")
    observes: ClassVar[Observes] = ANSWERED

    telecom: str = Field(default="tel:0100000000", max_length=80, description="a telecom of the patient")
    reason: str = Field(default="MODIF_DATA", max_length=20, description="MODIF_DATA, or REAC, CREA_RD ...")

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Change them."""
        return DmpTold(reply=bench.client.change(bench.patient, (self.telecom,), self.reason))


class DmpWeb(DmpStep):
    """TD0.9: open a contextual page of the web access by the certificate of the card, after what a form of it does."""

    name: ClassVar[str] = "dmp-web"
    title: ClassVar[Text] = Text("Ouvrir le Web PS (TD0.9)", "Open the web access (TD0.9)")
    shorthand: ClassVar[str] = "page"
    observes: ClassVar[Observes] = {
        **ANSWERED,
        **{name: ValueMatcher() for name in ("page", "text", "rows", "links", "location", "same")},
    }

    page: str = Field(
        default="TableauDeBord", max_length=60, description="TableauDeBord, DossierPatient, Documents ..."
    )
    with_patient: bool = Field(default=True, description="with the INS in the address")
    form: dict[str, str] = Field(
        default={},
        max_length=8,
        description="sent first: do (authorise, settle, block, unblock) and its fields",
    )
    read: bool = Field(default=False, description="read the document that was sent last instead of the page")
    without_card: bool = Field(default=False, description="with no certificate at all")
    origin: str = Field(default="", max_length=100, description="where the form comes from, none told by default")

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Open it."""
        client = bench.client
        caller = bench.caller(replace(client.user, presented=())) if self.without_card else client.caller
        ins = f"/{bench.patient.ins.whole}" if self.with_patient else ""
        address = f"{client.base.removesuffix(BASE)}/AccesDirect/{self.page}{ins}"
        if self.form:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            if self.origin:
                headers["Origin"] = self.origin
            done = caller.request("POST", address, headers=headers, content=urlencode(self.form).encode())
            if not done.has_redirect_location:
                return DmpTold(_page(done))
        if self.read and bench.sent is not None:
            answer = caller.request("GET", address, params={"document": bench.sent.unique_id})
            return DmpTold(_page(answer) | {"same": answer.content == bench.sent.contents["Document01"]})
        return DmpTold(_page(caller.request("GET", address)))


def _page(answer: httpx.Response) -> dict[str, Any]:
    text = unescape(answer.text) if answer.headers.get("content-type", "").startswith("text/html") else ""
    title = text.partition("<h1>")[2].partition("</h1>")[0]
    fine = answer.is_success or answer.has_redirect_location
    return {
        "http": answer.status_code,
        "code": NONE if fine else title or f"HTTP {answer.status_code}",
        "page": title,
        "text": " ".join(re.sub(r"<[^>]+>", " ", text.partition("<main>")[2]).split()),
        "rows": text.count("<tr>"),
        "links": re.findall('<a href="([^"]+)"', text),
        "location": answer.headers.get("location"),
        "reason": text[:300] if not fine else None,
    }


def _seen(found: PatientFound | None) -> dict[str, Any]:
    if found is None:
        return {}
    return {
        "found": found.found,
        "status": found.status or None,
        "authorisation": found.authorisation or None,
        "treating": found.treating,
        "account": found.flag("COMPTE_INTERNET_OUVERT"),
        "attached": found.flag("RATTACHEMENT_ENS"),
        "closing": found.closing[1] or None,
        "motive": found.closing[2] or None,
        "names": f"{found.traits.family} {found.traits.given}".strip(),
    }
