"""What a sheet costs and who is asked for it (SV-FSE), by the tables. Whole cents everywhere.

Lines are rounded as ``formats.fse.amounts`` says; the complementary part is what is left of the base, so that the parts
always add up.
Left out, for want of a source: the own rates of special schemes (``RATES.own_rates`` names them). Participations
forfaitaires and franchises are taken later by the body, never on the sheet.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from bifente.simulator.formats.fse.amounts import amo_part, cents, reimbursable
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import CareAct, CareBeneficiary, Insurance, PayerShare, Payment
from bifente.simulator.tarification.ages import age
from bifente.simulator.tarification.ccam import associated, check_ccam, unit_price
from bifente.simulator.tarification.requests import ActRequest
from bifente.simulator.tarification.tables import (
    ACTS,
    CARE_PATH,
    COMPLEMENTARY,
    EXONERATIONS,
    RATES,
    ActType,
    ComplementaryRight,
    profession_of,
)

#: Bounds of ours, well above what a line needs.
MAX_QUANTITY = 99
MAX_COEFFICIENT = 1000
MAX_PRICE = 100_000_00
_ALD_EXONERATION = "4"
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
    asked = associated(tuple(requests), profession)
    acts = tuple(
        _act(f"act {rank}", request, beneficiary, insurance, care_path, profession)
        for rank, request in enumerate(asked, 1)
    )
    return Priced(acts, PayerShare(amo_of(acts)), PayerShare(amc_of(acts, beneficiary, payment)))


def rate_of(
    kind: ActType,
    beneficiary: CareBeneficiary,
    insurance: Insurance,
    care_path: str,
    *,
    on: date,
    profession: str | None = None,
) -> int:
    """Return what the AMO pays of the base of an act of that day, in percent (sources#rates)."""
    rates = RATES.classes[kind.class_of(profession)]
    if _in_full(beneficiary, insurance, in_ald=rates.in_ald):
        rate = 100
    else:
        then = rates.on(on)
        rate = then.alsace_moselle if beneficiary.alsace_moselle else then.ordinary
    return rate - _outside(kind, beneficiary, insurance, care_path, on, profession) if rate else 0


def _outside(
    kind: ActType,
    beneficiary: CareBeneficiary,
    insurance: Insurance,
    care_path: str,
    on: date,
    profession: str | None,
) -> int:
    """The points that an act outside the coordinated care path loses."""
    rule, letter = RATES.outside_care_path, CARE_PATH.codes.get(care_path)
    concerned = (
        letter is not None
        and letter.outside
        and kind.care_path
        and profession in (None, *rule.professions)
        and insurance is Insurance.MALADIE
        and age(beneficiary.birth, on) >= rule.from_age
    )
    return rule.points if concerned else 0


def _in_full(beneficiary: CareBeneficiary, insurance: Insurance, *, in_ald: bool) -> bool:
    """Whether the AMO pays all of the base: by the nature of insurance, an exoneration, ALD, or the C2S it manages."""
    exoneration = EXONERATIONS.codes.get(beneficiary.exoneration)
    by_ald = beneficiary.exoneration == _ALD_EXONERATION
    return (
        insurance in RATES.full.insurance
        or (exoneration is not None and exoneration.full and (in_ald or not by_ald))
        or (RATES.full.ald and beneficiary.ald and in_ald)
        or (RATES.full.c2s_managed_by_amo and beneficiary.c2s and not _has_amc(beneficiary))
    )


def amo_of(acts: Iterable[CareAct]) -> int:
    """The AMO part of all lines."""
    return sum(map(amo_part, acts))


def amc_of(acts: Iterable[CareAct], beneficiary: CareBeneficiary, payment: Payment) -> int:
    """The complementary part of all lines: what is left of their bases, if the insurer may be asked in this payment."""
    if not may_ask_amc(beneficiary, payment):
        return 0
    return sum(reimbursable(act) - amo_part(act) for act in acts)


def may_ask_amc(beneficiary: CareBeneficiary, payment: Payment) -> bool:
    """Whether the treatment indicator of the complementary insurer lets it be asked in this kind of payment."""
    amc = beneficiary.complementary
    if amc is None:
        return False
    known = COMPLEMENTARY.mutuelle if amc.mutuelle else COMPLEMENTARY.amc
    indicator = known.get(amc.indicator, _NO_INDICATOR)
    return indicator.tp if payment is Payment.TIERS_PAYANT else indicator.direct


def _act(
    place: str,
    request: ActRequest,
    beneficiary: CareBeneficiary,
    insurance: Insurance,
    care_path: str,
    profession: str | None,
) -> CareAct:
    kind = ACTS.get(request.code)
    if kind is None:
        raise FseError(place, f"the act {request.code!r} is not in the table", f"one of: {', '.join(ACTS)}")
    _check(place, request, kind)
    base = unit_price(_tariff(place, request, kind), request.association or 0, request.modifiers)
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
        rate=rate_of(kind, beneficiary, insurance, care_path, on=request.on, profession=profession),
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


def _tariff(place: str, request: ActRequest, kind: ActType) -> int:
    known = kind.price_on(request.on)
    if known is None:
        if request.unit is None:
            raise FseError(place, f"{kind.code} has no tariff", "give its unit price")
        return request.unit
    if request.unit not in (None, known):
        raise FseError(place, f"the unit price of {kind.code} is {known} cents", "give the amount asked instead")
    return known


def _has_amc(beneficiary: CareBeneficiary) -> bool:
    return beneficiary.complementary is not None and not beneficiary.complementary.mutuelle
