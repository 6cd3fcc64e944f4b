"""Claims for the complementary insurer (DRE): allowed by the AMC's indicator, cancelled by another claim.

What each indicator allows is data (``dre.yaml``, sources#vitale-card). The bytes of a claim are ours: modelled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.frames import LABEL, day_of, day_text, fields_of, group_of
from bifente.simulator.formats.fse.model import Complementary, Dre, Invoice, Payment

#: The group of a claim: ours, modelled. Its first field says whose it is.
DRE_GROUP = 9510
_FIELDS = 10
_MAX_NUMBER = 999_999_999


@dataclass(frozen=True, slots=True)
class TreatmentIndicator:
    """What a treatment indicator of an AMC allows: a claim beside these payments, maybe none."""

    code: str
    label: Text
    payments: frozenset[Payment]
    rectification: bool
    fidelity: str


@cache
def indicators() -> Mapping[str, TreatmentIndicator]:
    """The indicators that are known, by their two digits."""
    return {
        code: TreatmentIndicator(
            code,
            Text(item["fr"], item["en"]),
            frozenset(Payment(one) for one in item["payment"]),
            item.get("rectification", False),
            item["fidelity"],
        )
        for code, item in shipped(__package__, "dre.yaml")["indicators"].items()
    }


def claim(invoice: Invoice, number: int) -> Dre:
    """The claim that goes beside a sheet, for what it asks of the AMC. Raises FseError where none may go.

    A mutuelle of group 107 is reached through the AMO, which passes the sheet on (modelled): it gets no claim.
    """
    place = f"DRE of invoice {invoice.number}"
    amc = invoice.beneficiary.complementary
    if amc is None:
        raise FseError(place, "the beneficiary has no complementary insurer", "make the sheet without a claim")
    if amc.mutuelle:
        raise FseError(place, f"{amc.id} is a mutuelle, the AMO passes the sheet on to it", "make no claim")
    known = indicators().get(amc.indicator)
    if known is None:
        raise FseError(
            place, f"the AMC indicator {amc.indicator!r} is not known", "read the card again or make no claim"
        )
    if invoice.payment not in known.payments:
        raise FseError(
            place,
            f"the AMC indicator {known.code} ({known.label}) allows no claim with payment {invoice.payment.value}",
            "make no claim, or change the payment of the sheet",
        )
    if invoice.amc.asked <= 0:
        raise FseError(place, f"{invoice.amc.asked} cents are asked of the AMC", "make no claim")
    return _checked(Dre(number, invoice.number, invoice.on, amc, invoice.amc.asked), place)


def cancellation(cancelled: Dre, number: int, on: date) -> Dre:
    """The claim that cancels one. Raises FseError: a cancellation is final, and comes after what it cancels."""
    place = f"cancellation of DRE {cancelled.number}"
    if cancelled.cancels is not None:
        raise FseError(place, f"it cancels DRE {cancelled.cancels} itself", "make a new claim")
    if on < cancelled.on:
        raise FseError(place, f"it would be of {on}, before the claim of {cancelled.on}", "check the date")
    return _checked(Dre(number, cancelled.invoice, on, cancelled.amc, cancelled.asked, cancels=cancelled.number), place)


def encode_dre(dre: Dre) -> bytes:
    """The bytes of a claim: one group. Raises FseError for what ``decode_dre`` would not read back."""
    place = f"DRE {dre.number}"
    _checked(dre, place)
    amc = dre.amc
    try:
        return group_of(
            DRE_GROUP,
            LABEL,
            str(dre.number),
            str(dre.invoice),
            day_text(dre.on),
            amc.id,
            amc.member,
            amc.indicator,
            "M" if amc.mutuelle else "A",
            str(dre.asked),
            "" if dre.cancels is None else str(dre.cancels),
        )
    except UnicodeEncodeError as error:
        raise FseError(place, f"it is not ASCII: {error.object!r}", "write it without accents") from None


def decode_dre(data: bytes) -> Dre:
    """A claim from its bytes; ``encode_dre`` gives them back. Raises FseError."""
    place = "DRE"
    fields = fields_of(data, DRE_GROUP, _FIELDS, place)
    try:
        label, number, invoice, on, amc_id, member, indicator, kind, asked, cancels = (
            field.decode("ascii") for field in fields
        )
        if label != LABEL:
            raise ValueError(f"it begins with {label!r}, not {LABEL}")
        if kind not in ("M", "A"):
            raise ValueError(f"the kind of insurer is M or A, not {kind!r}")
        day = day_of(on)
        amc = Complementary(amc_id, member, indicator, kind == "M")
        dre = Dre(int(number), int(invoice), day, amc, int(asked), int(cancels) if cancels else None)
    except ValueError as error:
        raise FseError(place, str(error), "write it as the bench does") from error
    if encode_dre(dre) != data:
        raise FseError(f"{place} {dre.number}", "it is not written in its only form", "write numbers without zeros")
    return dre


def _checked(dre: Dre, place: str) -> Dre:
    for name, value in (("number", dre.number), ("invoice", dre.invoice), ("cancels", dre.cancels)):
        if value is not None and not 1 <= value <= _MAX_NUMBER:
            raise FseError(place, f"{name} {value} is not between 1 and {_MAX_NUMBER}", "number it anew")
    if not 0 < dre.asked <= _MAX_NUMBER:
        raise FseError(place, f"{dre.asked} cents cannot be asked", "ask for more than nothing")
    if dre.cancels == dre.number:
        raise FseError(place, "it cancels itself", "give it the number of the claim to cancel")
    if not re.fullmatch(r"[ -~]*", dre.amc.id + dre.amc.member + dre.amc.indicator, re.ASCII):
        raise FseError(place, "what names the insurer is not printable ASCII", "read the card again")
    return dre
