"""What a body finds billed before: by the person who bills, for the person cared for, by act or group, on the day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fse_samples import ACT, TODAY, sample_invoice

from bifente.simulator.formats.fse.model import Invoice, LotKind, Nomenclature
from bifente.simulator.services.frontal.ledger import ItemState, Ledger

SENDER, OTHER = "991000019", "991000027"
FIRST = sample_invoice(number=1)


def sheet(code: str = "G", **changes: Any) -> Invoice:
    nomenclature = Nomenclature.CCAM if len(code) > 6 else Nomenclature.NGAP
    how = {name: changes.pop(name) for name in ("on", "association") if name in changes}
    return sample_invoice(**{"number": 2, **changes}, acts=(replace(ACT, code=code, nomenclature=nomenclature, **how),))


def after(first: Invoice, second: Invoice, sender: str = SENDER) -> int | None:
    ledger = Ledger()
    ledger.set_item(SENDER, LotKind.FSE, first.number, ItemState.ACCEPTED)
    ledger.bill(SENDER, first)
    return ledger.billed_before(sender, second)


@pytest.mark.parametrize("code", ["G", "GS", "C", "VG", "TCG", "GL"])
def test_a_consultation_of_another_name_is_one(code: str) -> None:
    assert after(FIRST, sheet(code)) == 1


@pytest.mark.parametrize("code", ["IK", "DEQP003"])
def test_what_goes_with_it_is_another_thing(code: str) -> None:
    assert after(FIRST, sheet(code)) is None


def test_another_day_person_or_professional_is_another_thing() -> None:
    assert after(FIRST, sheet(on=TODAY - timedelta(days=1))) is None
    assert after(FIRST, sheet(beneficiary__rank=2)) is None
    assert after(FIRST, sheet(professional__rpps="99900000029")) is None


def test_another_number_of_the_professional_is_no_other_professional() -> None:
    assert after(FIRST, sheet(number=1, professional__billing_id=OTHER), OTHER) == 1


@pytest.mark.parametrize(("first", "second", "found"), [(0, 0, 1), (1, 1, 1), (0, 1, 1), (1, 2, None), (0, 5, None)])
def test_a_physician_has_one_technical_act_in_full_a_day(first: int, second: int, found: int | None) -> None:
    one = sheet("QZJA002", number=1, association=first)
    assert after(one, sheet("DEQP003", association=second)) == found


def test_a_dentist_has_each_in_full() -> None:
    one = sheet("HBJD001", number=1, professional__specialty="19")
    assert after(one, sheet("HBJD001", professional__specialty="19")) is None


def test_a_sheet_that_is_corrected_is_in_force_no_more() -> None:
    ledger = Ledger()
    ledger.set_item(SENDER, LotKind.FSE, 1, ItemState.ACCEPTED)
    ledger.bill(SENDER, FIRST)
    corrects = sheet(rectifies=1)
    assert ledger.billed_before(SENDER, corrects) is None
    ledger.correct(SENDER, 1, by=2)
    assert ledger.item(SENDER, LotKind.FSE, 1) is ItemState.CANCELLED
    assert ledger.billed_before(SENDER, sheet(number=3)) is None


def test_what_was_never_accepted_is_not_corrected() -> None:
    ledger = Ledger()
    ledger.correct(SENDER, 1, by=2)
    assert ledger.item(SENDER, LotKind.FSE, 1) is None
