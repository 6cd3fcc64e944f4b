"""Lots to test with, of sheets that nobody signed."""

from __future__ import annotations

from dataclasses import replace

from fse_samples import AMC, PROFESSIONAL, TODAY, sample_invoice

from bifente.simulator.formats.fse.canonical import canonical
from bifente.simulator.formats.fse.lots import (
    make_lots,
    numbers,
)
from bifente.simulator.formats.fse.model import Dre, Lot, LotKind, SecuredInvoice

MSA = "023490349"
CNAM = "013490349"
SENDER = PROFESSIONAL.billing_id


def secured(number: int = 1, **changes: object) -> SecuredInvoice:
    return SecuredInvoice(canonical(sample_invoice(number=number, **changes)))


def fse_lots(*sheets: SecuredInvoice, **options: object) -> tuple[Lot, ...]:
    return make_lots(sheets, on=TODAY, numbers=numbers(LotKind.FSE), **options)  # type: ignore[arg-type]


def dre(number: int, amc: str = AMC.id) -> Dre:
    return Dre(number, number, TODAY, replace(AMC, id=amc), 900)


def one_lot(*which: int) -> Lot:
    return fse_lots(*(secured(number) for number in which or (1, 2, 3)))[0]
