"""The directory, searched and looked at; and who is in it."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import httpx
from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.directory.part import DirectoryOfScene
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.scenario.step import Observation, Observes, Step
from bifente.conformance.targets.base import ImpossibleStepError
from bifente.ground.text import Text
from bifente.simulator.services.directory.resources import UNKNOWN_EXTENSION
from bifente.simulator.services.directory.service import API_KEY, BASE

_MOST_PAGES = 20
_PATIENCE = 30.0
Asked = dict[Annotated[str, Field(max_length=60)], str | int | bool]


def _first(answer: Any) -> dict[str, Any]:
    """What an OperationOutcome says."""
    issues = answer.get("issue", [{}]) if isinstance(answer, dict) else [{}]
    return {"issue": issues[0].get("code", ""), "said": issues[0].get("diagnostics", "")}


class SearchDirectory(Step):
    """Search the directory by FHIR, pages followed to the end if asked; a client that knows its limits: it gives up
    after thirty seconds, at a next link that comes back, and at an extension it does not understand.
    """

    name: ClassVar[str] = "directory-search"
    title: ClassVar[Text] = Text("Chercher dans l'annuaire", "Search the directory")
    success: ClassVar[tuple[str, str]] = ("outcome", "found")
    observes: ClassVar[Observes] = {
        key: ValueMatcher()
        for key in ("http", "outcome", "total", "count", "pages", "ids", "resource", "issue", "said", "active", "keys")
    }

    by: Asked = Field(default_factory=dict, description="parameters of the search, e.g. {family: TEST}")
    resource: str = Field(default="Practitioner", max_length=60, description="type of resource")
    key: Literal["good", "wrong", "none"] = Field(default="good", description="the API key that is shown")
    method: Literal["GET", "POST"] = Field(default="GET", description="a query, or a form to _search")
    follow: bool = Field(default=False, description="follow the next links to the end")

    def run(self, act: Act) -> Observation:
        """Search it."""
        part = act.scene.part(DirectoryOfScene)
        keys = {"good": part.service.key, "wrong": "0" * 32}
        headers = {API_KEY: keys[self.key]} if self.key in keys else {}
        asked = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in self.by.items()}
        since = act.bench.clock.monotonic()
        if self.method == "GET":
            answer = part.caller.get(f"{BASE}/{self.resource}", params=asked, headers=headers)
        else:
            answer = part.caller.post(f"{BASE}/{self.resource}/_search", data=asked, headers=headers)
        if act.bench.clock.monotonic() - since > _PATIENCE:
            return Observation({"outcome": "late", "http": answer.status_code})
        values, entries, url, seen = _read(answer), list[dict[str, Any]](), "", set[str]()
        pages = 1
        while values["http"] == httpx.codes.OK:
            bundle = answer.json()
            entries += [one["resource"] for one in bundle.get("entry", ())]
            url = next((link["url"] for link in bundle.get("link", ()) if link["relation"] == "next"), "")
            if not self.follow or not url or pages >= _MOST_PAGES:
                break
            if url in seen:
                values["outcome"] = "loop"
                break
            seen.add(url)
            answer, pages = part.caller.get(url, headers=headers), pages + 1
            values = _read(answer)
        return Observation({**values, **_told(values, entries, pages)})


def _read(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        body = {}
    good = answer.status_code == httpx.codes.OK
    outcome = "found" if good else "refused" if body.get("resourceType") == "OperationOutcome" else "unavailable"
    found = {"http": answer.status_code, "outcome": outcome, "resource": body.get("resourceType", "")}
    return {**found, **({"total": body.get("total")} if good else _first(body))}


def _told(values: dict[str, Any], entries: list[dict[str, Any]], pages: int) -> dict[str, Any]:
    told: dict[str, Any] = {"count": len(entries), "pages": pages, "ids": [one["id"] for one in entries[:200]]}
    if entries:
        told["active"] = entries[0]["active"]
        told["keys"] = sorted(entries[0])
    if values.get("total") == 0:
        told["outcome"] = "nobody"
    if any(one["url"] == UNKNOWN_EXTENSION for entry in entries for one in entry.get("modifierExtension", ())):
        # FHIR forbids to go on with a modifier that one does not understand.
        told["outcome"] = "refused"
        told["said"] = UNKNOWN_EXTENSION
    return told


class DirectoryPage(Step):
    """Read the page of a person in the older directory, by RPPS or ADELI number."""

    name: ClassVar[str] = "directory-page"
    title: ClassVar[Text] = Text("Lire la page d'une personne", "Read the page of a person")
    shorthand: ClassVar[str] = "number"
    success: ClassVar[tuple[str, str]] = ("http", "200")
    observes: ClassVar[Observes] = {"http": ValueMatcher(), "text": ValueMatcher()}

    number: str = Field(default="", max_length=40, description="RPPS or ADELI number; without, the list")
    surname: str = Field(default="", max_length=80, description="of the list: what the family name begins with")
    department: str = Field(default="", max_length=3, description="of the list: in this department")

    def run(self, act: Act) -> Observation:
        """Read it."""
        part = act.scene.part(DirectoryOfScene)
        path = f"/annuaire/personnes/{self.number}" if self.number else "/annuaire/personnes"
        answer = part.caller.get(path, params={"nom": self.surname, "departement": self.department})
        return Observation({"http": answer.status_code, "text": answer.text})


class ChangeDirectory(Step):
    """Let somebody be missing from the directory, or inactive there."""

    name: ClassVar[str] = "directory-change"
    title: ClassVar[Text] = Text("Modifier l'annuaire", "Change the directory")
    observes: ClassVar[Observes] = {"persons": ValueMatcher()}

    remove: str | None = Field(default=None, max_length=11, description="RPPS number of who is no longer there")
    close: str | None = Field(default=None, max_length=11, description="RPPS number of who is no longer active")

    def run(self, act: Act) -> Observation:
        """Change it. Raise ImpossibleStepError for a number that nobody has."""
        service, now = act.scene.part(DirectoryOfScene).service, act.bench.clock.now()
        register = service.register
        for number, change in ((self.remove, register.remove), (self.close, partial(register.close, at=now))):
            if number is not None and not change(number):
                raise ImpossibleStepError(
                    Text(f"personne n'a le numéro RPPS {number}", f"nobody has the RPPS number {number}")
                )
        act.scene.changed(None, Text("annuaire modifié", "directory changed"))
        return Observation({"persons": len(service.register)})
