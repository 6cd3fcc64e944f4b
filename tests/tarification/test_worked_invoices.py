"""Invoices worked out by hand: what the tables make of each, to the cent, and no rule that finds fault with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from fse_samples import AMC, BENEFICIARY, PRESCRIBER, TODAY, sample_invoice

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import Insurance, Payment, WorkAccident
from bifente.simulator.tarification.bodies import body_of
from bifente.simulator.tarification.pricing import price
from bifente.simulator.tarification.requests import ActRequest
from bifente.simulator.tarification.rules import Facts, examine

WORKED = yaml.safe_load((Path(__file__).parent / "worked_invoices.yaml").read_text(encoding="utf-8"))
INVOICES, REFUSED = WORKED["invoices"], WORKED["refused"]

_TOLD = {"act-repeated", "rights-closed"}
"""What is said of some of them: an act is there twice, or the day is before the rights of the sample."""


def request(written: Any, on: date) -> ActRequest:
    code, more = (written, {}) if isinstance(written, str) else written
    if "coefficient" in more:
        more = {**more, "coefficient": Decimal(str(more["coefficient"]))}
    return ActRequest(code, on, **more)


@pytest.mark.parametrize("row", INVOICES, ids=lambda row: row["why"])
def test_an_invoice_worked_out_by_hand(row: dict[str, Any]) -> None:
    on = row.get("day", TODAY)
    who = replace(BENEFICIARY, **row.get("who", {}), complementary=AMC if row.get("amc-there") else None)
    insurance = Insurance(row.get("insurance", "maladie"))
    how: dict[str, Any] = {
        "insurance": insurance,
        "payment": Payment.TIERS_PAYANT,
        "care_path": row.get("path", "T"),
    }
    specialty = row.get("as", "01")
    result = price([request(act, on) for act in row["acts"]], who, specialty=specialty, **how)
    sheet = sample_invoice(
        on=on,
        acts=result.acts,
        amo=result.amo,
        amc=result.amc,
        beneficiary=who,
        prescriber=PRESCRIBER,
        prescribed_on=on,
        accident=WorkAccident(on, "999000015") if insurance is Insurance.AT_MP else None,
        pregnancy_on=on if insurance is Insurance.MATERNITE else None,
        body=body_of(who.regime, who.caisse, who.centre),
        professional__specialty=specialty,
        **how,
    )
    assert (sheet.total, sheet.amo.asked, sheet.amc.asked) == (row["total"], row["amo"], row.get("amc", 0))
    assert [finding.code for finding in examine(sheet, Facts(on)) if finding.code not in _TOLD] == row.get("told", [])


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row["why"])
def test_an_act_without_a_known_tariff_is_refused_in_words(row: dict[str, Any]) -> None:
    on = row.get("day", TODAY)
    who = replace(BENEFICIARY, **row.get("who", {}))
    with pytest.raises(FseError, match=row["says"]):
        price([request(act, on) for act in row["acts"]], who, specialty=row.get("as", "01"))


def test_there_are_enough_of_them() -> None:
    assert len(INVOICES) >= 185
