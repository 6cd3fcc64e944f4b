"""An editor who plays the suites sees every rule of the practice, and every reason of the front end within reach."""

from __future__ import annotations

import re
from pathlib import Path

from bifente.simulator.services.frontal.reasons import reasons
from bifente.simulator.tarification.rules import RULES

SUITES = Path(__file__).resolve().parents[2] / "scenarios" / "fse"
WORDS = frozenset(
    re.findall(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", "\n".join(path.read_text("utf-8") for path in SUITES.glob("*.yaml")))
)
RULES_NOT_PLAYED = {
    "holder-code-missing": "without the code no zone is read that a sheet could be made of",
    "prescription-date-missing": "a prescriber is told with its day",
    "proof-of-mode": "the proof goes by the mode",
    "regime-unknown": "such a sheet cannot be made: it has no destination body",
}
REASONS_NOT_PLAYED = {
    **dict.fromkeys(
        (
            *("file-name-reused", "lot-form", "lot-in-the-future", "lot-wrong-card", "lot-sender-unknown"),
            *("signature-unexpected", "certificate-unreadable", "certificate-not-yet-valid", "certificate-expired"),
            *("certificate-wrong-use", "signer-wrong-card", "signer-other-vitale", "signer-no-right", "lot-no-right"),
            *("moment-impossible", "regime-unknown", "prescription-date-missing"),
            *("insured-unknown", "insured-otherwise", "professional-unknown", "number-of-another", "right-not-on-file"),
        ),
        "the workstation or its cards refuse to sign it: only a forger with their keys gets so far (tests/services)",
    ),
    **dict.fromkeys(
        (
            *("complementary-otherwise", "claim-not-of-sheet", "claim-standing", "claim-otherwise"),
            *("claim-unknown", "claim-settled"),
        ),
        "no step writes a claim otherwise than the sheet has it (tests/services)",
    ),
}


def test_every_rule_is_played_or_says_why_not() -> None:
    assert {code for code in RULES if code not in WORDS} == set(RULES_NOT_PLAYED)


def test_every_reason_is_played_or_says_why_not() -> None:
    assert {code for code in reasons() if code not in WORDS} == set(REASONS_NOT_PLAYED)


def test_there_are_sixty_ways_to_cheat() -> None:
    text = (SUITES / "cheats.yaml").read_text("utf-8")
    assert len(re.findall(r"^          - \{id: ", text, re.MULTILINE)) >= 60
