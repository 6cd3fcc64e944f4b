"""What a sheet costs and who is asked for it (SV-FSE), by the tables. Whole cents everywhere.

Lines are rounded as ``formats.fse.amounts`` says; the complementary part is what is left of the base, so that the parts
always add up.
Left out, for want of a source: participations forfaitaires, franchises and the own rates of special schemes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from bifente.simulator.formats.fse.amounts import amo_part, cents, reimbursable
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import CareAct, CareBeneficiary, Insurance, PayerShare, Payment
from bifente.simulator.tarification.tables import (
    ACTS,
    CARE_PATH,
    COMPLEMENTARY,
    EXONERATIONS,
    RATES,
    ActType,
    ComplementaryRight,
)

#: Bounds of ours, well above what a line needs.
MAX_QUANTITY = 99
MAX_COEFFICIENT = 1000
MAX_PRICE = 100_000_00
_NO_INDICATOR = ComplementaryRight(tp=False, direct=False)


@dataclass(frozen=True, slots=True)
class ActRequest:
    """An act as the professional gives it. ``unit``: its unit price in cents, for an act without a tariff;
    ``amount``: what is asked for the line in all, its base if None.
    """

    code: str
    on: date
    quantity: int = 1
    coefficient: Decimal = Decimal(1)
    unit: int | None = None
    amount: int | None = None


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
) -> Priced:
    """The acts priced for a beneficiary. Raises FseError for an act that is unknown or has no price."""
    acts = tuple(
        _act(f"act {rank}", request, beneficiary, insurance, care_path) for rank, request in enumerate(requests, 1)
    )
    return Priced(acts, PayerShare(amo_of(acts)), PayerShare(amc_of(acts, beneficiary, payment)))


def rate_of(kind: ActType, beneficiary: CareBeneficiary, insurance: Insurance, care_path: str) -> int:
    """What the AMO pays of the base of an act, in percent."""
    if in_full(beneficiary, insurance):
        return 100
    rates = RATES.classes[kind.rate_class]
    letter = CARE_PATH.codes.get(care_path)
    if letter is not None and letter.outside and rates.outside is not None:
        return rates.outside
    return rates.alsace_moselle if beneficiary.alsace_moselle else rates.ordinary


def in_full(beneficiary: CareBeneficiary, insurance: Insurance) -> bool:
    """Whether the AMO pays all of the base: by the nature of insurance, an exoneration, ALD, or the C2S it manages."""
    exoneration = EXONERATIONS.codes.get(beneficiary.exoneration)
    return (
        insurance in RATES.full.insurance
        or (exoneration is not None and exoneration.full)
        or (RATES.full.ald and beneficiary.ald)
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
    place: str, request: ActRequest, beneficiary: CareBeneficiary, insurance: Insurance, care_path: str
) -> CareAct:
    kind = ACTS.get(request.code)
    if kind is None:
        raise FseError(place, f"the act {request.code!r} is not in the table", f"one of: {', '.join(ACTS)}")
    _check(place, request)
    base = _unit_price(place, request, kind)
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
        rate=rate_of(kind, beneficiary, insurance, care_path),
    )


def _check(place: str, request: ActRequest) -> None:
    """Refuse what is no quantity, coefficient or price, before it is computed with."""
    if not 1 <= request.quantity <= MAX_QUANTITY:
        raise FseError(place, f"quantity {request.quantity}", f"a quantity is from 1 to {MAX_QUANTITY}")
    if not (request.coefficient.is_finite() and 0 < request.coefficient <= MAX_COEFFICIENT):
        raise FseError(
            place, f"coefficient {request.coefficient}", f"a coefficient is above 0, up to {MAX_COEFFICIENT}"
        )
    for name, given in (("unit price", request.unit), ("amount", request.amount)):
        if given is not None and not 0 < given <= MAX_PRICE:
            raise FseError(place, f"{name} of {given} cents", f"give from 1 to {MAX_PRICE} cents")


def _unit_price(place: str, request: ActRequest, kind: ActType) -> int:
    if kind.base is None and request.unit is None:
        raise FseError(place, f"{kind.code} has no tariff", "give its unit price")
    if kind.base is not None and request.unit not in (None, kind.base):
        raise FseError(place, f"the unit price of {kind.code} is {kind.base} cents", "give the amount asked instead")
    return kind.base if request.unit is None else request.unit  # type: ignore[return-value]


def _has_amc(beneficiary: CareBeneficiary) -> bool:
    return beneficiary.complementary is not None and not beneficiary.complementary.mutuelle
