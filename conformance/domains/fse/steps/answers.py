"""The body's front end, and what comes back from it: acknowledgements, payments, remarks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.fse.sheet_words import rejection_words
from bifente.conformance.domains.fse.steps.base import (
    DONE,
    DONE_OR_NOT,
    FseStep,
    StepTold,
    refused_by_rules,
)
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.scenario.step import Observes
from bifente.ground.text import Text
from bifente.simulator.cards.vitale.personalise import PersonalisedVitale
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import Arl, ArlKind, Rsp
from bifente.simulator.tarification.deadlines import Deadlines

if TYPE_CHECKING:
    from bifente.conformance.domains.fse.bench import FseBench


class FrontEnd(FseStep):
    """Set the front end up before it is first used (delays in days, parts from 0 to 1, what the body knows), and make
    or end its troubles at any time.
    """

    name: ClassVar[str] = "fse-front-end"
    title: ClassVar[Text] = Text("Régler le frontal de la caisse", "Set the body's front end up")

    trouble: Literal["front-end-down", "mailbox-full", "arl-late", "arl-missing", "none"] | None = Field(
        default=None, description="what it suffers from now on; none ends it"
    )
    rsp_days: int | None = Field(
        default=None, ge=0, le=365, description="days after which it tells what was paid (RSP)"
    )
    arl_days: int | None = Field(default=None, ge=0, le=365, description="how late a late ARL is")
    missing_lots: int | None = Field(
        default=None,
        ge=0,
        le=900,
        description="lot numbers that may be missing before one is ahead of its turn; usually 30",
    )
    encrypted_only: bool | None = Field(default=None, description="it refuses files that are not encrypted")
    bodies: list[str] | None = Field(default=None, description="numbers of the bodies it answers for, instead of all")
    real: bool = Field(default=False, description="a front end for real cards, not for test cards")
    rights_closed: bool = Field(default=False, description="the body knows the rights of the insured to be closed")
    contract_closed: bool = Field(default=False, description="the complementary insurer knows the member no more")
    alsace_moselle: bool = Field(default=False, description="the body counts the public holidays of Alsace-Moselle")
    paper_missing: bool = Field(default=False, description="the paper form of the next sheet never comes")
    signed_returns: bool = Field(default=False, description="the body signs its returns")
    treating_doctor: str | None = Field(
        default=None,
        pattern="^([0-9]{11})?$",
        description="RPPS number of the treating doctor that the body has on file, empty for none declared",
    )
    maternity: bool | None = Field(default=None, description="whether a pregnancy is declared to the body")
    specialty: str | None = Field(
        default=None, pattern="^[0-9]{2}$", description="code of the specialty that the body has of the professional"
    )
    agreements: list[str] | None = Field(
        default=None, max_length=9, description="exoneration codes that the body agreed to: ['3']"
    )
    accident_days: int | None = Field(
        default=None, ge=0, le=3650, description="so many days ago, by its declaration, the accident on the card was"
    )
    home_km: int | None = Field(
        default=None, ge=0, le=200, description="kilometres from the practice to the patient's home, as the body knows"
    )
    rejected: float | None = Field(
        default=None, ge=0, le=1, description="part of the sheets, drawn at random, that it does not pay"
    )
    partly_paid: float | None = Field(
        default=None, ge=0, le=1, description="part of the sheets, drawn at random, that it pays in part"
    )

    def do(self, act: Act, fse: FseBench) -> StepTold:
        """Set it up."""
        simple = ("missing_lots", "encrypted_only", "rejected", "partly_paid")
        given: dict[str, Any] = {name: value for name in simple if (value := getattr(self, name)) is not None}
        given |= {"rsp_delay": timedelta(days=self.rsp_days)} if self.rsp_days is not None else {}
        given |= {"arl_delay": timedelta(days=self.arl_days)} if self.arl_days is not None else {}
        given |= {"bodies": frozenset(self.bodies)} if self.bodies is not None else {}
        given |= {"test": False} if self.real else {}
        given |= {"deadlines": Deadlines(alsace_moselle=True)} if self.alsace_moselle else {}
        nirs = {str(card.facts["nir"]) for card in act.bench.seated.values() if card.made_as(PersonalisedVitale)}
        given |= (
            {"closed_rights": dict.fromkeys(nirs, fse.days.today - timedelta(days=30))} if self.rights_closed else {}
        )
        given |= {"closed_contracts": fse.relying_party.members} if self.contract_closed else {}
        given |= {"papers_missing": frozenset(range(1, 100))} if self.paper_missing else {}
        if self.treating_doctor is not None:
            fse.front_end.reference.declared = self.treating_doctor
        if self.maternity is not None:
            fse.front_end.reference.pregnancy = self.maternity
        if self.specialty is not None:
            fse.front_end.reference.specialty = self.specialty
        if self.agreements is not None:
            fse.front_end.reference.agreed = frozenset(self.agreements)
        if self.accident_days is not None:
            fse.front_end.reference.accident_day = fse.days.today - timedelta(days=self.accident_days)
        if self.home_km is not None:
            fse.front_end.reference.distance = self.home_km
        if given or self.signed_returns:
            fse.front_end.set_up(given)
            fse.front_end.signs_returns = fse.front_end.signs_returns or self.signed_returns
        if self.trouble is not None:
            fse.front_end.trouble(None if self.trouble == "none" else self.trouble)
            word = "aucun trouble" if self.trouble == "none" else self.trouble
            act.scene.changed(None, Text(f"frontal : {word}", f"front end: {self.trouble}"))
        return StepTold({})


class Receive(FseStep):
    """Take what has come back and apply it: ARLs (positive, negative) and RSPs. Late ARLs whose time has come are sent
    first. ``refused``: returns that could not be applied; ``answered``: every reason
    that the front end ever gave, to whoever it was.
    """

    name: ClassVar[str] = "fse-receive"
    title: ClassVar[Text] = Text("Relever les retours", "Take the returns")
    observes: ClassVar[Observes] = {
        name: ValueMatcher()
        for name in (
            *("positive", "negative", "rsps", "reasons", "rejected", "lots", "outcomes", "asked", "paid"),
            *("payers", "return-ids", "refused", "why-refused", "total", "unlike", "answered"),
        )
    }

    def answers(self, fse: FseBench) -> tuple[Arl | Rsp, ...]:
        """What came."""
        return fse.receive()

    def do(self, act: Act, fse: FseBench) -> StepTold:
        """Take them."""
        answers = self.answers(fse)
        arls = [one for one in answers if isinstance(one, Arl)]
        rsps = [one for one in answers if isinstance(one, Rsp)]
        lines = [line for rsp in rsps for line in rsp.lines]
        rejections = [one for arl in arls for one in arl.rejections]
        rejections += [line.rejection for line in lines if line.rejection is not None]
        refused = fse.software.office.store.returns("refused")
        values = {
            "positive": sum(arl.kind is ArlKind.POSITIVE for arl in arls),
            "negative": sum(arl.kind is ArlKind.NEGATIVE for arl in arls),
            "rsps": len(rsps),
            "reasons": list(dict.fromkeys(one.code for one in rejections)),
            "rejected": sorted({one.invoice for one in rejections if one.invoice is not None}),
            "lots": [arl.lot for arl in arls],
            "outcomes": [line.outcome.value for line in lines],
            "payers": [line.payer for line in lines],
            "asked": sum(line.asked for line in lines),
            "paid": sum(line.transferred for line in lines),
            "total": sum(rsp.total for rsp in rsps),
            "return-ids": [one.return_id for one in answers],
            "unlike": len({one.return_id for one in answers}),
            "answered": fse.front_end.answered(),
            "refused": len(refused),
            "why-refused": "; ".join(row.reason for row in refused) or None,
        }
        told = tuple(("motif", rejection_words(one)) for one in rejections)
        answer = {"arl": f"+{values['positive']} -{values['negative']}", "rsp": str(len(rsps))}
        return StepTold(values, DONE, answer, told)


class Settle(Receive):
    """The computer centre sends the returns on payments whose time has come (RSP), and the practice takes them."""

    name: ClassVar[str] = "fse-settle"
    title: ClassVar[Text] = Text("Recevoir les retours de paiement", "Take the returns on payments")

    def answers(self, fse: FseBench) -> tuple[Arl | Rsp, ...]:
        """What came."""
        return fse.receive(settle=True)


class ChangeBodyKey(FseStep):
    """Let the body change the key that files for it are encrypted with, or the practice take its new certificate.

    A file for the key before is refused: 4015 in the field.
    """

    name: ClassVar[str] = "fse-body-key"
    title: ClassVar[Text] = Text("Changer la clé de l'organisme", "Change the body's key")
    shorthand: ClassVar[str] = "what"

    what: Literal["changed", "changed-and-told", "told"] = Field(
        description="it changed, the practice knows the new one as well, or it takes that now"
    )

    def do(self, act: Act, fse: FseBench) -> StepTold:
        """Change it."""
        if self.what == "told":
            fse.post.learn_body_key()
        else:
            fse.post.change_body_key(told=self.what == "changed-and-told")
        act.scene.changed(None, Text("la clé de l'organisme a changé", "the body's key has changed"))
        return StepTold({})


class TellPayment(FseStep):
    """Have the body say something more of the last payment that it told: the same once more, that it is rejected after
    all, or that it is taken back. Somebody else may say it too (``forged``), who has not the body's key.
    """

    name: ClassVar[str] = "fse-tell-payment"
    title: ClassVar[Text] = Text("Redire un paiement", "Tell of a payment again")
    shorthand: ClassVar[str] = "what"
    success = ("outcome", DONE)
    observes: ClassVar[Observes] = dict(DONE_OR_NOT)

    what: Literal["again", "rejected", "taken-back"] = Field(description="what is said of it")
    forged: bool = Field(default=False, description="said by somebody else in the body's name")

    def do(self, act: Act, fse: FseBench) -> StepTold:
        """Say it."""
        try:
            fse.say_of_payment(self.what, forged=self.forged)
        except FseError as error:
            return refused_by_rules(error)
        return StepTold({"outcome": DONE, "reason": None}, DONE)


class Remarks(FseStep):
    """What the front end noted of the practice's sheets without refusing them: those that were late."""

    name: ClassVar[str] = "fse-remarks"
    title: ClassVar[Text] = Text("Lire les remarques du frontal", "Read the front end's remarks")
    observes: ClassVar[Observes] = {"remarks": ValueMatcher(), "sheets": ValueMatcher()}

    def do(self, act: Act, fse: FseBench) -> StepTold:
        """Read them."""
        found = fse.front_end.frontal.remarks(fse.software.office.store.sender)
        return StepTold({"remarks": [one.code for one in found], "sheets": [one.invoice for one in found]})
