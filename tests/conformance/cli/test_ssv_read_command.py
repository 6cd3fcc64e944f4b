"""``bifente read``: the desk's view of two cards, and what it says when one will not do."""

from __future__ import annotations

from pathlib import Path

import pytest
from conformance_cli import Cli

CPS, VITALE = ("--card", "cps=medecin-generaliste"), ("--card", "vitale=vitale/assure-seul")


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return Cli(monkeypatch, capsys)


def test_both_cards_are_told_in_words(cli: Cli) -> None:
    said = cli("read", *CPS, *VITALE, "--lang", "fr").ok()
    assert "SSV_LireConfig 0000 (0)" in said
    assert "Carte du professionnel — SSV_LireCartePS 0000 (0): succès" in said
    assert "TESTMEDECIN" in said
    assert "106 Période de code couverture" in said
    assert "1701975349001" in said
    assert "1234" not in said


def test_the_galss_way_tells_of_the_galss(cli: Cli) -> None:
    said = cli("read", *CPS, *VITALE, "--middleware", "galss", "--lang", "en").ok()
    assert "63 GALSS component" in said
    assert "67 " not in said


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (VITALE, "F001", ("104 Beneficiary", "cause:", "remedy:")),
        (CPS, "F011", ("cause:",)),
        ((*CPS, *VITALE, "--code", "0000"), "F003", ("cause:",)),
        ((*CPS, *VITALE, "--date", "20260230"), "F802", ()),
        (("--card", "cps=cpa", *VITALE), "F004", ("remedy:",)),
        ((*CPS, "--card", "vitale=vitale/marquee-reelle"), "F026", ("remedy:",)),
    ],
)
def test_a_refusal_is_told_with_cause_and_remedy(
    cli: Cli, arguments: tuple[str, ...], code: str, words: tuple[str, ...]
) -> None:
    said = cli("read", *arguments, "--lang", "en")
    assert said.code == 1
    rights = said.out[said.out.index("SSV_LireDroitsVitale") :]
    assert rights.startswith(f"SSV_LireDroitsVitale {code} ")
    for word in words:
        assert word in rights
    assert "106 " not in rights


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no card is given"),
        (("--card", "cps"), "SLOT=TEMPLATE"),
        (("--card", "=x"), "SLOT=TEMPLATE"),
        (("--card", "cps=nobody"), "no known card template"),
        (("--card", "third=cpa"), "third"),
        ((*CPS, *VITALE, "--reader", "X"), "--card cps=TEMPLATE alone"),
        ((*CPS, "--profile", "readers/nothing"), "no known profile"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(cli: Cli, arguments: tuple[str, ...], words: str) -> None:
    cli("read", *arguments, "--lang", "en").fails(2, words)
