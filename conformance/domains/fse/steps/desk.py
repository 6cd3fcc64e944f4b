"""The practice's desk: how a sheet stands, what there is to do, what is done by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.fse.sheet_words import MODES, STATES
from bifente.conformance.domains.fse.steps.base import (
    DONE,
    DONE_OR_NOT,
    FseStep,
    StepTold,
    refused_by_rules,
    seen_of,
)
from bifente.conformance.expectations import ChoiceMatcher, ValueMatcher
from bifente.conformance.scenario.step import Observes
from bifente.ground.text import Text
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import PaymentOutcome, SheetState

if TYPE_CHECKING:
    from bifente.conformance.domains.fse.bench import FseBench


class LookAtSheet(FseStep):
    """How a sheet stands in the practice's store, by default the last one made; what each payer said of it."""

    name: ClassVar[str] = "fse-look"
    title: ClassVar[Text] = Text("Consulter la feuille", "Look at the sheet")
    shorthand: ClassVar[str] = "sheet"
    observes: ClassVar[Observes] = {
        "state": ChoiceMatcher(frozenset(state.value for state in SheetState)),
        **{name: ValueMatcher() for name in ("number", "kept", "why", "lot", "closed", "paid", "outcomes", "rates")},
        **{
            name: ValueMatcher()
            for name in ("amo", "amc", "total", "patient", "task", "task-words", "urgency", "days-left")
        },
    }

    sheet: int | None = Field(default=None, ge=1, description="its number, by default that of the last one")

    def do(self, act: Act, fse: FseBench) -> StepTold:
        """Look."""
        invoice = fse.software.sheet(self.sheet)
        row = fse.software.office.store.sheet(invoice.number)
        payments = fse.software.office.store.payments(invoice.number)
        task = next((one for one in fse.software.office.practice.work_list() if one.number == invoice.number), None)
        values = {
            **{name: value for name, value in seen_of(invoice).items() if name in self.observes},
            "number": invoice.number,
            "state": row.state.value,
            "kept": row.content is not None,
            "why": row.reason or None,
            "lot": row.lot or None,
            "closed": row.closed is not None,
            "paid": sum(one.paid for one in payments if one.outcome is not PaymentOutcome.REVERSED),
            "outcomes": [one.outcome.value for one in payments],
            "task": None if task is None else task.kind.value,
            "task-words": None if task is None else task.reason.fr,
            "urgency": None if task is None else task.urgency.value,
            "days-left": None if task is None else (task.deadline - fse.days.today).days,
        }
        told: tuple[tuple[str, str | Text], ...] = (
            ("état", Text.of("{}, {}", STATES[row.state], MODES[invoice.mode])),
        )
        if task is not None:
            told = (*told, ("à faire", Text.of("{} ({})", task.reason, task.deadline)))
        return StepTold(values, row.state.value, {"number": str(invoice.number)}, told)


class WorkList(FseStep):
    """What there is to do today: the kinds of the lines, those that are due, those that are too late."""

    name: ClassVar[str] = "fse-work-list"
    title: ClassVar[Text] = Text("Consulter la liste de travail", "Look at the work list")
    observes: ClassVar[Observes] = {name: ValueMatcher() for name in ("kinds", "due", "overdue", "waiting", "sheets")}

    def do(self, act: Act, fse: FseBench) -> StepTold:
        """Look."""
        tasks = fse.software.office.practice.work_list()
        values = {
            "kinds": [task.kind.value for task in tasks],
            "sheets": [task.number for task in tasks],
            **{
                urgency: [task.kind.value for task in tasks if task.urgency.value == urgency]
                for urgency in ("due", "overdue", "waiting")
            },
        }
        told = tuple((f"{task.deadline}", task.reason) for task in tasks)
        return StepTold(values, DONE, {"lines": str(len(tasks))}, told)


class ActAtDesk(FseStep):
    """Something done at the desk: a sheet or a file given up and printed on paper, its document sent or not, doubles
    forgotten that were kept long enough, a payment in part looked at, a claim (DRE) made or cancelled. ``refused``
    where it may not be done. A document that is sent arrives at the body.
    """

    name: ClassVar[str] = "fse-desk"
    title: ClassVar[Text] = Text("Agir au bureau", "Act at the desk")
    shorthand: ClassVar[str] = "action"
    success = ("outcome", DONE)
    observes: ClassVar[Observes] = {**DONE_OR_NOT, "count": ValueMatcher()}

    action: Literal[
        "give-up",
        "give-up-file",
        "printed",
        "document-sent",
        "document-failed",
        "payment-examined",
        "purge",
        "claim",
        "cancel-claim",
    ] = Field(description="what is done, by its name")
    sheet: int | None = Field(
        default=None, ge=1, description="number of the sheet it concerns, by default that of the last one"
    )
    claim: int = Field(default=1, ge=1, description="with cancel-claim: number of the claim")

    def do(self, act: Act, fse: FseBench) -> StepTold:
        """Do it."""
        try:
            number = fse.software.sheet(self.sheet).number
            count = fse.software.office.act(self.action, number, self.claim)
        except FseError as error:
            return refused_by_rules(error, count=0)
        if self.action == "document-sent":
            fse.front_end.frontal.paper_arrived(fse.software.office.store.sender, number)
        return StepTold({"outcome": DONE, "reason": None, "count": count}, DONE, {"count": str(count)})
