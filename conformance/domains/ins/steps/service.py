"""Steps on the teleservice: how it is set, what it was asked, hostile requests, the judgement of a client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.ins.forged import Forged
from bifente.conformance.domains.ins.steps.base import OUTCOME, InsStep, InsTold
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.scenario.step import Code, ImpossibleStepError, Message, Observes
from bifente.ground.french import in_both
from bifente.ground.text import Text
from bifente.simulator.services.insi.quirks import InsiQuirk
from bifente.simulator.serving.service import ServiceError

if TYPE_CHECKING:
    from bifente.conformance.domains.ins.bench import InsBench


class InsiService(InsStep):
    """Set the simulated teleservice, and look at it."""

    name: ClassVar[str] = "insi-service"
    title: ClassVar[Text] = Text("Régler et regarder le téléservice INSi", "Set and look at the INSi teleservice")
    observes: ClassVar[Observes] = {
        **OUTCOME,
        **{name: ValueMatcher() for name in ("people", "requests", "searches", "refusals", "last", "quirks")},
    }

    quirks: list[InsiQuirk] | None = Field(default=None, description="what real answers do against their own schema")
    authorised: list[str] | None = Field(default=None, max_length=20, description="authorisation numbers of software")
    add: dict[str, Any] | None = Field(default=None, description="a person, as in population.yaml")
    remove: str | None = Field(default=None, max_length=40, description="the id of a person")

    def do(self, act: Act, ins: InsBench) -> InsTold:
        """Set it, then look."""
        said = {"quirks": self.quirks, "software": self.authorised, "add": self.add, "remove": self.remove}
        try:
            ins.service.set_state({name: value for name, value in said.items() if value is not None})
        except ServiceError as error:
            raise ImpossibleStepError(in_both(error)) from None
        return InsTold(values=dict(ins.service.state()))


class SendToInsi(InsStep):
    """Send a request as no good client would: bytes as they are, or a right request broken in a named way."""

    name: ClassVar[str] = "send-to-insi"
    title: ClassVar[Text] = Text("Envoyer une demande hostile à INSi", "Send a hostile request to INSi")
    success: ClassVar[tuple[str, str] | None] = None
    observes: ClassVar[Observes] = {
        **OUTCOME,
        **{name: ValueMatcher() for name in ("http", "fault", "subcode", "erreur", "severity", "detail", "lang")},
    }

    body: Message | None = Field(default=None, description="the body as it is")
    forged: Forged | None = Field(default=None, description="a right request by the card, broken in this way")
    content_type: str = Field(
        default="application/soap+xml; charset=utf-8", max_length=200, description="the content type"
    )
    method: Literal["POST", "GET", "PUT", "DELETE"] = Field(default="POST", description="HTTP method")
    path: str = Field(default="/lps", max_length=200, description="path and query")
    holder_code: Code | None = Field(default=None, description="the code of the professional's card, to sign with")

    def do(self, act: Act, ins: InsBench) -> InsTold:
        """Send it."""
        from bifente.conformance.domains.ins.forging import forged

        if self.forged is not None:
            if self.holder_code is None:
                raise ImpossibleStepError(Text("il faut holder-code pour signer", "holder-code is needed to sign"))
            body = forged(self.forged, ins, self.holder_code)
        else:
            body = self.body or b""
        answer = ins.call(self.method, self.path, body, {"content-type": self.content_type})
        return InsTold(
            "answered", {"http": answer.status_code, **_fault(answer.headers.get("content-type"), answer.content)}
        )


def _fault(kind: str | None, content: bytes) -> dict[str, Any]:
    from bifente.simulator.formats.soap import SoapFaultError, fault_of, received

    try:
        found = fault_of(received(kind, content).envelope.content)
    except SoapFaultError:
        return {"fault": "none", "detail": content[:200].decode("utf-8", "replace")}
    if found is None:
        return {"fault": "none"}
    error = next((one for one in found.detail if one.tag == "{urn:siram}Erreur"), None)
    said = [" ".join(str(part) for part in one.itertext()) for one in found.detail]
    return {
        "fault": found.code.value,
        "subcode": found.subcodes[0].rpartition("}")[2] if found.subcodes else "none",
        "erreur": error.get("code") if error is not None else "none",
        "severity": error.get("severite") if error is not None else "none",
        "detail": " ".join(said) or "none",
        "reason": found.reason.fr,
    }


class JudgeInsiClient(InsStep):
    """Judge the conduct of whoever asked INSi in this scenario, from what the service received alone."""

    name: ClassVar[str] = "judge-insi-client"
    title: ClassVar[Text] = Text("Juger le client d'INSi", "Judge the client of INSi")
    success: ClassVar[tuple[str, str] | None] = ("findings", "")
    observes: ClassVar[Observes] = {**OUTCOME, "findings": ValueMatcher(), "requests": ValueMatcher()}

    def do(self, act: Act, ins: InsBench) -> InsTold:
        """Judge it."""
        from bifente.simulator.services.insi.conduct import judged

        events = ins.service.events
        found = judged(events)
        return InsTold(
            values={"findings": [one.rule.id for one in found], "requests": len(events)},
            decoded=tuple(
                (
                    Text(f"demande {one.request}", f"request {one.request}"),
                    Text.of("{} : {}", one.rule.says, one.rule.cure),
                )
                for one in found
            ),
        )
