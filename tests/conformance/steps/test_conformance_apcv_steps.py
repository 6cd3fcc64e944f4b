"""The steps of the apCV: what they observe, that their expectations can fail, and what a bad argument gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conformance_bench import Lab, complaints, steps_text
from pydantic import ValidationError

from bifente.conformance.domains.vitale.steps.apcv import _TAMPER, Tampering
from bifente.conformance.scenario.steps import steps
from bifente.reports.verdict import Verdict

PAIR = "bench: {cards: {cps: medecin-generaliste, vitale: vitale/assure-seul}}"
ALONE = "bench: {cards: {cps: medecin-generaliste}}"
ACQUIRED = "- init-lib\n- apcv-activate\n- apcv-acquire-nfc\n"


def verdict(lab: Lab, folder: Path, steps: str, head: str = PAIR) -> Verdict:
    (found,) = lab.run(folder, steps_text(steps, head=head)).verdicts.values()
    return found


@pytest.mark.parametrize(
    ("steps", "wanted"),
    [
        (ACQUIRED, Verdict.PASSED),
        (ACQUIRED + "- lire-droits-apcv: $card.code", Verdict.PASSED),
        (ACQUIRED + "- lire-droits-apcv: $card.code\n  expect: {apcv: false}", Verdict.FAILED),
        (ACQUIRED + "- lire-droits-apcv: $card.code\n  expect: {groups: {absent: [106]}}", Verdict.FAILED),
        (ACQUIRED + "- lire-droits-apcv: $card.code\n  expect: {refusal: no-context}", Verdict.FAILED),
        (ACQUIRED + "- lire-droits-vitale: $card.code\n  expect: {apcv: true}", Verdict.FAILED),
        (ACQUIRED + "- lire-droits-vitale: $card.code\n- lire-droits-apcv: $card.code", Verdict.FAILED),
        ("- init-lib\n- lire-droits-apcv: $card.code", Verdict.FAILED),
        ("- apcv-acquire-nfc", Verdict.FAILED),
        ("- apcv-acquire-nfc:\n  expect: {outcome: unknown-phone}", Verdict.PASSED),
        ("- apcv-acquire-qr: x", Verdict.FAILED),
        ("- apcv-restore", Verdict.FAILED),
        ("- apcv-delete", Verdict.FAILED),
        ("- apcv-renew: 1", Verdict.FAILED),
        ("- apcv-pass-in: 1", Verdict.FAILED),
        ("- apcv-pass-in: 2\n  expect: {outcome: no-context}", Verdict.PASSED),
        (ACQUIRED + "- apcv-acquire-nfc:\n  expect: {outcome: replayed}", Verdict.FAILED),
        (ACQUIRED + "- advance-clock: 900\n- apcv-renew: 7\n- apcv-pass-in: 2", Verdict.PASSED),
        (ACQUIRED + "- apcv-lives: {context: 5}\n- advance-clock: 5\n- apcv-restore", Verdict.PASSED),
        (
            ACQUIRED + "- apcv-lives: {context: 5}\n- apcv-acquire-nfc\n- advance-clock: 5\n- apcv-restore",
            Verdict.FAILED,
        ),
    ],
)
def test_verdicts(lab: Lab, tmp_path: Path, steps: str, wanted: Verdict) -> None:
    assert verdict(lab, tmp_path, steps) is wanted


@pytest.mark.parametrize("steps", ["- apcv-activate", "- apcv-activate: {holder: cps}"])
def test_a_phone_needs_the_rights_of_a_vitale_of_ours(lab: Lab, tmp_path: Path, steps: str) -> None:
    ran = lab.run(tmp_path, steps_text(steps, head=ALONE))
    assert ran.verdict is Verdict.FAILED
    assert "the scenario has no Vitale in the slot" in ran.told() + ran.reason


def test_contexts_die_with_their_scenario(lab: Lab, tmp_path: Path) -> None:
    assert verdict(lab, tmp_path, ACQUIRED) is Verdict.PASSED
    assert verdict(lab, tmp_path, "- apcv-restore:\n  expect: {outcome: no-context}") is Verdict.PASSED


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("apcv-lives", {"context": 0}),
        ("apcv-lives", {"proof": 100_000}),
        ("apcv-service", {}),
        ("apcv-acquire-qr", {}),
        ("apcv-acquire-qr", {"qr": "x" * 9000}),
        ("apcv-acquire-qr", {"qr": "x", "tampered": "gently"}),
        ("apcv-pass-in", 0),
        ("apcv-renew", {"invoice": "1" * 65}),
        ("apcv-activate", {"clock-ahead": "soon"}),
        ("lire-droits-apcv", {"invoice": "1"}),
    ],
)
def test_what_a_step_does_not_take(name: str, raw: Any) -> None:
    kind = steps()[name]
    with pytest.raises(ValidationError):
        kind.model_validate(kind.arguments(raw))


@pytest.mark.parametrize(
    "expect",
    ["{outcome: perhaps}", "{outcome: []}", "{sw: 9000}", "{token: x}"],
)
def test_what_cannot_be_expected_is_told_when_the_file_is_read(tmp_path: Path, expect: str) -> None:
    assert complaints(tmp_path, steps_text(f"- apcv-restore:\n  expect: {expect}", head=PAIR))


@pytest.mark.parametrize("kind", Tampering)
@pytest.mark.parametrize("text", ["", "x", "a.b.c", "BIFENTE-APCV-1:a.!!.c", "BIFENTE-APCV-1:a.e30.c", "." * 50])
def test_tampering_with_what_is_no_code_gives_a_text(kind: Tampering, text: str) -> None:
    assert isinstance(_TAMPER[kind](text), str)
