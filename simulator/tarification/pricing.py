"""What a sheet costs and who is asked for it (SV-FSE), by the tables. Whole cents everywhere.

Lines are rounded as ``formats.fse.amounts`` says; the complementary part is what is left of the base, so that the parts
always add up; but the points that care outside the coordinated path loses are nobody's but the patient's: a
complementary contract does not answer for them (sources#responsible-contracts), and neither does the C2S.
Left out, for want of a source: the own rates of the schemes that ``RATES.own_rates`` names. Participations forfaitaires
of 2 euros and franchises are taken later by the body, never on the sheet; that of 24 euros is on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from bifente.simulator.formats.fse.amounts import amo_part, cents, reimbursable
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import CareAct, CareBeneficiary, Insurance, PayerShare, Payment
from bifente.simulator.tarification.ages import age
from bifente.simulator.tarification.ccam import associated, check_ccam, unit_price
from bifente.simulator.tarification.participation import heavy_acts, participation_of
from bifente.simulator.tarification.requests import ActRequest
from bifente.simulator.tarification.tables import (
    ACTS,
    CARE_PATH,
    COMPLEMENTARY,
    EXONERATIONS,
    RATES,
    ComplementaryRight,
    Rates,
    profession_of,
)
from bifente.simulator.tarification.tables.acts import ActType

#: Bounds of ours, well above what a line needs.
MAX_QUANTITY = 99
MAX_COEFFICIENT = 1000
MAX_PRICE = 100_000_00
_ALD_EXONERATION, _PENSION = "4", "5"
_ALL = 100
_NO_INDICATOR = ComplementaryRight(tp=False, direct=False)


@dataclass(frozen=True, slots=True)
class Priced:
    """The acts with their prices and rates, and what is asked of the two insurers."""

    acts: tuple[CareAct, ...]
    amo: PayerShare
    amc: PayerShare


def price(
    requests: Iterable[ActRequest],
    beneficiary: CareBeneficiary,
    *,
    insurance: Insurance = Insurance.MALADIE,
    payment: Payment = Payment.DIRECT,
    care_path: str = "",
    specialty: str = "",
) -> Priced:
    """Return the acts priced for a beneficiary, when someone of a specialty does them.

    Raise FseError for an act that is unknown or has no price, and for CCAM acts that cannot go together.
    """
    profession = profession_of(specialty)
    circumstances = Circumstances(beneficiary, insurance, care_path, profession)
    asked = associated(tuple(requests), profession)
    lines = [_act(f"act {rank}", request, circumstances, specialty) for rank, request in enumerate(asked, 1)]
    heavy = heavy_acts(lines, profession)
    acts = tuple(
        replace(act, rate=circumstances.rate(ACTS[act.code], act.on, heavy=place in heavy))
        for place, act in enumerate(lines)
    )
    return Priced(acts, *circumstances.shares(acts, payment))


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Whose acts are priced, under which risk and care path, and by whom: what makes the rate of an act."""

    beneficiary: CareBeneficiary
    insurance: Insurance = Insurance.MALADIE
    care_path: str = ""
    profession: str | None = None

    def rate(self, kind: ActType, on: date, *, heavy: bool = False) -> int:
        """Return what the AMO pays of the base of an act of that day, in percent (sources#rates).

        ``heavy``: the flat participation takes the place of what the insured would keep.
        """
        rate = self._inside(kind, on, heavy=heavy)
        return rate - self.points(kind, on, rate)

    def points(self, kind: ActType, on: date, rate: int) -> int:
        """Return the points of such a rate that an act loses outside the coordinated care path."""
        rule, letter = RATES.outside_care_path, CARE_PATH.codes.get(self.care_path)
        concerned = (
            letter is not None
            and letter.outside
            and kind.care_path
            and self.profession in (None, *rule.professions)
            and self.insurance is Insurance.MALADIE
            and age(self.beneficiary.birth, on) >= rule.from_age
        )
        if not concerned:
            return 0
        scheme = RATES.schemes.get(self.beneficiary.regime)
        own = scheme.of(kind, kind.class_of(self.profession)) if scheme is not None else None
        if scheme is not None and scheme.outside is not None and rate == own:
            return rate - scheme.outside
        return min(rate, rule.points)

    def shares(self, acts: Sequence[CareAct], payment: Payment) -> tuple[PayerShare, PayerShare]:
        """Return what is asked of the AMO and of the complementary insurer for acts that have their rates."""
        kept = self._participation(acts)
        amc = 0
        if may_ask_amc(self.beneficiary, payment):
            amc = kept + sum(reimbursable(act) - amo_part(act) - self._majoration(act) for act in acts)
        return PayerShare(max(0, amo_of(acts) - kept)), PayerShare(amc)

    def _participation(self, acts: Sequence[CareAct]) -> int:
        """The flat participation: none for whom something else pays in full, or the local scheme."""
        if self.beneficiary.alsace_moselle or _in_full(self.beneficiary, self.insurance):
            return 0
        scheme = RATES.schemes.get(self.beneficiary.regime)
        heavy = heavy_acts(acts, self.profession)
        if scheme is not None:
            kinds = {at: ACTS[acts[at].code] for at in heavy}
            heavy = frozenset(
                at for at, kind in kinds.items() if scheme.of(kind, kind.class_of(self.profession)) != _ALL
            )
        return participation_of(acts, heavy)

    def _majoration(self, act: CareAct) -> int:
        """What of a line is the patient's for being outside the care path."""
        kind = ACTS.get(act.code)
        points = 0 if kind is None else self.points(kind, act.on, self._inside(kind, act.on))
        return amo_part(replace(act, rate=min(_ALL, act.rate + points))) - amo_part(act)

    def _inside(self, kind: ActType, on: date, *, heavy: bool = False) -> int:
        """The rate in the coordinated care path."""
        name = kind.class_of(self.profession)
        rates = RATES.classes[name]
        if heavy or _in_full(self.beneficiary, self.insurance, rates):
            return _ALL
        scheme = RATES.schemes.get(self.beneficiary.regime)
        own = scheme.of(kind, name) if scheme is not None else None
        if own is not None:
            return own
        then = rates.on(on)
        return then.alsace_moselle if self.beneficiary.alsace_moselle else then.ordinary


def _in_full(beneficiary: CareBeneficiary, insurance: Insurance, rates: Rates | None = None) -> bool:
    """Whether the AMO pays all of the base: by the nature of insurance, an exoneration, ALD, or the C2S it manages.

    ``rates``: those of the class of an act, which some of these do not raise.
    """
    code = beneficiary.exoneration
    exoneration = EXONERATIONS.codes.get(code)
    in_ald = rates is None or rates.in_ald
    raised = {_ALD_EXONERATION: in_ald, _PENSION: rates is None or rates.in_pension}
    return (
        insurance in RATES.full.insurance
        or (exoneration is not None and exoneration.full and raised.get(code, True))
        or (RATES.full.ald and beneficiary.ald and in_ald)
        or (RATES.full.c2s_managed_by_amo and beneficiary.c2s and not _has_amc(beneficiary))
    )


def amo_of(acts: Iterable[CareAct]) -> int:
    """Return the AMO part of all lines, the flat participation not taken off."""
    return sum(map(amo_part, acts))


def may_ask_amc(beneficiary: CareBeneficiary, payment: Payment) -> bool:
    """Whether the treatment indicator of the complementary insurer lets it be asked in this kind of payment."""
    amc = beneficiary.complementary
    if amc is None:
        return False
    known = COMPLEMENTARY.mutuelle if amc.mutuelle else COMPLEMENTARY.amc
    indicator = known.get(amc.indicator, _NO_INDICATOR)
    return indicator.tp if payment is Payment.TIERS_PAYANT else indicator.direct


def _act(place: str, request: ActRequest, circumstances: Circumstances, specialty: str) -> CareAct:
    kind = ACTS.get(request.code)
    if kind is None:
        raise FseError(place, f"the act {request.code!r} is not in the table", f"one of: {', '.join(ACTS)}")
    _check(place, request, kind)
    base = unit_price(
        _tariff(place, request, kind, circumstances.profession, specialty),
        request.association or 0,
        request.modifiers,
    )
    if request.coefficient != 1 and not kind.coefficient:
        raise FseError(place, f"{kind.code} has no coefficient", "leave it at 1")
    line = cents(base * request.coefficient * request.quantity)
    return CareAct(
        nomenclature=kind.nomenclature,
        code=kind.code,
        on=request.on,
        quantity=request.quantity,
        coefficient=request.coefficient,
        base=base,
        amount=line if request.amount is None else request.amount,
        rate=circumstances.rate(kind, request.on),
        association=request.association or 0,
        modifiers=request.modifiers,
    )


def _check(place: str, request: ActRequest, kind: ActType) -> None:
    """Refuse what is no quantity, coefficient or price, before it is computed with."""
    if not 1 <= request.quantity <= MAX_QUANTITY:
        raise FseError(place, f"quantity {request.quantity}", f"a quantity is from 1 to {MAX_QUANTITY}")
    if not (request.coefficient.is_finite() and 0 < request.coefficient <= MAX_COEFFICIENT):
        raise FseError(
            place, f"coefficient {request.coefficient}", f"a coefficient is above 0, up to {MAX_COEFFICIENT}"
        )
    check_ccam(place, request, kind)
    for name, given in (("unit price", request.unit), ("amount", request.amount)):
        if given is not None and not 0 < given <= MAX_PRICE:
            raise FseError(place, f"{name} of {given} cents", f"give from 1 to {MAX_PRICE} cents")


def _tariff(place: str, request: ActRequest, kind: ActType, profession: str | None, specialty: str) -> int:
    if not kind.is_of(request.on, profession, specialty):
        raise FseError(place, f"no price of {kind.code} is known for {request.on}", "give the act of that day")
    known = kind.price_on(request.on, profession, specialty)
    if known is None:
        if request.unit is None:
            raise FseError(place, f"{kind.code} has no tariff", "give its unit price")
        return request.unit
    if request.unit not in (None, known):
        raise FseError(place, f"the unit price of {kind.code} is {known} cents", "give the amount asked instead")
    return known


def _has_amc(beneficiary: CareBeneficiary) -> bool:
    return beneficiary.complementary is not None and not beneficiary.complementary.mutuelle
