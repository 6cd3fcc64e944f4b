"""``bifente diff``: two real runs of one suite, what differs, and exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conformance_cli import Cli

SUITE = """
suite: here.codes
title: {fr: Codes, en: Codes}
fidelity: observed
bench:
  cards: {cps: {template: medecin-generaliste, codes: {pin: "CODE"}}}
scenarios:
  - id: a-code
    title: {fr: Un code, en: A code}
    requirements: [CARD-CPS3-16]
    destructive: true
    steps:
      - select-application: cpx-ias
      - verify-code: "1234"
        expect: {sw: EXPECTED}
"""


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return Cli(monkeypatch, capsys)


@pytest.fixture
def runs(cli: Cli, tmp_path: Path) -> None:
    for name, code, expected in (("same", "1234", "9000"), ("other", "4321", "9000")):
        suite = SUITE.replace("CODE", code).replace("EXPECTED", expected)
        (tmp_path / "suite.yaml").write_text(suite, encoding="utf-8")
        cli("run", "suite.yaml", "--out", name, "--formats", "json", "--quiet")
    shutil.copytree(tmp_path / "same", tmp_path / "copy")


@pytest.mark.usefixtures("runs")
def test_two_runs_of_two_cards(cli: Cli) -> None:
    said = cli("diff", "same", "other", "--lang", "fr")
    assert said.code == 1
    assert "fichier : suite.yaml : A " in said.out
    assert "1 × mot d'état, cps: VERIFY" in said.out
    assert "      A  9000\n      B  63C2\n      here.codes/a-code, étape 2 (verify-code)" in said.out
    assert "✗ échoué" in said.out
    assert max(map(len, said.out.splitlines())) <= 80


@pytest.mark.usefixtures("runs")
def test_nothing_differs_and_it_is_said_of_how_much(cli: Cli) -> None:
    assert "Aucune différence, sur 1 scénario(s)" in cli("diff", "same", "copy/journal.jsonl", "--lang", "fr").ok()


@pytest.mark.usefixtures("runs")
def test_for_scripts(cli: Cli) -> None:
    said = cli("diff", "same", "other", "--json")
    told = json.loads(said.out)
    assert said.code == 1
    assert told["alike"] is False
    assert {one["aspect"] for one in told["differences"]} == {"verdict", "status-word"}
    assert "4321" not in said.out  # a code stays masked


@pytest.mark.usefixtures("runs")
def test_a_run_against_another(cli: Cli) -> None:
    # The suite is now the one of the other card.
    said = cli(
        "run", "suite.yaml", "--out", "third", "--formats", "json", "--quiet", "--against", "other", "--lang", "fr"
    )
    assert said.code == 1  # of itself: the code is refused
    assert "Aucune différence" in said.out
    assert "--against" not in (Path("third") / "report.json").read_text(encoding="utf-8")
    said = cli(
        "run", "suite.yaml", "--out", "fourth", "--formats", "json", "--quiet", "--against", "same", "--lang", "fr"
    )
    assert "mot d'état" in said.out
    cli("run", "suite.yaml", "--out", "fifth", "--against", "nowhere").fails(2, "no such journal")
    assert not Path("fifth").exists()


def test_a_run_that_passes_and_differs_is_no_success(cli: Cli, tmp_path: Path) -> None:
    for name, code in (("first", "1234"), ("second", "4321")):
        suite = SUITE.replace('"1234"', "$card.code").replace("CODE", code).replace("EXPECTED", "9000")
        suite += "      - read: CPS_ACTIVITY_01_PS\n" if name == "second" else ""
        (tmp_path / "suite.yaml").write_text(suite, encoding="utf-8")
        against = ("--against", "first") if name == "second" else ()
        said = cli("run", "suite.yaml", "--out", name, "--formats", "json", "--quiet", "--lang", "fr", *against)
        assert said.code == (1 if against else 0), said.out
    assert "étapes jouées" in said.out


@pytest.mark.usefixtures("runs")
def test_no_journal(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for arguments in (("nowhere", "same"), ("same", "empty"), ("same", "other", "--again-a", "nowhere")):
        cli("diff", *arguments).fails(2, "no such journal")


def test_a_journal_that_is_none(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "none").write_text("{}\n")
    cli("diff", "none", "none").fails(2, "none:1")
