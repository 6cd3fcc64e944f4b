"""The tables of billing as data: acts, rates and codes, each with its source and what it rests on. Amounts in cents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.formats.fse.model import Insurance, Nomenclature

Fidelity = Literal["documented", "observed", "modelled"]
Percent = Annotated[int, Field(ge=0, le=100)]


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


class ActType(_Called):
    """An act that may be billed. ``base``: its unit price, none if it is ``free``; ``coefficient``: it may have one."""

    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,6}$")]
    nomenclature: Nomenclature
    base: Annotated[int, Field(gt=0)] | None = None
    rate_class: Annotated[str, Field(alias="class")]
    professions: tuple[str, ...]
    prescribed: bool = False
    care_path: bool = False
    coefficient: bool = False
    free: bool = False

    @model_validator(mode="after")
    def _priced(self) -> Self:
        if self.free != (self.base is None):
            raise ValueError(f"act {self.code} has a base or is free, one of the two")
        return self


class Rates(_Model):
    """What the AMO pays of a class of acts; ``outside`` the care path if that makes a difference."""

    ordinary: Percent
    alsace_moselle: Percent
    outside: Percent | None = None


class Full(_Model):
    """What brings the rate to 100 %, exoneration codes apart."""

    insurance: tuple[Insurance, ...]
    ald: bool
    c2s_managed_by_amo: bool


class RateTable(_Table):
    """The rates by class of act."""

    classes: Mapping[str, Rates]
    full: Full


class _Acts(_Table):
    acts: tuple[ActType, ...]


class Exoneration(_Called):
    """An exoneration code; ``full``: the AMO pays all of the base."""

    full: bool


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


class TestBody(_Model):
    """What marks a laboratory body: every value given here must be met."""

    regime: str | None = None
    caisse: str | None = None
    centre: str | None = None

    __test__ = False

    def marks(self, regime: str, caisse: str, centre: str) -> bool:
        """Whether such a body bears this mark."""
        return all(
            wanted in (None, there)
            for wanted, there in ((self.regime, regime), (self.caisse, caisse), (self.centre, centre))
        )


class Bodies(_Table):
    """``destination``: the body of a scheme, where it has one of its own; ``test``: the marks of the laboratory."""

    destination: Mapping[str, str]
    test: tuple[TestBody, ...]


class BillingProfession(_Called):
    """A profession: the digit of its billing numbers, its specialties and the usual one."""

    digit: str
    usual: str
    specialties: tuple[str, ...]


class Professions(_Table):
    """The professions by their names."""

    codes: Mapping[str, BillingProfession]


class Situation(_Called):
    """The last two characters of a situation code."""

    alsace_moselle: bool = False


class Situations(_Table):
    """The situations that the cards of this bench tell."""

    codes: Mapping[str, Situation]


class ComplementaryRight(_Model):
    """Whether a complementary insurer may be asked in third-party payment, and when the insured pays."""

    tp: bool
    direct: bool


class Indicators(_Table):
    """The treatment indicators of an AMC, and those of a mutuelle."""

    amc: Mapping[str, ComplementaryRight]
    mutuelle: Mapping[str, ComplementaryRight]


class Services(_Table):
    """The AMO service codes that are a C2S, and who manages it."""

    c2s: Mapping[str, Literal["amo", "amc"]]


class _Codes(_Model):
    exonerations: Exonerations
    care_path: CarePath
    regimes: Regimes
    bodies: Bodies
    professions: Professions
    situations: Situations
    complementary: Indicators
    services: Services


_ACTS = _Acts.model_validate(shipped(__package__, "acts.yaml"))
_CODES = _Codes.model_validate(shipped(__package__, "codes.yaml"))

#: Every act of the extract, by its code, and where it comes from.
ACTS: Mapping[str, ActType] = {act.code: act for act in _ACTS.acts}
ACTS_SOURCE, ACTS_FIDELITY = _ACTS.source, _ACTS.fidelity
RATES = RateTable.model_validate(shipped(__package__, "rates.yaml"))
EXONERATIONS = _CODES.exonerations
CARE_PATH = _CODES.care_path
REGIMES = _CODES.regimes
BODIES = _CODES.bodies
PROFESSIONS = _CODES.professions
SITUATIONS = _CODES.situations
COMPLEMENTARY = _CODES.complementary
SERVICES = _CODES.services


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
        if act.rate_class not in RATES.classes:
            raise ValueError(f"acts.yaml: {act.code} has the class {act.rate_class}, unknown in rates.yaml")
        if unknown := set(act.professions) - set(PROFESSIONS.codes):
            raise ValueError(f"acts.yaml: {act.code} names unknown professions: {', '.join(sorted(unknown))}")
    if len(ACTS) != len(_ACTS.acts):
        raise ValueError("acts.yaml: two acts have one code")
    if unknown := set(BODIES.destination) - set(REGIMES.codes):
        raise ValueError(f"codes.yaml: bodies of unknown schemes: {', '.join(sorted(unknown))}")


_check()
