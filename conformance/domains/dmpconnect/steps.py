"""Steps of a page that speaks to DmpConnect-JS."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from bifente.conformance.bench.facets import Apdu, Personalisation
from bifente.conformance.bench.scene import Act
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.scenario.step import Code, Observation, Observes, Step
from bifente.conformance.targets.facets import Facet
from bifente.conformance.targets.pkcs11 import Called
from bifente.ground.text import Text

if TYPE_CHECKING:
    from bifente.conformance.domains.dmpconnect.part import ConnectBench

_OUTCOME = (
    *("status", "type", "api-error", "context", "extended", "readers", "people", "places", "ins", "oid"),
    *("record", "authorisation", "treating", "count", "titles", "visibility", "states", "unique-id", "uuid", "handle"),
    *("patients", "parties", "urls", "history"),
)
_FIELDS = {
    "version": "s_serviceVersion",
    "given": "s_given",
    "surname": "s_name",
    "tries": "i_nbInputLeft",
    "result": "i_insIdentityResult",
    "expires": "i_expiresIn",
    "signature": "s_signature",
    "sent": "s_uniqueId",
    "content": "s_fileContentInBase64",
    "format": "i_documentFormat",
    "majority": "i_majorityAge",
}


def _bench(act: Act) -> ConnectBench:
    # Here, not above: it brings a web framework along, which no other scenario needs.
    from bifente.conformance.domains.dmpconnect.part import ConnectBench

    return act.scene.part(ConnectBench)


class ConnectCommand(Step):
    """Send a command to DmpConnect-JS over HTTPS, in the session that was opened last."""

    name: ClassVar[str] = "dmpconnect"
    title: ClassVar[Text] = Text("Appeler DmpConnect-JS", "Call DmpConnect-JS")
    shorthand: ClassVar[str] = "command"
    needs = frozenset[type[Facet]]({Apdu, Personalisation})
    success: ClassVar[tuple[str, str] | None] = ("status", "OK")
    observes: ClassVar[Observes] = {key: ValueMatcher() for key in (*_OUTCOME, *_FIELDS)}

    command: str = Field(pattern=r"^hl_[A-Za-z]{1,60}$", description="hl_openSession, hl_readCpxCard ...")
    fields: dict[str, Any] = Field(default={}, description="fields of the command, with their prefixes")
    pin: Code | None = Field(default=None, description="s_pinCode")
    session: str | None = Field(default=None, max_length=64, description="another session than the one opened last")
    raw: str | None = Field(default=None, max_length=100_000, description="the body as it is")

    def run(self, act: Act) -> Observation:
        """Send it."""
        said = dict(self.fields)
        if self.pin is not None:
            said["s_pinCode"] = self.pin
        if self.session is not None:
            said["s_sessionId"] = self.session
        start = time.perf_counter()
        answer = _bench(act).call(self.command, said, self.raw)
        seconds = time.perf_counter() - start
        act.bench.settle()
        told = {"fields": ", ".join(sorted(self.fields))} if self.fields else {}
        act.scene.told(act.role, Called(self.command, told, str(answer.get("s_status")), {}, seconds))
        return Observation(_seen(answer), (("réponse", str(answer.get("s_errorDescription") or answer["s_status"])),))


class ConnectSetting(Step):
    """Set DmpConnect-JS: whose session the readers belong to, whether the token of the card must be renewed."""

    name: ClassVar[str] = "dmpconnect-setting"
    title: ClassVar[Text] = Text("Régler DmpConnect-JS", "Set DmpConnect-JS")
    needs = frozenset[type[Facet]]({Apdu, Personalisation})
    observes: ClassVar[Observes] = {key: ValueMatcher() for key in ("sessions", "owner", "tokens")}

    owner: str | None = Field(default=None, max_length=100, description=r"DOMAIN\user of the readers; empty for nobody")
    tokens: bool | None = Field(default=None, description="the token of the card lasts two minutes (modelled)")

    def run(self, act: Act) -> Observation:
        """Set it, then look."""
        service = _bench(act).service
        said = {"owner": self.owner, "tokens": self.tokens}
        service.set_state({key: value for key, value in said.items() if value is not None})
        return Observation(service.state())


class ConnectJudge(Step):
    """Judge a page by what DmpConnect-JS heard of it. Each finding is a rule that was broken."""

    name: ClassVar[str] = "dmpconnect-judge"
    title: ClassVar[Text] = Text("Juger la page d'après DmpConnect-JS", "Judge the page by DmpConnect-JS")
    needs = frozenset[type[Facet]]({Apdu, Personalisation})
    observes: ClassVar[Observes] = {"findings": ValueMatcher(), "commands": ValueMatcher()}

    def run(self, act: Act) -> Observation:
        """Judge."""
        from bifente.simulator.middleware.dmpconnect.judging import page_findings

        log = _bench(act).service.log
        return Observation({"findings": [one.rule for one in page_findings(log)], "commands": len(log)})


def _seen(answer: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {key: answer.get(field) for key, field in _FIELDS.items()}
    values |= {
        "status": answer["s_status"],
        "type": answer.get("i_apiErrorType", 0),
        "api-error": answer.get("i_apiErrorCode", 0),
        "context": answer.get("s_apiErrorContext", "") or "none",
        "extended": answer.get("s_apiErrorExtendedInformations", "") or "none",
        "readers": [one["i_slotType"] for one in answer.get("Readers", [])],
        "people": len(answer.get("Patients", [])),
        "places": [one["i_index"] for one in answer.get("PracticeLocations", [])],
    }
    identity = answer.get("Identity", {})
    ins = identity.get("Ins", {})
    values |= {"ins": ins.get("s_value", "none") + ins.get("s_key", ""), "oid": ins.get("s_oid", "none")}
    values["history"] = len(identity.get("History", []))
    return values | _of_the_dmp(answer)


def _of_the_dmp(answer: dict[str, Any]) -> dict[str, Any]:
    existing, documents = answer.get("ExistingTestAnswer", {}), answer.get("Documents", [])
    last = documents[-1] if documents else {}
    return {
        "record": existing.get("i_dmpStatus"),
        "authorisation": existing.get("i_userAuthorization"),
        "treating": answer.get("i_treatingPhysician"),
        "count": len(documents),
        "titles": [one["s_title"] for one in documents],
        "visibility": [one["i_document_Visibility"] for one in documents],
        "states": [one["i_document_Status"] for one in documents],
        "unique-id": last.get("s_uniqueId"),
        "uuid": last.get("s_uuid"),
        "handle": last.get("i_handle"),
        "patients": [
            one["s_ins"] for one in answer.get("AccessibleDmps", answer.get("Patients", [])) if "s_ins" in one
        ],
        "parties": [one["s_nationalId"] for one in answer.get("AuthorizationList", [])],
        "urls": len(answer.get("Urls", [])),
    }
