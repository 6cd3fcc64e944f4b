"""``bifente faults``: the list, the search by words, one fault in full, and the table of the documentation."""

from __future__ import annotations

from pathlib import Path

import pytest
from conformance_cli import Cli

from bifente.simulator.faults import catalogue

DOCS = Path(__file__).resolve().parents[3] / "docs" / "faults.md"


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(monkeypatch, capsys)


def test_every_fault_is_listed(cli: Cli) -> None:
    told = cli("faults", "list", "--lang", "en").ok()
    assert [line.split()[0] for line in told.splitlines()] == list(catalogue())
    assert cli("faults", "--lang", "en").ok() == told


def test_the_words_of_a_customer_give_the_likeliest_first(cli: Cli) -> None:
    told = cli("faults", "list", "carte", "bloquée", "--lang", "fr").ok().splitlines()
    assert told[0].startswith("code-blocked")
    assert "SW 6983 SSV F002" in told[0]
    assert len(told) <= 8


def test_a_code_counts_for_more_than_any_word(cli: Cli) -> None:
    told = cli("faults", "list", "GALSS", "erreur", "61441", "--lang", "fr").ok().splitlines()
    assert told
    assert all("SSV F001" in line for line in told[:3])


def test_a_place_narrows_the_list(cli: Cli) -> None:
    told = cli("faults", "list", "--place", "wireless").ok().splitlines()
    assert {line.split()[0] for line in told} == {one.id for one in catalogue().values() if one.place == "wireless"}


def test_words_that_fit_nothing_are_bad_input(cli: Cli) -> None:
    cli("faults", "list", "zzzz").fails(2, "nothing fits 'zzzz'")


@pytest.mark.parametrize(
    ("lang", "parts"),
    [
        ("fr", ["« le voyant clignote", "NOT_TRANSACTED (80100016)", "GALSS 0200", "SSV FF30/F014", "vpcd montre"]),
        ("en", ['"the light blinks', "remedy", "UNREADABLE_ANSWER (vpcd has no time limit", "[modelled]"]),
    ],
)
def test_one_fault_in_full(cli: Cli, lang: str, parts: list[str]) -> None:
    told = cli("faults", "show", "card-mute", "--lang", lang).ok()
    for part in parts:
        assert part in told


def test_an_unknown_fault_suggests_the_near_one(cli: Cli) -> None:
    cli("faults", "show", "card-mutt").fails(2, "did you mean 'card-mute'?")


def test_the_documentation_has_the_catalogue_of_today(cli: Cli) -> None:
    table = cli("faults", "list", "--markdown").ok().strip()
    assert table in DOCS.read_text(encoding="utf-8"), "bifente faults list --markdown goes into docs/faults.md"
