"""Care sheets (FSE) as the billing software of the workstation handles them: made, signed, sent, acknowledged, paid."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from conformance.bench.scene import Act
from conformance.expectations import ChoiceMatcher, Matcher, ValueMatcher
from conformance.expectations.ssv_code import SsvCodeMatcher, code_in_words
from conformance.judgement.sheet_words import MODES, STATES, euros, rejection_words
from conformance.model import CardChoice
from conformance.steps.base import Code, Observation, Observes, Step, kebab
from conformance.targets.base import Capability, GuardRefusalError
from conformance.targets.pkcs11 import Called
from reports.masking import MARK
from reports.text import Text
from simulator.fse.errors import FseError
from simulator.fse.files import file_profiles
from simulator.fse.making import Care
from simulator.fse.model import Arl, ArlKind, Insurance, Invoice, Payment, Rsp, SecuringMode, Signer, State
from simulator.fse.pricing import ActRequest
from simulator.fse.securing import SecuringError, lacking
from simulator.fse.tables import ACTS
from simulator.fse.transport import Direction, disturbances
from simulator.middleware.codes import SsvCode, SsvError
from simulator.middleware.return_codes import return_codes

if TYPE_CHECKING:
    from conformance.bench.fse import FseBench

CODE: Mapping[str, Matcher] = {"code": SsvCodeMatcher(), "refusal": ValueMatcher(), "reason": ValueMatcher()}
"""Of a step that asks something of the cards: the return code, and what was refused beyond it."""
SIGNED: Mapping[str, Matcher] = {
    **CODE,
    "number": ValueMatcher(),
    "insured": ValueMatcher(),
    "professional": ValueMatcher(),
    "problems": ValueMatcher(),
    "state": ChoiceMatcher(frozenset(state.value for state in State)),
}
MADE, BLOCKED, IMPOSSIBLE, DONE, REFUSED = "made", "blocked", "impossible", "done", "refused"
DONE_OR_NOT: Mapping[str, Matcher] = {
    "outcome": ChoiceMatcher(frozenset({DONE, REFUSED})),
    "reason": ValueMatcher(),
}


@dataclass(frozen=True, slots=True)
class Told:
    """What a step saw, and how the record tells it: the result in words, the answer, pairs for a reader."""

    values: Mapping[str, Any]
    result: str = DONE
    answer: Mapping[str, str] = field(default_factory=dict)
    decoded: tuple[tuple[str, str], ...] = ()


class FseStep(Step, ABC):
    """Something that the billing software or the front end does; the record keeps it as a call with its meaning."""

    needs = frozenset({Capability.APDU, Capability.PERSONALISATION})

    def run(self, act: Act) -> Observation:
        """Do it; where nothing was made yet to do it with, the scenario cannot go on."""
        start = time.perf_counter()
        try:
            told = self.do(act, act.scene.fse)
        except FseError as error:
            raise GuardRefusalError(Text.same(str(error))) from None
        seconds = time.perf_counter() - start
        call = Called(self.name, self.arguments_told(), told.result, told.answer, seconds)
        act.scene.told(act.role, call)
        return Observation(told.values, told.decoded)

    @abstractmethod
    def do(self, act: Act, fse: FseBench) -> Told:
        """Do it. Raises GuardRefusalError where this bench cannot."""

    def arguments_told(self) -> Mapping[str, str]:
        """The arguments as the record shows them, codes masked."""
        secret = self.secrets()
        given = {kebab(name): getattr(self, name) for name in self.model_fields_set}
        return {name: MARK if name in secret else _plain(value) for name, value in given.items()}


def _plain(value: Any) -> str:
    if isinstance(value, BaseModel):
        return " ".join(f"{kebab(name)} {_plain(getattr(value, name))}" for name in sorted(value.model_fields_set))
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    return str(value.value if hasattr(value, "value") else value)


def _code_told(code: int) -> tuple[tuple[str, str], ...]:
    known = return_codes().get(code)
    if known is None or not code:
        return ()
    told = [("code", f"{known.hex} ({code}) : {known.meaning.fr}")]
    told += [(word, said.fr) for word, said in (("cause", known.cause), ("remède", known.remedy)) if said]
    return tuple(told)


def _refused_by_card(error: SsvError, **values: Any) -> Told:
    refusal = error.refusal if isinstance(error, SecuringError) else None
    reason = refusal.sentence.en if refusal else error.detail
    observed = {"code": error.code, "refusal": refusal.value if refusal else None, "reason": reason, **values}
    decoded = (*_code_told(error.code), *((("refus", refusal.sentence.fr),) if refusal else ()))
    return Told(observed, code_in_words(error.code), {"detail": error.detail} if error.detail else {}, decoded)


def _refused_by_rules(error: FseError, **values: Any) -> Told:
    return Told(
        {"outcome": REFUSED, "reason": str(error), **values}, REFUSED, {"reason": str(error)}, (("refus", str(error)),)
    )


# -- the software and the day -----------------------------------------------------------------------------------------


def _profile(name: str) -> str:
    if name not in file_profiles():
        raise ValueError(f"no such profile; known: {', '.join(file_profiles())}")
    return name


class Software(FseStep):
    """Choose how the billing software sends, before its first sheet: the profile of its files (1.40 encrypts them),
    in process or by mail (SMTP on the loopback), and other deadlines than the usual ones, in days.
    """

    name: ClassVar[str] = "fse-software"
    title: ClassVar[Text] = Text("Régler le logiciel de facturation", "Set the billing software up")

    profile: Annotated[str, AfterValidator(_profile)] = "1.40"
    transport: Literal["in-process", "mail"] = "in-process"
    deadlines: dict[str, Annotated[int, Field(ge=0, le=3660)]] = Field(
        default_factory=dict, description="days by the name of a deadline, e.g. {retransmit: 3}"
    )

    def do(self, act: Act, fse: FseBench) -> Told:
        """Set it up."""
        fse.profile, fse.mail = self.profile, self.transport == "mail"
        try:
            fse.rules = fse.rules.changed(**{name.replace("-", "_"): days for name, days in self.deadlines.items()})
        except ValueError as error:
            raise GuardRefusalError(Text.same(str(error))) from None
        return Told({})


class Wait(FseStep):
    """Let days pass until nine o'clock of another one: so many days, so many working days, or the day before the next
    public holiday that falls on a working day of the week.
    """

    name: ClassVar[str] = "fse-wait"
    title: ClassVar[Text] = Text("Laisser passer des jours", "Let days pass")
    needs = frozenset({Capability.APDU, Capability.PERSONALISATION, Capability.CLOCK})
    observes: ClassVar[Observes] = {"today": ValueMatcher(), "days": ValueMatcher()}

    days: int | None = Field(default=None, ge=1, le=400)
    working_days: int | None = Field(default=None, ge=1, le=100)
    until: Literal["day-before-a-holiday"] | None = None

    @model_validator(mode="after")
    def _one(self) -> Wait:
        if sum(given is not None for given in (self.days, self.working_days, self.until)) != 1:
            raise ValueError("say how long: days, working-days or until, one of them")
        return self

    def do(self, act: Act, fse: FseBench) -> Told:
        """Wait."""
        before = fse.today
        if self.days is not None:
            day = before + timedelta(days=self.days)
        elif self.working_days is not None:
            day = fse.working_days(self.working_days)
        else:
            day = fse.day_before_a_holiday()
        fse.wait_until(day)
        act.scene.changed(None, Text(f"on est le {fse.today}", f"it is {fse.today}"))
        return Told({"today": str(fse.today), "days": (fse.today - before).days})


class ChangeCard(FseStep):
    """Take the card of the step's slot out and put another one in, made from a template."""

    name: ClassVar[str] = "fse-change-card"
    title: ClassVar[Text] = Text("Présenter une autre carte", "Present another card")
    shorthand: ClassVar[str] = "card"
    needs = frozenset({Capability.APDU, Capability.PERSONALISATION, Capability.INSERTION, Capability.VIRTUAL})

    card: str | CardChoice

    @classmethod
    def cards(cls, raw: Any) -> tuple[CardChoice, ...]:
        """The card presented."""
        card = cls.arguments(raw).get("card")
        choice = CardChoice(template=card) if isinstance(card, str) else CardChoice.model_validate(card)
        return () if choice.template.startswith("$") else (choice,)

    def do(self, act: Act, fse: FseBench) -> Told:
        """Change it."""
        choice = CardChoice(template=self.card) if isinstance(self.card, str) else self.card
        fse.present(act.role, choice)
        act.scene.changed(act.role, Text(f"carte {choice.label} présentée", f"card {choice.label} presented"))
        return Told({})

    def arguments_told(self) -> Mapping[str, str]:
        """The template."""
        return {"card": self.card if isinstance(self.card, str) else self.card.label}


# -- making -----------------------------------------------------------------------------------------------------------


class ReadCards(FseStep):
    """Read the professional's card and the Vitale (or the phone's context) by the SSV functions, for sheets to come.

    ``code`` is the first of both functions' codes that is not 0: what was read before is forgotten then.
    """

    name: ClassVar[str] = "fse-read-cards"
    title: ClassVar[Text] = Text("Lire les deux cartes pour facturer", "Read both cards for billing")
    shorthand: ClassVar[str] = "code"
    success = ("code", "0")
    observes: ClassVar[Observes] = {
        "code": SsvCodeMatcher(),
        "ps-code": SsvCodeMatcher(),
        "vitale-code": SsvCodeMatcher(),
    }

    code: Code
    phone: bool = Field(default=False, description="read the apCV context in use instead of the card")

    def do(self, act: Act, fse: FseBench) -> Told:
        """Read them."""
        try:
            reading = fse.read(self.code, phone=self.phone)
        except SsvError as error:
            return Told(dict.fromkeys(self.observes, error.code), code_in_words(error.code), {}, _code_told(error.code))
        code = reading.ps.code or reading.vitale.code
        values = {"code": code, "ps-code": reading.ps.code, "vitale-code": reading.vitale.code}
        return Told(values, code_in_words(code), {}, _code_told(code))


def _decimal(value: Any) -> Any:
    try:
        return Decimal(str(value)) if isinstance(value, str | int | float) and not isinstance(value, bool) else value
    except InvalidOperation:
        raise ValueError("a number is expected, such as 4 or 1.5") from None


class ActModel(BaseModel):
    """One act: its code, and what the table does not say. ``unit`` and ``amount`` are in cents."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=kebab, validate_by_name=False)

    code: str = Field(max_length=16)
    quantity: int = Field(default=1, ge=0, le=99)
    coefficient: Annotated[
        Decimal, BeforeValidator(_decimal), WithJsonSchema({"type": ["number", "string"]}), Field(ge=0, le=10_000)
    ] = Decimal(1)
    unit: int | None = Field(default=None, ge=0, le=10_000_000, description="unit price of an act without tariff")
    amount: int | None = Field(default=None, ge=0, le=100_000_000, description="what is asked for the line")


class Make(FseStep):
    """Make a sheet of what was read; ``blocked`` by a rule or ``impossible`` for want of data, it takes no number.

    Acts are of the day ``days-ago``. Where acts want a care path, T is told unless another is. ``dated: false`` leaves
    out the date of an accident or of a pregnancy; ``recycle`` makes it anew under the number of a rejected sheet.
    """

    name: ClassVar[str] = "fse-make"
    title: ClassVar[Text] = Text("Faire une feuille de soins", "Make a care sheet")
    shorthand: ClassVar[str] = "acts"
    success = ("outcome", MADE)
    observes: ClassVar[Observes] = {
        "outcome": ChoiceMatcher(frozenset({MADE, BLOCKED, IMPOSSIBLE})),
        "reason": ValueMatcher(),
        "blocks": ValueMatcher(),
        "warnings": ValueMatcher(),
        "number": ValueMatcher(),
        **{name: ValueMatcher() for name in ("total", "amo", "amc", "patient", "body", "regime", "mode", "proof")},
        **{name: ValueMatcher() for name in ("nomenclatures", "rates", "quality", "nir", "phone", "ald", "c2s")},
        "state": ChoiceMatcher(frozenset(state.value for state in State)),
    }

    acts: list[ActModel] = Field(max_length=99)
    payment: Payment = Payment.DIRECT
    mode: SecuringMode = SecuringMode.SECURED
    insurance: Insurance = Insurance.MALADIE
    situation: int = Field(default=1, ge=0, le=99)
    beneficiary: int = Field(default=1, ge=0, le=99, description="rank on the card, from 1")
    care_path: str | None = Field(default=None, max_length=2)
    prescribed: bool | None = Field(default=None, description="by the laboratory's prescriber; by default if wanted")
    dated: bool = True
    days_ago: int = Field(default=0, ge=-400, le=4000)
    rectifies: int | None = Field(default=None, ge=1)
    paper: bool = Field(default=True, description="the signed paper form of a degraded sheet is at hand")
    recycle: int | None = Field(default=None, ge=1, description="number of the rejected sheet it replaces")

    def do(self, act: Act, fse: FseBench) -> Told:
        """Make it."""
        from conformance.bench.fse import PRESCRIBER, Order

        day = fse.today - timedelta(days=self.days_ago)
        kinds = [ACTS[one.code] for one in self.acts if one.code in ACTS]
        path = "T" if any(kind.care_path for kind in kinds) else ""
        prescribed = any(kind.prescribed for kind in kinds) if self.prescribed is None else self.prescribed
        care = Care(
            insurance=self.insurance,
            payment=self.payment,
            care_path=path if self.care_path is None else self.care_path,
            prescriber=PRESCRIBER if prescribed else None,
            prescribed_on=day if prescribed else None,
            accident_on=day - timedelta(days=3) if self.insurance is Insurance.AT_MP and self.dated else None,
            pregnancy_on=day - timedelta(days=90) if self.insurance is Insurance.MATERNITE and self.dated else None,
            rectifies=self.rectifies,
        )
        acts = tuple(
            ActRequest(one.code, day, one.quantity, one.coefficient, one.unit, one.amount) for one in self.acts
        )
        order = Order(acts, care, day, self.situation, self.beneficiary, self.mode, self.paper, self.recycle)
        try:
            made = fse.make(order)
        except FseError as error:
            nothing = dict.fromkeys(self.observes)
            values: dict[str, Any] = {
                **nothing,
                "outcome": IMPOSSIBLE,
                "reason": str(error),
                "number": 0,
                "blocks": [],
                "warnings": [],
            }
            return Told(values, IMPOSSIBLE, {"reason": str(error)}, (("impossible", str(error)),))
        blocks = [finding.code for finding in made.findings if finding.severity.value == "block"]
        warnings = [finding.code for finding in made.findings if finding.severity.value == "warn"]
        outcome = BLOCKED if made.blocked else MADE
        invoice = made.invoice
        seen = {
            **_seen(invoice),
            "outcome": outcome,
            "reason": None,
            "blocks": blocks,
            "warnings": warnings,
            "number": 0 if made.blocked else invoice.number,
            "state": None if made.blocked else fse.store.sheet(invoice.number).state.value,
        }
        decoded = (
            ("total", euros(invoice.total).fr),
            ("part AMO", euros(invoice.amo.asked).fr),
            ("part AMC", euros(invoice.amc.asked).fr),
            *(("bloque" if one.severity.value == "block" else "avertit", one.sentence.fr) for one in made.findings),
        )
        answer = {"number": str(seen["number"]), **({"blocks": ", ".join(blocks)} if blocks else {})}
        return Told(seen, outcome, answer, decoded)


def _seen(invoice: Invoice) -> dict[str, Any]:
    return {
        "total": invoice.total,
        "amo": invoice.amo.asked,
        "amc": invoice.amc.asked,
        "patient": invoice.patient,
        "body": invoice.body,
        "regime": invoice.body[:2],
        "mode": int(invoice.mode),
        "proof": invoice.proof.value,
        "nomenclatures": [act.nomenclature.value for act in invoice.acts],
        "rates": [act.rate for act in invoice.acts],
        "quality": invoice.beneficiary.quality,
        "nir": invoice.beneficiary.nir,
        "phone": invoice.beneficiary.apcv,
        "ald": invoice.beneficiary.ald,
        "c2s": invoice.beneficiary.c2s,
    }


# -- signing ----------------------------------------------------------------------------------------------------------


class _SigningStep(FseStep, ABC):
    """A step that signs a sheet, by default the last one made; it succeeds with the code 0."""

    shorthand: ClassVar[str] = "code"
    success = ("code", "0")
    observes: ClassVar[Observes] = SIGNED

    code: Code
    sheet: int | None = Field(default=None, ge=1, description="its number, by default that of the last one")

    def do(self, act: Act, fse: FseBench) -> Told:
        """Sign it."""
        try:
            number = fse.sheet(self.sheet).number
        except FseError as error:
            return Told({"code": SsvCode.BAD_INPUT, "refusal": None, "reason": str(error)}, REFUSED)
        try:
            self.sign(fse, number)
        except SsvError as error:
            return _refused_by_card(error, **_signed(fse, number))
        except FseError as error:
            return Told(
                {"code": SsvCode.BAD_INPUT, "refusal": None, "reason": str(error), **_signed(fse, number)}, REFUSED
            )
        seen = _signed(fse, number)
        told = tuple(("contrôle", problem) for problem in seen["problems"])
        return Told({"code": SsvCode.OK, "refusal": None, "reason": None, **seen}, code_in_words(0), {}, told)

    @abstractmethod
    def sign(self, fse: FseBench, number: int) -> None:
        """Sign it. Raises SsvError, FseError."""


def _signed(fse: FseBench, number: int) -> dict[str, Any]:
    """How a sheet stands: its signatures, what a relying party has against it, its state at the practice."""
    secured = fse.secured.get(number)
    problems = [] if secured is None else fse.verifier.verify(secured, fse.now)
    return {
        "number": number,
        "insured": secured is not None and secured.insured is not None,
        "professional": secured is not None and secured.professional is not None,
        "problems": [problem.code for problem in problems],
        "state": fse.store.sheet(number).state.value,
    }


class Secure(_SigningStep):
    """Have a sheet signed by every card that its mode wants, the insured's first; ``paper`` as the mode wants it."""

    name: ClassVar[str] = "fse-secure"
    title: ClassVar[Text] = Text("Sécuriser la feuille", "Secure the sheet")

    paper: bool | None = Field(default=None, description="a form signed on paper goes along (degraded)")

    def sign(self, fse: FseBench, number: int) -> None:
        """Sign it."""
        wanted = fse.sheet(number).mode is SecuringMode.DEGRADED
        fse.sign(number, self.code, paper=wanted if self.paper is None else self.paper)


class SignAsInsured(_SigningStep):
    """The insured's signature of a desynchronised sheet; the professional's may be there already, or come later."""

    name: ClassVar[str] = "fse-sign-as-insured"
    title: ClassVar[Text] = Text("Signer par la Vitale", "Sign with the Vitale")

    def sign(self, fse: FseBench, number: int) -> None:
        """Sign it."""
        fse.sign(number, self.code, whose=Signer.INSURED)


class SignAsProfessional(_SigningStep):
    """The professional's signature of a desynchronised sheet; the insured's may be there already, or come later."""

    name: ClassVar[str] = "fse-sign-as-professional"
    title: ClassVar[Text] = Text("Signer par la CPS", "Sign with the CPS")

    def sign(self, fse: FseBench, number: int) -> None:
        """Sign it."""
        fse.sign(number, self.code, whose=Signer.PROFESSIONAL)


class SecureAll(FseStep):
    """Secure every sheet that waits for it, the code presented once; the first refusal ends it, what was done stays.

    ``blocked-after``: after so many sheets somebody presents wrong codes until no try is left.
    """

    name: ClassVar[str] = "fse-secure-all"
    title: ClassVar[Text] = Text("Sécuriser les feuilles en série", "Secure the sheets in series")
    shorthand: ClassVar[str] = "code"
    success = ("code", "0")
    observes: ClassVar[Observes] = {**CODE, "done": ValueMatcher(), "left": ValueMatcher()}

    code: Code
    blocked_after: int | None = Field(default=None, ge=0, le=99)

    def do(self, act: Act, fse: FseBench) -> Told:
        """Secure them."""
        batch = fse.sign_all(self.code, self.blocked_after)
        left = sum(number not in fse.secured for number in fse.made)
        if batch.refusal is not None:
            return _refused_by_card(batch.refusal, done=len(batch.done), left=left)
        values = {"code": SsvCode.OK, "refusal": None, "reason": None, "done": len(batch.done), "left": left}
        return Told(values, code_in_words(0), {"done": str(len(batch.done))})


class Verify(FseStep):
    """Check a secured sheet as a relying party does; changed on purpose before, with one byte at ``byte`` percent."""

    name: ClassVar[str] = "fse-verify"
    title: ClassVar[Text] = Text("Vérifier la feuille sécurisée", "Verify the secured sheet")
    shorthand: ClassVar[str] = "sheet"
    observes: ClassVar[Observes] = {"problems": ValueMatcher(), "lacking": ValueMatcher(), "readable": ValueMatcher()}

    sheet: int | None = Field(default=None, ge=1)
    byte: int | None = Field(default=None, ge=0, le=100, description="where one byte is changed, in percent")

    def do(self, act: Act, fse: FseBench) -> Told:
        """Check it."""
        from conformance.bench.fse_changes import one_byte

        number = fse.sheet(self.sheet).number
        if (secured := fse.secured.get(number)) is None:
            return Told({"problems": ["unsigned"], "lacking": [], "readable": True}, REFUSED)
        wanted = sorted(signer.value for signer in lacking(secured))
        if self.byte is not None:
            try:
                secured = one_byte(secured, self.byte)
            except FseError as error:
                return Told({"problems": [], "lacking": wanted, "readable": False}, REFUSED, {"reason": str(error)})
        found = fse.verifier.verify(secured, fse.now)
        problems = [problem.code for problem in found]
        told = tuple(("refus", rejection_words(problem).fr) for problem in found)
        return Told(
            {"problems": problems, "lacking": wanted, "readable": True}, REFUSED if problems else DONE, {}, told
        )


# -- lots and files ---------------------------------------------------------------------------------------------------


class Lots(FseStep):
    """Put what is ready into lots by destination body, have the CPS sign each, put them into files. ``lost`` numbers
    are used up before, as by lots that never reached the body.
    """

    name: ClassVar[str] = "fse-lots"
    title: ClassVar[Text] = Text("Faire et signer les lots", "Make and sign the lots")
    shorthand: ClassVar[str] = "code"
    success = ("code", "0")
    observes: ClassVar[Observes] = {
        **CODE,
        **{name: ValueMatcher() for name in ("lots", "kinds", "bodies", "sizes", "signed", "records", "width")},
    }

    code: Code
    lost: int = Field(default=0, ge=0, le=900)

    def do(self, act: Act, fse: FseBench) -> Told:
        """Make them."""
        try:
            fse.use_up_lots(self.lost)
            fse.make_lots(self.code)
        except SsvError as error:
            return _refused_by_card(error, **_lots(fse))
        except FseError as error:
            return Told({"code": SsvCode.BAD_INPUT, "refusal": None, "reason": str(error), **_lots(fse)}, REFUSED)
        seen = _lots(fse)
        told = {"lots": _plain(seen["lots"]), "bodies": _plain(seen["bodies"])}
        return Told({"code": SsvCode.OK, "refusal": None, "reason": None, **seen}, code_in_words(0), told)


def _lots(fse: FseBench) -> dict[str, Any]:
    lots = fse.lots
    lines = [fse.records(lot) for lot in lots]
    return {
        "lots": [lot.number for lot in lots],
        "kinds": [lot.kind.value for lot in lots],
        "bodies": [lot.body for lot in lots],
        "sizes": [len(lot.invoices) or len(lot.dres) for lot in lots],
        "signed": len(lots),
        "records": [kind for found in lines for kind, _width in found],
        "width": sorted({width for found in lines for _kind, width in found}),
    }


class Send(FseStep):
    """Hand the files over; ``again`` hands the last one over once more, as it is. It succeeds when none failed."""

    name: ClassVar[str] = "fse-send"
    title: ClassVar[Text] = Text("Télétransmettre", "Send")
    success = ("failed", "0")
    observes: ClassVar[Observes] = {
        name: ValueMatcher() for name in ("sent", "failed", "failures", "reason", "encrypted", "names")
    }

    again: bool = False

    def do(self, act: Act, fse: FseBench) -> Told:
        """Send them."""
        try:
            sending = fse.resend() if self.again else fse.send()
        except FseError as error:
            values = {
                "sent": 0,
                "failed": 1,
                "failures": ["not-ready"],
                "reason": str(error),
                "encrypted": False,
                "names": [],
            }
            return Told(values, REFUSED, {"reason": str(error)})
        failures = [error.failure.value for _name, error in sending.failed]
        values = {
            "sent": len(sending.sent),
            "failed": len(failures),
            "failures": failures,
            "reason": "; ".join(str(error) for _name, error in sending.failed) or None,
            "encrypted": bool(sending.sent) and all(name.endswith(".p7m") for name in sending.sent),
            "names": list(sending.sent),
        }
        return Told(values, REFUSED if failures else DONE, {"files": ", ".join(sending.sent)})


def _change(name: str) -> str:
    from conformance.bench.fse_changes import Change

    if name not in set(Change):
        raise ValueError(f"no such change; known: {', '.join(Change)}")
    return name


class Alter(FseStep):
    """Change the next file on its way: a byte of it, or its first lot or sheet, digests and envelope made anew."""

    name: ClassVar[str] = "fse-alter"
    title: ClassVar[Text] = Text("Altérer le prochain fichier", "Alter the next file")
    shorthand: ClassVar[str] = "change"

    change: Annotated[str, AfterValidator(_change)]
    at: int = Field(default=50, ge=0, le=100, description="where a byte is changed, in percent")

    def do(self, act: Act, fse: FseBench) -> Told:
        """Ask for it."""
        from conformance.bench.fse_changes import Change, changed

        kind = Change(self.change)
        fse.wire.changes.append(lambda file: changed(file, kind, self.at, fse.body))
        return Told({})


def _disturbance(name: str) -> str:
    if name not in disturbances():
        raise ValueError(f"no such disturbance; known: {', '.join(disturbances())}")
    return name


class Disturb(FseStep):
    """Let the next messages of a direction be lost, doubled, altered, reordered or refused, after some that pass."""

    name: ClassVar[str] = "fse-disturb"
    title: ClassVar[Text] = Text("Perturber le transport", "Disturb the transport")
    shorthand: ClassVar[str] = "what"

    what: Annotated[str, AfterValidator(_disturbance)]
    direction: Direction = Direction.OUT
    times: int = Field(default=1, ge=1, le=100)
    after: int = Field(default=0, ge=0, le=100)

    def do(self, act: Act, fse: FseBench) -> Told:
        """Ask for it."""
        fse.weather.ask(self.what, self.direction, times=self.times, after=self.after)
        said = disturbances()[self.what].symptom
        act.scene.changed(None, Text(said.fr, said.en))
        return Told({})


# -- the front end and what comes back --------------------------------------------------------------------------------


class FrontEnd(FseStep):
    """Set the front end up before it is first used (delays in days, parts from 0 to 1, what the body knows), and make
    or end its troubles at any time.
    """

    name: ClassVar[str] = "fse-front-end"
    title: ClassVar[Text] = Text("Régler le frontal de la caisse", "Set the body's front end up")

    trouble: Literal["front-end-down", "mailbox-full", "arl-late", "arl-missing", "none"] | None = None
    rsp_days: int | None = Field(default=None, ge=0, le=365)
    arl_days: int | None = Field(default=None, ge=0, le=365, description="how late a late ARL is")
    missing_lots: int | None = Field(default=None, ge=0, le=900)
    encrypted_only: bool | None = None
    bodies: list[str] | None = None
    real: bool = Field(default=False, description="a front end for real cards, not for test cards")
    rights_closed: bool = Field(default=False, description="the body knows the rights of the insured to be closed")
    contract_closed: bool = Field(default=False, description="the complementary insurer knows the member no more")
    paper_missing: bool = Field(default=False, description="the paper form of the next sheet never comes")
    rejected: float | None = Field(default=None, ge=0, le=1)
    partly_paid: float | None = Field(default=None, ge=0, le=1)

    def do(self, act: Act, fse: FseBench) -> Told:
        """Set it up."""
        simple = ("missing_lots", "encrypted_only", "rejected", "partly_paid")
        given: dict[str, Any] = {name: value for name in simple if (value := getattr(self, name)) is not None}
        given |= {"rsp_delay": timedelta(days=self.rsp_days)} if self.rsp_days is not None else {}
        given |= {"arl_delay": timedelta(days=self.arl_days)} if self.arl_days is not None else {}
        given |= {"bodies": frozenset(self.bodies)} if self.bodies is not None else {}
        given |= {"test": False} if self.real else {}
        nirs = {str(card.facts["nir"]) for card in act.bench.seated.values() if card.vitale is not None}
        given |= {"closed_rights": dict.fromkeys(nirs, fse.today - timedelta(days=30))} if self.rights_closed else {}
        given |= {"closed_contracts": fse.members()} if self.contract_closed else {}
        given |= {"papers_missing": frozenset(range(1, 100))} if self.paper_missing else {}
        try:
            if given:
                fse.set_front_end(given)
        except FseError as error:
            raise GuardRefusalError(Text.same(str(error))) from None
        if self.trouble is not None:
            fse.trouble(None if self.trouble == "none" else self.trouble)
            word = "aucun trouble" if self.trouble == "none" else self.trouble
            act.scene.changed(None, Text(f"frontal : {word}", f"front end: {self.trouble}"))
        return Told({})


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

    def do(self, act: Act, fse: FseBench) -> Told:
        """Take them."""
        answers = self.answers(fse)
        arls = [one for one in answers if isinstance(one, Arl)]
        rsps = [one for one in answers if isinstance(one, Rsp)]
        lines = [line for rsp in rsps for line in rsp.lines]
        rejections = [one for arl in arls for one in arl.rejections]
        rejections += [line.rejection for line in lines if line.rejection is not None]
        refused = fse.store.returns("refused")
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
            "paid": sum(line.paid for line in lines),
            "total": sum(rsp.total for rsp in rsps),
            "return-ids": [one.return_id for one in answers],
            "unlike": len({one.return_id for one in answers}),
            "answered": fse.answered(),
            "refused": len(refused),
            "why-refused": "; ".join(row.reason for row in refused) or None,
        }
        told = tuple(("motif", rejection_words(one).fr) for one in rejections)
        answer = {"arl": f"+{values['positive']} -{values['negative']}", "rsp": str(len(rsps))}
        return Told(values, DONE, answer, told)


class Settle(Receive):
    """The computer centre sends the returns on payments whose time has come (RSP), and the practice takes them."""

    name: ClassVar[str] = "fse-settle"
    title: ClassVar[Text] = Text("Recevoir les retours de paiement", "Take the returns on payments")

    def answers(self, fse: FseBench) -> tuple[Arl | Rsp, ...]:
        """What came."""
        return fse.receive(settle=True)


class Remarks(FseStep):
    """What the front end noted of the practice's sheets without refusing them: those that were late."""

    name: ClassVar[str] = "fse-remarks"
    title: ClassVar[Text] = Text("Lire les remarques du frontal", "Read the front end's remarks")
    observes: ClassVar[Observes] = {"remarks": ValueMatcher(), "sheets": ValueMatcher()}

    def do(self, act: Act, fse: FseBench) -> Told:
        """Read them."""
        found = fse.frontal.remarks(fse.store.sender)
        return Told({"remarks": [one.code for one in found], "sheets": [one.invoice for one in found]})


# -- the desk ---------------------------------------------------------------------------------------------------------


class LookAtSheet(FseStep):
    """How a sheet stands in the practice's store, by default the last one made; what each payer said of it."""

    name: ClassVar[str] = "fse-look"
    title: ClassVar[Text] = Text("Consulter la feuille", "Look at the sheet")
    shorthand: ClassVar[str] = "sheet"
    observes: ClassVar[Observes] = {
        "state": ChoiceMatcher(frozenset(state.value for state in State)),
        **{name: ValueMatcher() for name in ("number", "kept", "why", "lot", "closed", "paid", "outcomes", "rates")},
        **{name: ValueMatcher() for name in ("amo", "amc", "total", "patient", "task", "urgency", "days-left")},
    }

    sheet: int | None = Field(default=None, ge=1)

    def do(self, act: Act, fse: FseBench) -> Told:
        """Look."""
        invoice = fse.sheet(self.sheet)
        row = fse.store.sheet(invoice.number)
        payments = fse.store.payments(invoice.number)
        task = next((one for one in fse.practice.work_list() if one.number == invoice.number), None)
        values = {
            **{name: value for name, value in _seen(invoice).items() if name in self.observes},
            "number": invoice.number,
            "state": row.state.value,
            "kept": row.content is not None,
            "why": row.reason or None,
            "lot": row.lot or None,
            "closed": row.closed is not None,
            "paid": sum(one.paid for one in payments),
            "outcomes": [one.outcome.value for one in payments],
            "task": None if task is None else task.kind.value,
            "urgency": None if task is None else task.urgency.value,
            "days-left": None if task is None else (task.deadline - fse.today).days,
        }
        told: tuple[tuple[str, str], ...] = (("état", f"{STATES[row.state].fr}, {MODES[invoice.mode].fr}"),)
        if task is not None:
            told = (*told, ("à faire", f"{task.reason.fr} ({task.deadline})"))
        return Told(values, row.state.value, {"number": str(invoice.number)}, told)


class WorkList(FseStep):
    """What there is to do today: the kinds of the lines, those that are due, those that are too late."""

    name: ClassVar[str] = "fse-work-list"
    title: ClassVar[Text] = Text("Consulter la liste de travail", "Look at the work list")
    observes: ClassVar[Observes] = {name: ValueMatcher() for name in ("kinds", "due", "overdue", "waiting", "sheets")}

    def do(self, act: Act, fse: FseBench) -> Told:
        """Look."""
        tasks = fse.practice.work_list()
        values = {
            "kinds": [task.kind.value for task in tasks],
            "sheets": [task.number for task in tasks],
            **{
                urgency: [task.kind.value for task in tasks if task.urgency.value == urgency]
                for urgency in ("due", "overdue", "waiting")
            },
        }
        told = tuple((f"{task.deadline}", task.reason.fr) for task in tasks)
        return Told(values, DONE, {"lines": str(len(tasks))}, told)


class Desk(FseStep):
    """Something done at the desk: a sheet or a file given up and printed on paper, its document sent or not, doubles
    forgotten that were kept long enough, a claim (DRE) made or cancelled. ``refused`` where it may not be done.
    """

    name: ClassVar[str] = "fse-desk"
    title: ClassVar[Text] = Text("Agir au bureau", "Act at the desk")
    shorthand: ClassVar[str] = "action"
    success = ("outcome", DONE)
    observes: ClassVar[Observes] = {**DONE_OR_NOT, "count": ValueMatcher()}

    action: Literal[
        "give-up", "give-up-file", "printed", "document-sent", "document-failed", "purge", "claim", "cancel-claim"
    ]
    sheet: int | None = Field(default=None, ge=1)
    claim: int = Field(default=1, ge=1)

    def do(self, act: Act, fse: FseBench) -> Told:
        """Do it."""
        try:
            count = fse.act_at_desk(self.action, self.sheet, self.claim)
        except FseError as error:
            return _refused_by_rules(error, count=0)
        return Told({"outcome": DONE, "reason": None, "count": count}, DONE, {"count": str(count)})
