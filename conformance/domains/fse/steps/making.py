"""Both cards read, and a sheet made of what they say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.fse.sheet_words import euros
from bifente.conformance.domains.fse.steps.base import (
    BLOCKED,
    IMPOSSIBLE,
    MADE,
    FseStep,
    StepTold,
    code_told,
    seen_of,
)
from bifente.conformance.domains.vitale.ssv_code import SsvCodeMatcher, code_in_words
from bifente.conformance.expectations import ChoiceMatcher, ValueMatcher
from bifente.conformance.scenario.step import Code, Observes, kebab
from bifente.ground.text import Text
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import (
    Insurance,
    PayerShare,
    Payment,
    Person,
    SecuringMode,
    SheetState,
    WorkAccident,
)
from bifente.simulator.middleware.codes import SsvError
from bifente.simulator.software.billing.making import Care
from bifente.simulator.software.billing.ordering import Order
from bifente.simulator.software.billing.pretence import Pretence
from bifente.simulator.tarification.requests import ActRequest
from bifente.simulator.tarification.tables import ACTS

if TYPE_CHECKING:
    from bifente.conformance.domains.fse.bench import FseBench

_PRESCRIBER = Person("991000019", "TESTPRESCRIPTEUR", "JEAN", "01")
"""Who prescribes, where a scenario only says that somebody did."""


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

    code: Code = Field(description="holder code of the professional's card")
    phone: bool = Field(default=False, description="read the apCV context in use instead of the card")

    def do(self, act: Act, fse: FseBench) -> StepTold:
        """Read them."""
        try:
            reading = fse.software.read(self.code, phone=self.phone)
        except SsvError as error:
            return StepTold(
                dict.fromkeys(self.observes, error.code), code_in_words(error.code), {}, code_told(error.code)
            )
        code = reading.ps.code or reading.vitale.code
        values = {"code": code, "ps-code": reading.ps.code, "vitale-code": reading.vitale.code}
        return StepTold(values, code_in_words(code), {}, code_told(code))


def _decimal(value: Any) -> Any:
    try:
        return Decimal(str(value)) if isinstance(value, str | int | float) and not isinstance(value, bool) else value
    except InvalidOperation:
        raise ValueError("a number is expected, such as 4 or 1.5") from None


def _cents(value: Any) -> Any:
    # 30.00 in YAML is the number 30.0: it would silently become 30 cents.
    if isinstance(value, float):
        raise ValueError(f"amounts are in cents, whole ones: write {round(value * 100)} for {value:.2f}")
    return value


Cents = Annotated[int, BeforeValidator(_cents)]


class ActModel(BaseModel):
    """One act: its code, and what the table does not say. ``unit`` and ``amount`` are in cents."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=kebab, validate_by_name=False)

    code: str = Field(max_length=16)
    quantity: int = Field(default=1, ge=0, le=99)
    coefficient: Annotated[
        Decimal, BeforeValidator(_decimal), WithJsonSchema({"type": ["number", "string"]}), Field(ge=0, le=10_000)
    ] = Decimal(1)
    unit: Cents | None = Field(default=None, ge=0, le=10_000_000, description="unit price of an act without tariff")
    amount: Cents | None = Field(default=None, ge=0, le=100_000_000, description="what is asked for the line")
    association: int | None = Field(default=None, ge=1, le=5, description="association code of a CCAM act")
    modifiers: str = Field(default="", pattern="^[A-Z0-9]{0,4}$", description="modifiers of a CCAM act: F, U ...")


Written = dict[str, bool | int | str]


class PretendModel(BaseModel):
    """What is written otherwise, by field. ``on-days: 1`` is a date, so many days after that of the care."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    beneficiary: Written = Field(default_factory=dict, max_length=12)
    professional: Written = Field(default_factory=dict, max_length=12)
    act: Written = Field(default_factory=dict, max_length=8, description="of the first act")
    sheet: Written = Field(default_factory=dict, max_length=8, description="of the sheet; amo and amc in cents")
    judged: bool = Field(default=False, description="the practice's own rules look at it all the same")

    def pretence(self, day: date) -> Pretence:
        """Return it for care of a day."""
        beneficiary = _written(self.beneficiary, day)
        if beneficiary.get("rights") == "open":
            beneficiary["rights"] = ((date.min, None),)
        sheet = _written(self.sheet, day)
        for payer in ("amo", "amc"):
            if payer in sheet:
                sheet[payer] = PayerShare(sheet[payer])
        if "accident" in sheet:
            sheet["accident"] = WorkAccident(sheet["accident"], "999000015")
        act = _written(self.act, day)
        if "coefficient" in act:
            act["coefficient"] = Decimal(str(act["coefficient"]))
        return Pretence(beneficiary, _written(self.professional, day), act, sheet, self.judged)


def _written(fields: Written, day: date) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, value in fields.items():
        if name.endswith("-days") and isinstance(value, int):
            told[name.removesuffix("-days").replace("-", "_")] = day + timedelta(days=value)
        else:
            told[name.replace("-", "_")] = value
    return told


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
        "state": ChoiceMatcher(frozenset(state.value for state in SheetState)),
    }

    acts: list[ActModel] = Field(
        max_length=99,
        description="each with its code and, as wanted, quantity, coefficient, unit and amount in cents:"
        " [{code: G}, {code: AMI, coefficient: 4}, {code: DEQP003, modifiers: F}]",
    )
    payment: Payment = Field(
        default=Payment.DIRECT,
        description="the body pays the patient (direct), or the professional",
    )
    mode: SecuringMode = Field(
        default=SecuringMode.SECURED,
        description="0 not secured, 1 without Vitale, 2 visit, 3 secured, 4 desynchronised, 5 degraded",
    )
    insurance: Insurance = Field(
        default=Insurance.MALADIE, description="the risk that pays: illness, maternity, accident at work ..."
    )
    situation: int = Field(
        default=1, ge=0, le=99, description="number of the professional's situation on the card, from 1"
    )
    beneficiary: int = Field(default=1, ge=0, le=99, description="rank on the card, from 1")
    care_path: str | None = Field(
        default=None, max_length=2, description="code of the care path, instead of the one that goes by itself"
    )
    prescribed: bool | None = Field(default=None, description="by the laboratory's prescriber; by default if wanted")
    dated: bool = Field(default=True, description="false leaves out the date that the risk asks for")
    days_ago: int = Field(
        default=0,
        ge=-400,
        le=4000,
        description="how many days ago the acts were done; negative, they are still to come",
    )
    rectifies: int | None = Field(default=None, ge=1, description="number of the sheet that this one corrects")
    paper: bool = Field(default=True, description="the signed paper form of a degraded sheet is at hand")
    recycle: int | None = Field(default=None, ge=1, description="number of the rejected sheet it replaces")
    exoneration: str | None = Field(
        default=None,
        pattern="^[0-9A-Z]$",
        description="exoneration told instead of the card's: 0 for care that has nothing to do with an ALD",
    )
    accident: str | None = Field(default=None, max_length=9, description="number of the accident at work told")
    maternity_days: int = Field(default=90, description="days from the date of maternity told to the care")
    prescriber: str | None = Field(default=None, description="billing number of the prescriber told")
    pretend: PretendModel | None = Field(
        default=None,
        description="what a dishonest software writes instead of what was read, no rule looked at:"
        " {beneficiary: {exoneration: '4', ald: true}}, {act: {rate: 100}}, {sheet: {amo: 9999}}",
    )

    def do(self, act: Act, fse: FseBench) -> StepTold:
        """Make it."""
        day = fse.days.today - timedelta(days=self.days_ago)
        kinds = [ACTS[one.code] for one in self.acts if one.code in ACTS]
        path = "T" if any(kind.care_path for kind in kinds) else ""
        prescribed = any(kind.prescribed for kind in kinds) if self.prescribed is None else self.prescribed
        care = Care(
            insurance=self.insurance,
            payment=self.payment,
            care_path=path if self.care_path is None else self.care_path,
            prescriber=replace(_PRESCRIBER, billing_id=self.prescriber or _PRESCRIBER.billing_id)
            if prescribed or self.prescriber
            else None,
            prescribed_on=day if prescribed or self.prescriber else None,
            accident_on=day - timedelta(days=3) if self.insurance is Insurance.AT_MP and self.dated else None,
            accident_number=self.accident or "",
            pregnancy_on=day - timedelta(days=self.maternity_days)
            if self.insurance is Insurance.MATERNITE and self.dated
            else None,
            rectifies=self.rectifies,
            exoneration=self.exoneration,
        )
        acts = tuple(
            ActRequest(
                one.code,
                day,
                one.quantity,
                one.coefficient,
                one.unit,
                one.amount,
                one.association,
                one.modifiers,
            )
            for one in self.acts
        )
        pretence = self.pretend.pretence(day) if self.pretend is not None else None
        order = Order(acts, care, day, self.situation, self.beneficiary, self.mode, self.paper, self.recycle, pretence)
        try:
            made = fse.software.make(order)
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
            return StepTold(values, IMPOSSIBLE, {"reason": str(error)}, (("impossible", str(error)),))
        blocks = [finding.code for finding in made.findings if finding.severity.value == "block"]
        warnings = [finding.code for finding in made.findings if finding.severity.value == "warn"]
        outcome = BLOCKED if made.blocked else MADE
        invoice = made.invoice
        seen = {
            **seen_of(invoice),
            "outcome": outcome,
            "reason": None,
            "blocks": blocks,
            "warnings": warnings,
            "number": 0 if made.blocked else invoice.number,
            "state": None if made.blocked else fse.software.office.store.sheet(invoice.number).state.value,
        }
        decoded = (
            ("total", euros(invoice.total)),
            ("part AMO", euros(invoice.amo.asked)),
            ("part AMC", euros(invoice.amc.asked)),
            *(("bloque" if one.severity.value == "block" else "avertit", one.sentence) for one in made.findings),
        )
        answer = {"number": str(seen["number"]), **({"blocks": ", ".join(blocks)} if blocks else {})}
        return StepTold(seen, outcome, answer, decoded)
