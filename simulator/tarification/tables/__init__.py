"""The tables of billing as data: acts, rates and codes, each with its source and what it rests on. Amounts in cents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from bifente.ground.shipped import shipped
from bifente.simulator.formats.fse.model import Insurance, Nomenclature
from bifente.simulator.tarification.tables.acts import ActType, Price
from bifente.simulator.tarification.tables.base import BillingTable, LabelledRow, Percent, TableModel

_SITUATION_DIGITS = 4


class Rates(TableModel):
    """What the AMO pays of a class of acts; an ALD brings it to 100 % ``in_ald``, a pension ``in_pension``."""

    ordinary: Percent
    alsace_moselle: Percent
    in_ald: bool = True
    in_pension: bool = True
    before: FormerRates | None = None

    def on(self, day: date) -> Rates | FormerRates:
        """Return the rates that hold on a day."""
        return self.before if self.before is not None and day <= self.before.until else self


class FormerRates(TableModel):
    """The rates of a class up to a day."""

    until: date
    ordinary: Percent
    alsace_moselle: Percent


class OutsideCarePath(TableModel):
    """What acts outside the coordinated care path lose: points of percent, of which professions, from which age."""

    points: Percent
    professions: tuple[str, ...]
    from_age: int


class Full(TableModel):
    """What brings the rate to 100 %, exoneration codes apart."""

    insurance: tuple[Insurance, ...]
    ald: bool
    c2s_managed_by_amo: bool


class SchemeRates(TableModel):
    """The rates of a scheme of its own, by class of act; ``ccam``: that of a CCAM act whatever its class; ``outside``:
    what an act outside the care path is paid at.
    """

    classes: Mapping[str, Percent]
    ccam: Percent | None = None
    outside: Percent | None = None
    source: str

    def of(self, kind: ActType, name: str) -> Percent | None:
        """Return its rate for an act of that class, None where it is not known."""
        if self.ccam is not None and kind.nomenclature is Nomenclature.CCAM:
            return self.ccam
        return self.classes.get(name)


class Participation(TableModel):
    """The flat participation that replaces the part of the insured from a threshold on, for acts of professions."""

    threshold: Annotated[int, Field(gt=0)]
    amounts: tuple[Price, ...]
    professions: tuple[str, ...]
    source: str

    def on(self, day: date) -> int:
        """Return what it is on a day, in cents: the oldest known before the first."""
        return next((one.base for one in self.amounts if one.since <= day), self.amounts[-1].base)


class RateTable(BillingTable):
    """The rates by class of act; ``schemes``: those of a scheme of its own as far as they are known, ``own_rates``:
    the schemes that have some which are not.
    """

    classes: Mapping[str, Rates]
    outside_care_path: OutsideCarePath
    full: Full
    schemes: Mapping[str, SchemeRates]
    own_rates: tuple[str, ...]
    participation: Participation


class Modifier(LabelledRow):
    """A modifier of a CCAM act: what it adds, in cents; for some ``specialties`` alone, or on a ``holiday`` alone."""

    cents: Annotated[int, Field(gt=0)]
    specialties: tuple[str, ...] = ()
    holiday: bool = False


class Ccam(BillingTable):
    """Association codes (percent of the price) and modifiers of CCAM acts."""

    associations: Mapping[str, Percent]
    first: int
    second: int
    most_acts: int
    lessened: tuple[int, ...]
    most_modifiers: int
    modifiers: Mapping[str, Modifier]
    exclusive: tuple[str, ...]


class _Acts(BillingTable):
    acts: tuple[ActType, ...]


class Exoneration(LabelledRow):
    """An exoneration code; ``full``: the AMO pays all of the base; ``prevention``: of preventive acts alone."""

    full: bool
    prevention: bool = False


class Exonerations(BillingTable):
    """The exoneration codes whose meaning is public."""

    codes: Mapping[str, Exoneration]


class Letter(LabelledRow):
    """A code of the care path; ``outside`` the coordinated one."""

    outside: bool = False


class DirectAccess(BillingTable):
    """Who is seen without a referral: not the specialties that are ``closed``, some at certain ``ages`` alone.

    Of a specialty whose code says nothing to us nothing is refused.
    """

    closed: frozenset[str]
    ages: Mapping[str, tuple[int, int]]

    def open_to(self, specialty: str, years: int) -> bool:
        """Return whether a patient of this age may go there so."""
        youngest, oldest = self.ages.get(specialty, (0, years))
        return specialty not in self.closed and youngest <= years <= oldest


class CarePath(BillingTable):
    """The codes of the care path. ``young_until``: the age from which a patient is no longer a young one."""

    young_until: int
    direct_access: DirectAccess
    codes: Mapping[str, Letter]


class Regime(LabelledRow):
    """A scheme of the AMO; ``ended`` if it exists no longer."""

    ended: bool = False


class Regimes(BillingTable):
    """The schemes by their two digits."""

    codes: Mapping[str, Regime]


class Bodies(BillingTable):
    """``destination``: the body of a scheme, where it has one of its own."""

    destination: Mapping[str, str]


class BillingProfession(LabelledRow):
    """A profession: the digit of its billing numbers (empty if not known), its specialties and the usual one; whether
    it ``prescribes`` the acts of others.
    """

    digit: str
    prescribes: bool = False
    usual: str
    specialties: tuple[str, ...]


class Professions(BillingTable):
    """The professions by their names."""

    codes: Mapping[str, BillingProfession]


class Situation(LabelledRow):
    """What a situation code says: of a scheme, or of any where it is keyed by its end alone."""

    alsace_moselle: bool = False


class Situations(BillingTable):
    """The situations whose meaning is known."""

    codes: Mapping[str, Situation]

    def get(self, code: str) -> Situation | None:
        """Return what a situation code says, None where that is not known. The first two digits are its scheme."""
        return self.codes.get(code) or (self.codes.get(code[2:]) if len(code) == _SITUATION_DIGITS else None)


class ComplementaryRight(TableModel):
    """Whether a complementary insurer may be asked in third-party payment, and when the insured pays."""

    tp: bool
    direct: bool


class Indicators(BillingTable):
    """The treatment indicators of an AMC, and those of a mutuelle."""

    amc: Mapping[str, ComplementaryRight]
    mutuelle: Mapping[str, ComplementaryRight]


class Services(BillingTable):
    """The AMO service codes (two digits), those that are a C2S, and who manages it."""

    known: tuple[str, ...]
    c2s: Mapping[str, Literal["amo", "amc"]]


class KnownCodes(BillingTable):
    """Codes that a source tells of; another one is told to the user."""

    known: tuple[str, ...]


class _Codes(TableModel):
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
        if profession.digit and billing_id[2:3] == profession.digit:
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
        every = {code for name in PROFESSIONS.codes for code in PROFESSIONS.codes[name].specialties}
        if unknown := set(act.professions) - set(PROFESSIONS.codes):
            raise ValueError(f"acts.yaml: {act.code} names unknown professions: {', '.join(sorted(unknown))}")
        if unknown := {*act.specialties, *act.unless, *act.tariffs} - every - set(PROFESSIONS.codes):
            raise ValueError(f"acts.yaml: {act.code} names unknown specialties: {', '.join(sorted(unknown))}")
        if unknown := set(act.paths) - set(CARE_PATH.codes):
            raise ValueError(f"acts.yaml: {act.code} names unknown care paths: {', '.join(sorted(unknown))}")
    for scheme, rates in RATES.schemes.items():
        if unknown := set(rates.classes) - set(RATES.classes):
            raise ValueError(f"rates.yaml: scheme {scheme} has unknown classes: {', '.join(sorted(unknown))}")
    if len(ACTS) != len(_ACTS.acts):
        raise ValueError("acts.yaml: two acts have one code")
    if unknown := set(BODIES.destination) - set(REGIMES.codes):
        raise ValueError(f"codes.yaml: bodies of unknown schemes: {', '.join(sorted(unknown))}")


_check()
