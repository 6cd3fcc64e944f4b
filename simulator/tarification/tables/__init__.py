"""The tables of billing as data: acts, rates and codes, each with its source and what it rests on. Amounts in cents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.formats.fse.model import Insurance, Nomenclature

Fidelity = Literal["documented", "observed", "modelled"]
Percent = Annotated[int, Field(ge=0, le=100)]
_SITUATION_DIGITS = 4


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, alias_generator=lambda name: name.replace("_", "-")
    )


class _Called(_Model):
    """Something with a label in the two languages."""

    label: Text

    @model_validator(mode="before")
    @classmethod
    def _words_apart(cls, value: dict[str, Any]) -> dict[str, Any]:
        rest = {key: part for key, part in value.items() if key not in ("fr", "en")}
        return {**rest, "label": {"fr": value.get("fr"), "en": value.get("en")}}


class _Table(_Model):
    source: str
    fidelity: Fidelity


class Price(_Model):
    """A price in force from a day on."""

    since: Annotated[date, Field(alias="from")]
    base: Annotated[int, Field(gt=0)]


class ActType(_Called):
    """An act that may be billed.

    Its unit price is its ``base``, one of its ``prices`` by the day, or none if it is ``free``; ``tariffs`` are the
    prices of a profession that has others. ``coefficient``: it may have one; ``classes``: its class of rate for some
    professions; ``accompanies``: the acts that a supplement goes with; ``below``: the age that a patient has not
    reached; ``once``: once a day for one patient; ``heavy``: how it counts for the flat participation; ``prevention``:
    what exoneration 7 is for.
    """

    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,6}$")]
    nomenclature: Nomenclature
    base: Annotated[int, Field(gt=0)] | None = None
    prices: tuple[Price, ...] = ()
    rate_class: Annotated[str, Field(alias="class")]
    classes: Mapping[str, str] = {}
    professions: tuple[str, ...]
    prescribed: bool = False
    care_path: bool = False
    coefficient: bool = False
    free: bool = False
    accompanies: Annotated[tuple[str, ...], Field(alias="with")] = ()
    below: int | None = None
    once: bool = False
    tariffs: Mapping[str, tuple[Price, ...]] = {}
    heavy: Literal["together", "alone"] | None = None
    prevention: bool = False

    @model_validator(mode="after")
    def _priced(self) -> Self:
        if sum((self.free, self.base is not None, bool(self.prices))) != 1:
            raise ValueError(f"act {self.code} has a base, prices or is free, one of the three")
        for prices in (self.prices, *self.tariffs.values()):
            if [price.since for price in prices] != sorted((price.since for price in prices), reverse=True):
                raise ValueError(f"act {self.code} has its newest price first")
        return self

    def price_on(self, day: date, profession: str | None = None) -> int | None:
        """Return the unit price in cents of a profession on a day: the oldest known before the first, None if free."""
        prices = self.tariffs.get(profession or "", self.prices)
        if not prices:
            return self.base
        return next((price.base for price in prices if price.since <= day), prices[-1].base)

    def class_of(self, profession: str | None) -> str:
        """Return the class of its rate when someone of that profession does it."""
        return self.classes.get(profession or "", self.rate_class)


class Rates(_Model):
    """What the AMO pays of a class of acts; ``in_ald``: an ALD brings it to 100 %."""

    ordinary: Percent
    alsace_moselle: Percent
    in_ald: bool = True
    before: FormerRates | None = None

    def on(self, day: date) -> Rates | FormerRates:
        """Return the rates that hold on a day."""
        return self.before if self.before is not None and day <= self.before.until else self


class FormerRates(_Model):
    """The rates of a class up to a day."""

    until: date
    ordinary: Percent
    alsace_moselle: Percent


class OutsideCarePath(_Model):
    """What acts outside the coordinated care path lose: points of percent, of which professions, from which age."""

    points: Percent
    professions: tuple[str, ...]
    from_age: int


class Full(_Model):
    """What brings the rate to 100 %, exoneration codes apart."""

    insurance: tuple[Insurance, ...]
    ald: bool
    c2s_managed_by_amo: bool


class SchemeRates(_Model):
    """The rates of a scheme of its own, by class of act; ``outside``: what an act outside the care path is paid at."""

    classes: Mapping[str, Percent]
    outside: Percent | None = None
    source: str


class Participation(_Model):
    """The flat participation that replaces the part of the insured from a threshold on, for acts of professions."""

    threshold: Annotated[int, Field(gt=0)]
    amounts: tuple[Price, ...]
    professions: tuple[str, ...]
    source: str

    def on(self, day: date) -> int:
        """Return what it is on a day, in cents: the oldest known before the first."""
        return next((one.base for one in self.amounts if one.since <= day), self.amounts[-1].base)


class RateTable(_Table):
    """The rates by class of act; ``schemes``: those of a scheme of its own as far as they are known, ``own_rates``:
    the schemes that have some which are not.
    """

    classes: Mapping[str, Rates]
    outside_care_path: OutsideCarePath
    full: Full
    schemes: Mapping[str, SchemeRates]
    own_rates: tuple[str, ...]
    participation: Participation


class Modifier(_Called):
    """A modifier of a CCAM act: what it adds, in cents."""

    cents: Annotated[int, Field(gt=0)]


class Ccam(_Table):
    """Association codes (percent of the price) and modifiers of CCAM acts."""

    associations: Mapping[str, Percent]
    first: int
    second: int
    most_acts: int
    lessened: tuple[int, ...]
    most_modifiers: int
    modifiers: Mapping[str, Modifier]
    exclusive: tuple[str, ...]


class _Acts(_Table):
    acts: tuple[ActType, ...]


class Exoneration(_Called):
    """An exoneration code; ``full``: the AMO pays all of the base; ``prevention``: of preventive acts alone."""

    full: bool
    prevention: bool = False


class Exonerations(_Table):
    """The exoneration codes whose meaning is public."""

    codes: Mapping[str, Exoneration]


class Letter(_Called):
    """A code of the care path; ``outside`` the coordinated one."""

    outside: bool = False


class CarePath(_Table):
    """The codes of the care path. ``young_until``: the age from which a patient is no longer a young one."""

    young_until: int
    codes: Mapping[str, Letter]


class Regime(_Called):
    """A scheme of the AMO; ``ended`` if it exists no longer."""

    ended: bool = False


class Regimes(_Table):
    """The schemes by their two digits."""

    codes: Mapping[str, Regime]


class Bodies(_Table):
    """``destination``: the body of a scheme, where it has one of its own."""

    destination: Mapping[str, str]


class BillingProfession(_Called):
    """A profession: the digit of its billing numbers, its specialties and the usual one."""

    digit: str
    usual: str
    specialties: tuple[str, ...]


class Professions(_Table):
    """The professions by their names."""

    codes: Mapping[str, BillingProfession]


class Situation(_Called):
    """What a situation code says: of a scheme, or of any where it is keyed by its end alone."""

    alsace_moselle: bool = False


class Situations(_Table):
    """The situations whose meaning is known."""

    codes: Mapping[str, Situation]

    def get(self, code: str) -> Situation | None:
        """Return what a situation code says, None where that is not known. The first two digits are its scheme."""
        return self.codes.get(code) or (self.codes.get(code[2:]) if len(code) == _SITUATION_DIGITS else None)


class ComplementaryRight(_Model):
    """Whether a complementary insurer may be asked in third-party payment, and when the insured pays."""

    tp: bool
    direct: bool


class Indicators(_Table):
    """The treatment indicators of an AMC, and those of a mutuelle."""

    amc: Mapping[str, ComplementaryRight]
    mutuelle: Mapping[str, ComplementaryRight]


class Services(_Table):
    """The AMO service codes (two digits), those that are a C2S, and who manages it."""

    known: tuple[str, ...]
    c2s: Mapping[str, Literal["amo", "amc"]]


class KnownCodes(_Table):
    """Codes that a source tells of; another one is told to the user."""

    known: tuple[str, ...]


class _Codes(_Model):
    exonerations: Exonerations
    care_path: CarePath
    regimes: Regimes
    bodies: Bodies
    professions: Professions
    situations: Situations
    complementary: Indicators
    services: Services
    qualities: KnownCodes
    ald: KnownCodes


_ACTS = _Acts.model_validate(shipped(__package__, "acts.yaml"))
_CODES = _Codes.model_validate(shipped(__package__, "codes.yaml"))

#: Every act of the extract, by its code, and where it comes from.
ACTS: Mapping[str, ActType] = {act.code: act for act in _ACTS.acts}
ACTS_SOURCE, ACTS_FIDELITY = _ACTS.source, _ACTS.fidelity
RATES = RateTable.model_validate(shipped(__package__, "rates.yaml"))
CCAM = Ccam.model_validate(shipped(__package__, "ccam.yaml"))
EXONERATIONS = _CODES.exonerations
CARE_PATH = _CODES.care_path
REGIMES = _CODES.regimes
BODIES = _CODES.bodies
PROFESSIONS = _CODES.professions
SITUATIONS = _CODES.situations
COMPLEMENTARY = _CODES.complementary
SERVICES = _CODES.services
QUALITIES = _CODES.qualities
ALD_CODES = _CODES.ald


def profession_of(specialty: str) -> str | None:
    """The profession of a specialty code, None if it is unknown."""
    for name, profession in PROFESSIONS.codes.items():
        if specialty in profession.specialties:
            return name
    return None


def usual_specialty(billing_id: str) -> str | None:
    """The usual specialty of the profession told by the third digit of a billing number, None if it is unknown."""
    for profession in PROFESSIONS.codes.values():
        if billing_id[2:3] == profession.digit:
            return profession.usual
    return None


def _check() -> None:
    """That the tables fit together: a wrong one fails when loaded, not when a sheet is made."""
    for act in ACTS.values():
        for name in (act.rate_class, *act.classes.values()):
            if name not in RATES.classes:
                raise ValueError(f"acts.yaml: {act.code} has the class {name}, unknown in rates.yaml")
        if unknown := set(act.accompanies) - set(ACTS):
            raise ValueError(f"acts.yaml: {act.code} goes with unknown acts: {', '.join(sorted(unknown))}")
        if unknown := {*act.professions, *act.tariffs} - set(PROFESSIONS.codes):
            raise ValueError(f"acts.yaml: {act.code} names unknown professions: {', '.join(sorted(unknown))}")
    for scheme, rates in RATES.schemes.items():
        if unknown := set(rates.classes) - set(RATES.classes):
            raise ValueError(f"rates.yaml: scheme {scheme} has unknown classes: {', '.join(sorted(unknown))}")
    if len(ACTS) != len(_ACTS.acts):
        raise ValueError("acts.yaml: two acts have one code")
    if unknown := set(BODIES.destination) - set(REGIMES.codes):
        raise ValueError(f"codes.yaml: bodies of unknown schemes: {', '.join(sorted(unknown))}")


_check()
