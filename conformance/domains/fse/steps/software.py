"""The billing software set up, days that pass, another card presented."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from bifente.conformance.bench.facets import Apdu, Insertion, Personalisation, VirtualReaders
from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.fse.steps.base import (
    FseStep,
    StepTold,
)
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.model import CardChoice
from bifente.conformance.scenario.step import Observes, kebab
from bifente.conformance.targets.facets import Facet, PrivateClock
from bifente.ground.text import Text
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.files import file_profiles
from bifente.simulator.tarification.deadlines import DeadlineRules
from bifente.simulator.tarification.tables import profession_of

if TYPE_CHECKING:
    from bifente.conformance.domains.fse.bench import FseBench


def _profile(name: str) -> str:
    if name not in file_profiles():
        raise ValueError(f"no such profile; known: {', '.join(file_profiles())}")
    return name


def _deadline(name: str) -> str:
    known = [kebab(field) for field in DeadlineRules.model_fields]
    if name not in known:
        raise ValueError(f"no deadline is called {name!r}; there are {', '.join(known)}")
    return name


def _specialty(code: str) -> str:
    if profession_of(code) is None:
        raise ValueError(f"no specialty is called {code!r}, e.g. 03 for cardiology")
    return code


class SetUpSoftware(FseStep):
    """Choose how the billing software sends, before its first sheet: the profile of its files (1.40 encrypts them),
    in process or by mail (SMTP on the loopback), other deadlines than the usual ones, in days, whether the public
    holidays of Alsace-Moselle count, and the specialty of the professional.
    """

    name: ClassVar[str] = "fse-software"
    title: ClassVar[Text] = Text("Régler le logiciel de facturation", "Set the billing software up")

    profile: Annotated[str, AfterValidator(_profile)] = Field(
        default="1.40", description="of the files it sends: 1.40 encrypts them, 1.40-clear does not"
    )
    transport: Literal["in-process", "mail", "mail-pop3"] = Field(
        default="in-process",
        description="how files travel: handed over, by SMTP on the loopback, and back by POP3 out of a mailbox",
    )
    deadlines: dict[Annotated[str, AfterValidator(_deadline)], Annotated[int, Field(ge=0, le=3660)]] = Field(
        default_factory=dict, description="days by the name of a deadline, e.g. {retransmit: 3}"
    )
    alsace_moselle: bool = Field(default=False, description="Good Friday and 26 December are public holidays too")
    specialty: Annotated[str, AfterValidator(_specialty)] | None = Field(
        default=None, description="code of the professional's specialty, instead of the usual one of his billing number"
    )
    signed_returns: bool = Field(default=False, description="returns that the body did not sign are laid aside")

    def do(self, act: Act, fse: FseBench) -> StepTold:
        """Set it up."""
        office = fse.software.office
        if office.in_use:
            raise FseError("billing software", "it is in use", "set it up before the first sheet is made")
        chosen = office.settings
        chosen.profile, chosen.mail = self.profile, self.transport != "in-process"
        chosen.pop3 = self.transport == "mail-pop3"
        chosen.alsace_moselle = self.alsace_moselle
        chosen.signed_returns = self.signed_returns
        chosen.specialty = self.specialty
        chosen.rules = chosen.rules.changed(**{name.replace("-", "_"): days for name, days in self.deadlines.items()})
        return StepTold({})


class Wait(FseStep):
    """Let days pass until nine o'clock of another one: so many days, so many working days, or the day before the next
    public holiday that falls on a working day of the week.
    """

    name: ClassVar[str] = "fse-wait"
    title: ClassVar[Text] = Text("Laisser passer des jours", "Let days pass")
    needs = frozenset[type[Facet]]({Apdu, Personalisation, PrivateClock})
    observes: ClassVar[Observes] = {"today": ValueMatcher(), "days": ValueMatcher()}

    days: int | None = Field(default=None, ge=1, le=400, description="how many days pass")
    working_days: int | None = Field(default=None, ge=1, le=100, description="how many working days pass")
    until: Literal["day-before-a-holiday"] | None = Field(default=None, description="the day to wait for, by its name")

    @model_validator(mode="after")
    def _one(self) -> Wait:
        if sum(given is not None for given in (self.days, self.working_days, self.until)) != 1:
            raise ValueError("say how long: days, working-days or until, one of them")
        return self

    def do(self, act: Act, fse: FseBench) -> StepTold:
        """Wait."""
        before = fse.days.today
        if self.days is not None:
            day = before + timedelta(days=self.days)
        elif self.working_days is not None:
            day = fse.days.working(self.working_days)
        else:
            day = fse.days.before_a_holiday()
        fse.days.wait_until(day)
        act.scene.changed(None, Text(f"on est le {fse.days.today}", f"it is {fse.days.today}"))
        return StepTold({"today": str(fse.days.today), "days": (fse.days.today - before).days})


class ChangeCard(FseStep):
    """Take the card of the step's slot out and put another one in, made from a template."""

    name: ClassVar[str] = "fse-change-card"
    title: ClassVar[Text] = Text("Présenter une autre carte", "Present another card")
    shorthand: ClassVar[str] = "card"
    needs = frozenset[type[Facet]]({Apdu, Personalisation, Insertion, VirtualReaders})

    card: str | CardChoice = Field(description="template of the card put in, or a mapping with parameters of its own")

    @classmethod
    def cards(cls, raw: Any) -> tuple[CardChoice, ...]:
        """The card presented."""
        card = cls.arguments(raw).get("card")
        choice = CardChoice(template=card) if isinstance(card, str) else CardChoice.model_validate(card)
        return () if choice.template.startswith("$") else (choice,)

    def do(self, act: Act, fse: FseBench) -> StepTold:
        """Change it."""
        choice = CardChoice(template=self.card) if isinstance(self.card, str) else self.card
        fse.present(act.role, choice)
        act.scene.changed(act.role, Text(f"carte {choice.label} présentée", f"card {choice.label} presented"))
        return StepTold({})

    def arguments_told(self) -> Mapping[str, str]:
        """The template."""
        return {"card": self.card if isinstance(self.card, str) else self.card.label}
