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


def test_a_wrong_code_costs_one_try_and_no_second(cli: Cli) -> None:
    said = cli("read", *CPS, *VITALE, "--code", "0000", "--lang", "en")
    assert said.code == 1
    assert "SSV_LireCartePS F003 (61443): wrong holder code" in said.out
    assert "63C2" in said.out
    assert "63C1" not in said.out
    assert said.out.splitlines()[-1].startswith("Rights on the Vitale — SSV_LireDroitsVitale not called: ")


@pytest.mark.parametrize(
    ("lang", "told"),
    [
        ("fr", ("12310000 (31/12/2", ", dépassée)")),
        ("en", ("12310000 (31 Dec 2", ", over)")),
    ],
)
def test_dates_are_readable_and_those_behind_us_are_marked(cli: Cli, lang: str, told: tuple[str, ...]) -> None:
    said = cli("read", *CPS, "--card", "vitale=vitale/carte-expiree", "--lang", lang).ok()
    assert all(words in said for words in told)


def test_a_day_that_no_calendar_has_stays_as_it_is(cli: Cli) -> None:
    said = cli("read", *CPS, "--card", "vitale=vitale/date-lunaire", "--lang", "en").ok()
    assert any(line.split()[-1] == "195419140000" for line in said.splitlines() if "Birth date" in line)


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
