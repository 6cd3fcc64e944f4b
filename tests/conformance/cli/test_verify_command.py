"""``bifente verify``: real records as they were left, each thing tampered with, words and exit codes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conformance_cli import Cli, apart

SUITE = """
suite: here.codes
title: {fr: Codes, en: Codes}
fidelity: observed
bench:
  cards: {cps: medecin-generaliste}
scenarios:
  - id: held
    title: {fr: Le bon code, en: The right code}
    requirements: [CARD-CPS3-16]
    destructive: true
    setup:
      - select-application: cpx-ias
    steps:
      - verify-code: "1234"
        expect: {sw: 9000}
  - id: refused
    title: {fr: Un autre code, en: Another code}
    requirements: [CARD-CPS3-16]
    destructive: true
    setup:
      - select-application: cpx-ias
    steps:
      - verify-code: "4321"
        expect: {sw: 9000}
      - verify-code: "1234"
    teardown:
      - verify-code: "4321"
  - id: blocked
    title: {fr: Sans application, en: Without application}
    requirements: [CARD-CPS3-16]
    destructive: true
    setup:
      - select-application: cpx-ias
        expect: {sw: 6A82}
    steps:
      - verify-code: "1234"
"""


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return Cli(monkeypatch, capsys)


@pytest.fixture
def record(cli: Cli, tmp_path: Path) -> Path:
    (tmp_path / "suite.yaml").write_text(SUITE, encoding="utf-8")
    assert cli("run", "suite.yaml", "--out", "r", "--quiet", "--lang", "fr").code == 1
    return tmp_path / "r"


def test_a_run_as_it_was_left_holds(cli: Cli, record: Path) -> None:
    said = cli("verify", "r", "--lang", "fr").ok()
    digest = hashlib.sha256((record / "journal.jsonl").read_bytes()).hexdigest()
    assert said.splitlines()[0] == f"SHA-256 {digest}"
    assert "✓ structure : 3 scénario(s), 8 étape(s), dans l'ordre" in said
    assert said.count("✓") == 9
    assert "✓ fichiers lus : 3 inchangé(s)" in said
    assert "Tout ce qui a pu être vérifié tient." in said
    assert "Rien n'est signé" in said
    assert "Rien n'est signé" not in cli("verify", "r", "--sha256", digest.upper(), "--lang", "fr").ok()


def test_the_digest_that_was_kept(cli: Cli, record: Path) -> None:
    said = cli("verify", "r", "--sha256", "0" * 64, "--lang", "en")
    assert said.code == 1
    assert "✗ digest : is not the one that is given, 000" in said.out
    cli("verify", "r", "--sha256", "12").fails(2, "--sha256 12: 64 hexadecimal digits are expected")


def test_in_process_by_workers_and_stopped_early_alike(cli: Cli, record: Path) -> None:
    cli("run", "suite.yaml", "--out", "two", "--quiet", "--workers", "2", "--formats", "json")
    cli("run", "suite.yaml", "--out", "one", "--quiet", "--maxfail", "1", "--formats", "json")
    for run in ("two", "one"):
        assert "3 scenario(s)" in cli("verify", run, "--lang", "en").ok()


@pytest.mark.parametrize(
    ("file", "change", "check"),
    [
        ("journal.jsonl", lambda text: text.replace('"verdict":"failed"', '"verdict":"passed"', 1), "verdicts"),
        ("journal.jsonl", lambda text: "".join(text.splitlines(True)[:-4]), "journal"),
        ("journal.jsonl", lambda text: text[:-40], "journal"),
        ("report.json", lambda text: text.replace('"verdict": "failed"', '"verdict": "passed"'), "reports/report.json"),
        ("report.html", lambda text: text.replace("échoué", "réussi"), "reports/report.html"),
        ("junit.xml", lambda text: text.replace("failures=", "passed="), "reports/junit.xml"),
    ],
)
def test_what_was_tampered_with_is_named_with_its_place(
    cli: Cli, record: Path, file: str, change: Callable[[str], str], check: str
) -> None:
    before = (record / file).read_text(encoding="utf-8")
    (record / file).write_text(change(before), encoding="utf-8")
    assert change(before) != before
    said = cli("verify", "r", "--json", "--lang", "en")
    told = json.loads(said.out)
    assert (said.code, told["holds"]) == (1, False)
    failing = [one for one in told["checks"] if one["holds"] is False]
    assert failing[0]["id"] == check
    assert failing[0]["place"].startswith(f"{file}:")
    assert set(failing[0]) == {"id", "holds", "place", "text"}
    assert f"✗ {check.partition('/')[0]} : {failing[0]['place']} : " in cli("verify", "r", "--lang", "en").out


def test_a_suite_that_changed_is_told_and_fails_where_it_must_not(cli: Cli, record: Path) -> None:
    cli("verify", "r", "--inputs").ok()
    suite = record.parent / "suite.yaml"
    suite.write_text(SUITE.replace("1234", "1235"), encoding="utf-8")
    assert "○ files read : 2 unchanged; 1 changed (suite.yaml)" in cli("verify", "r", "--lang", "en").ok()
    said = cli("verify", "r", "--inputs", "--lang", "en")
    assert said.code == 1
    assert "✗ files read : suite.yaml : 2 unchanged; 1 changed (suite.yaml)" in said.out
    suite.unlink()
    assert cli("verify", "r/journal.jsonl", "--inputs").code == 1
    assert "1 not here (suite.yaml)" in cli("verify", "r", "--lang", "en").ok()


def test_reports_written_again_in_english_are_said_so(cli: Cli, record: Path) -> None:
    cli("report", "r", "--lang", "en").ok()
    assert "✓ report.html : is what this journal gives, in English" in cli("verify", "r", "--lang", "en").ok()


def test_what_is_no_record(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_text("bonjour\n")
    cli("verify", "nowhere").fails(2, "no such journal")
    cli("verify", "empty").fails(2, "holds no whole event")
    cli("verify", "text").fails(2, "text:1: not JSON")


@pytest.mark.usefixtures("_chain")
def test_the_record_of_a_live_bench_holds(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "live"
    apart("exec", "--card", "cps=medecin-generaliste", "--out", out, "--", "opensc-tool", "-a", cwd=tmp_path).ok()
    said = cli("verify", out, "--lang", "en").ok()
    assert "○ verdicts : the record has none" in said
    assert "✓ report.json" in said
