"""A reference to what no card of the scenario has is found when the suite is read, with its place and a cure."""

from __future__ import annotations

from pathlib import Path

import pytest
from conformance_bench import Lab, steps_text, write

from bifente.conformance.loading import InputError
from bifente.conformance.options import RunOptions
from bifente.conformance.run.preparing import prepare

BOTH = "bench: {cards: {cps: medecin-generaliste, vitale: vitale/ald}}"


def complaint(lab: Lab, folder: Path, steps: str, head: str = BOTH) -> str:
    path = write(folder, steps_text(steps, head=head))
    with pytest.raises(InputError) as raised:
        prepare(RunOptions(paths=(path,)), lab.workshop)
    return str(raised.value).replace(str(path), "suite.yaml")


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("- verify-code: $card.codes", "suite.yaml:10:9: $card.codes leads nowhere"),
        ("- verify-code: $card.codes", "the card of the slot cps (medecin-generaliste) has no 'codes'"),
        ("- verify-code: $card.codes", "did you mean 'code'?"),
        ("- get-challenge: 8\n  expect: {data: $cards.vitale.code}", "the card of the slot vitale (vitale/ald)"),
        ("- verify-code: '${card.cod}'", "$card.cod leads nowhere"),
        ("- verify-code: $card.activities.9.sector", "$card.activities.9.sector leads nowhere on the card of the slot"),
        ("- verify-code: $card.activities.1.secteur", "'secteur' is unknown (did you mean 'sector'?)"),
        (
            "- verify-code: $card.activities",
            "verify-code: $card.activities does not fit here: code: a text is expected",
        ),
        ("- get-challenge: $card.family-name", "length: a whole number is expected"),
        (
            "- get-challenge: 8\n  expect: {sw: $card.activities}",
            "get-challenge: sw: $card.activities does not fit here: ",
        ),
        (
            "- get-challenge: 8\n  expect: {data: {length: $card.code}}",
            "data: $card.code does not fit here: length: '1234' is no number of bytes",
        ),
        ("- inject-fault: $faults.card-muet.code", "$faults.card-muet.code leads nowhere"),
        # Cards move, but none of them knows it.
        ("- swap-cards: vitale\n- verify-code: $cards.vitale.codes", "has no 'codes'"),
    ],
)
def test_a_slip_is_told_with_place_and_cure(lab: Lab, tmp_path: Path, steps: str, said: str) -> None:
    assert said in complaint(lab, tmp_path, steps)


def test_every_slip_of_a_scenario_is_told(lab: Lab, tmp_path: Path) -> None:
    told = complaint(lab, tmp_path, "- verify-code: $card.cod\n- verify-code: $card.kode")
    assert "$card.cod leads" in told
    assert "$card.kode leads" in told


@pytest.mark.parametrize(
    "steps",
    [
        "- verify-code: $card.code",
        "- verify-code: $cards.cps.code\n- read: CPS_ACTIVITY_01_PS\n  expect: {sector: $card.activities.1.sector}",
        # Once cards have changed slots, only running tells which one is meant.
        "- swap-cards: vitale\n- verify-code: $cards.vitale.code\n  slot: vitale",
    ],
)
def test_what_leads_somewhere_is_read(lab: Lab, tmp_path: Path, steps: str) -> None:
    path = write(tmp_path, steps_text(steps, head=BOTH))
    assert prepare(RunOptions(paths=(path,)), lab.workshop).scenarios
