"""What happens around the software: the patient's wishes, the block list, the line; and what is seen in the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.dmp.steps.base import NONE, DmpStep, DmpTold
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.scenario.step import ImpossibleStepError, Observes
from bifente.ground.text import Text
from bifente.simulator.formats.xds.model import Confidentiality
from bifente.simulator.formats.xds.names import DocumentStatus
from bifente.simulator.services.dmp.documents import StoredDocument

if TYPE_CHECKING:
    from bifente.conformance.domains.dmp.bench import DmpBench


class DmpPatientActs(DmpStep):
    """What the patient does beside the practice: opposes, blocks, closes Mon espace santé, puts a document in."""

    name: ClassVar[str] = "dmp-patient-acts"
    title: ClassVar[Text] = Text("Le patient agit sur son DMP", "The patient acts on the DMP")
    shorthand: ClassVar[str] = "act"
    success: ClassVar[None] = None

    act: Literal[
        "oppose-bris-de-glace",
        "oppose-urgency",
        "allow-masked-in-urgency",
        "allow-archive-when-closed",
        "block-user",
        "block-structure",
        "unblock-user",
        "close-mes",
        "lose-certification",
        "put-document",
        "treating-doctor",
    ] = Field(description="what; treating-doctor declares the user who is at work")

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Do it."""
        record = bench.record
        match self.act:
            case "oppose-bris-de-glace":
                record.wishes.opposes_bris_de_glace = True
            case "oppose-urgency":
                record.wishes.opposes_urgency = True
            case "allow-masked-in-urgency":
                record.wishes.masked_in_urgency = True
            case "allow-archive-when-closed":
                record.wishes.archive_when_closed = True
            case "block-user":
                record.authorisations.block(bench.user.id)
            case "block-structure":
                record.authorisations.block(bench.user.structure)
            case "unblock-user":
                record.authorisations.unblock(bench.user.id)
            case "close-mes":
                record.close_mes()
            case "lose-certification":
                record.certified = False
            case "treating-doctor":
                record.authorisations.add(bench.user.id)
                record.authorisations.declare_treating(bench.user.id)
            case "put-document":
                _last(bench).by_patient = True
        act.scene.changed(None, Text(f"le patient : {self.act}", f"the patient: {self.act}"))
        return DmpTold()


class DmpLook(DmpStep):
    """What the record holds, what patient and representatives see of it, what was traced and told to the patient."""

    name: ClassVar[str] = "dmp-look"
    title: ClassVar[Text] = Text("Regarder le DMP du laboratoire", "Look at the laboratory's DMP")
    success: ClassVar[None] = None
    observes: ClassVar[Observes] = {
        name: ValueMatcher()
        for name in (
            *("documents", "current", "obsolete", "archived", "deleted", "masked", "open"),
            *("patient-sees", "representatives-see", "traces", "traces-for-representatives", "notices", "last-mode"),
            *("last-reason", "authorisation", "treating", "last-action"),
        )
    }

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Look."""
        record = bench.record
        documents = [one for one in record.shelf if one.entry.type_code.code != "E1762"]
        states = [one.entry.status for one in documents]
        last = record.traces[-1] if record.traces else None
        user = bench.clients[-1].user if bench.clients else None
        parties = (user.id, user.structure) if user is not None else ()
        return DmpTold(
            {
                "documents": len(documents),
                "current": states.count(DocumentStatus.APPROVED),
                "obsolete": states.count(DocumentStatus.DEPRECATED),
                "archived": states.count(DocumentStatus.ARCHIVED),
                "deleted": states.count(DocumentStatus.DELETED),
                "masked": sum(Confidentiality.MASKED in one.entry.codes for one in documents),
                "open": record.open,
                "patient-sees": len(record.seen_by_patient()),
                "representatives-see": len(record.seen_by_representatives()),
                "traces": len(record.traces),
                "traces-for-representatives": len(record.traces_for_representatives()),
                "notices": len(record.notices),
                "last-mode": last.mode.value if last else NONE,
                "last-reason": last.reason if last else NONE,
                "last-action": last.action if last else NONE,
                "authorisation": record.authorisations.state(*parties).value,
                "treating": user is not None and user.id in record.authorisations.treating,
            }
        )


class DmpLineStep(DmpStep):
    """Shape the line to the DMP: latency, throughput, how long the software waits, answers that are lost."""

    name: ClassVar[str] = "dmp-line"
    title: ClassVar[Text] = Text("Régler la ligne vers le DMP", "Shape the line to the DMP")
    success: ClassVar[None] = None

    latency: float | None = Field(default=None, ge=0, le=600, description="seconds, both ways together")
    mbps: float | None = Field(default=None, gt=0, le=10_000, description="megabits a second")
    patience: float | None = Field(default=None, gt=0, le=3_600, description="seconds the software waits for an answer")
    down: bool | None = Field(default=None, description="cut")
    answers_lost: int | None = Field(default=None, ge=0, le=100, description="so many next answers never come back")

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Shape it."""
        line = bench.connected.caller
        for name in ("latency", "mbps", "patience", "down", "answers_lost"):
            if (value := getattr(self, name)) is not None:
                setattr(line, name, value)
        return DmpTold()


class DmpJudge(DmpStep):
    """Judge a client by what the service recorded: order, choices, doubles. Each finding is a rule that was broken."""

    name: ClassVar[str] = "dmp-judge"
    title: ClassVar[Text] = Text("Juger le logiciel d'après le DMP", "Judge the software by the DMP")
    success: ClassVar[None] = None
    observes: ClassVar[Observes] = {"findings": ValueMatcher(), "calls": ValueMatcher()}

    identities: list[str] | None = Field(
        default=None, max_length=100, description="numbers that INSi gave to the software; not looked at by default"
    )

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Judge."""
        from bifente.simulator.services.dmp.judging import findings

        found = findings(bench.service, self.identities)
        return DmpTold({"findings": [one.rule for one in found], "calls": len(bench.service.log)})


def _last(bench: DmpBench) -> StoredDocument:
    documents = [one for one in bench.record.shelf if one.entry.type_code.code != "E1762"]
    if not documents:
        raise ImpossibleStepError(Text("le DMP n'a pas de document", "the DMP holds no document"))
    return documents[-1]
