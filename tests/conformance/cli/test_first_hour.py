"""What an editor meets in the first hour: files read without running, what failed run again, files of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from conformance_bench import scenario_text, suite_text, write
from conformance_cli import Cli

from bifente.conformance.bench.profiles import _shelf, load_profile
from bifente.conformance.run.suites import SCENARIOS
from bifente.ground.own import ENVIRONMENT
from bifente.reports.journal import FILE_NAME
from bifente.reports.render import load
from bifente.reports.verdict import Verdict

PASSES = scenario_text("steps: [get-challenge: 8]", "passes")
FAILS = scenario_text("steps: [code-status]", "fails")
FAILS_TOO = scenario_text("steps: [code-status]", "fails-too")
SLIPS = scenario_text("steps: [verify-code: $card.codes]", "slips")


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    return Cli(monkeypatch, capsys)


def other(*scenarios: str) -> str:
    return suite_text(*scenarios).replace("t.one", "t.two")


def test_check_reads_and_runs_nothing(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, suite_text(PASSES, FAILS))
    assert "2" in cli("run", "--check", "suite.yaml").ok()
    write(tmp_path, other(SLIPS), "two.yaml")
    said = cli("run", "--check", ".")
    said.fails(2, "two.yaml", "$card.codes")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["suite.yaml", "two.yaml"]


def test_list_names_what_would_run(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, suite_text(PASSES, FAILS))
    said = cli("run", "--list", "suite.yaml", "--select", "t.one/p*").ok()
    assert said.split()[0] == "t.one/passes"
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_failed_runs_again_what_failed_and_says_when_nothing_did(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, suite_text(PASSES, FAILS))
    cli("run", "--failed").fails(2, "--of")
    assert cli("run", "suite.yaml").code == 1
    assert cli("run", "--failed", "--out", "again").code == 1
    again = load(tmp_path / "again" / FILE_NAME)
    assert [one.id for one in again.scenarios] == ["t.one/fails"]
    assert again.scenarios[0].start.reproduce == "bifente run suite.yaml --select t.one/fails"
    write(tmp_path, suite_text(PASSES))
    assert cli("run", "suite.yaml", "--out", "good").code == 0
    cli("run", "--failed", "--of", "good").ok()
    cli("run", "--of", "good").fails(2, "--failed")
    cli("run", "--failed", "--of", "nowhere").fails(2, "nowhere")


def test_maxfail_stops_and_tells_the_rest(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, suite_text(FAILS, PASSES, FAILS_TOO))
    assert cli("run", "suite.yaml", "--maxfail", "1", "--out", "r").code == 1
    run = load(tmp_path / "r" / FILE_NAME)
    assert [one.verdict for one in run.scenarios] == [Verdict.FAILED, Verdict.NOT_RUN, Verdict.NOT_RUN]
    assert not run.interrupted
    assert run.missing == 0
    assert "--maxfail" in str(run.scenarios[-1].reason)


def test_a_mistake_in_one_file_stops_no_other(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, suite_text(PASSES))
    write(tmp_path, other(SLIPS), "two.yaml")
    write(tmp_path, "suite: [\n", "three.yaml")
    said = cli("run", ".", "--out", "r")
    assert said.code == 2
    assert "two.yaml:9:13: " in said.err
    assert "three.yaml:2:1: " in said.err
    assert [one.verdict for one in load(tmp_path / "r" / FILE_NAME).scenarios] == [Verdict.PASSED]


def test_a_mistake_where_nothing_was_selected_is_no_matter(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, suite_text(PASSES))
    write(tmp_path, other(scenario_text("steps: [nothing-known]", "slips")), "two.yaml")
    said = cli("run", ".", "--select", "t.one/*", "--out", "r")
    assert said.code == 0, said
    assert said.err == ""


def test_a_template_and_a_profile_are_found_from_the_suite(cli: Cli, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    (mine / "cards").mkdir(parents=True)
    template = yaml.safe_load((Path(SCENARIOS).parent / "simulator/cards/cpx/templates/infirmier.yaml").read_text())
    (mine / "cards/me.yaml").write_text(yaml.safe_dump(template), encoding="utf-8")
    profile = yaml.safe_load(load_profile("readers/generic-bislot")[1].path.read_text())
    (mine / "reader.yaml").write_text(yaml.safe_dump({**profile, "profile": "readers/mine"}), encoding="utf-8")
    bench = "bench: {profile: reader.yaml, cards: {cps: cards/me.yaml}}"
    write(mine, suite_text(PASSES, head=bench))
    assert cli("run", "mine/suite.yaml", "--out", "r").code == 0
    assert cli("run", "mine/suite.yaml", "--out", "r2", "--workers", "2").code == 0


def test_a_folder_of_ones_own_is_known_by_name(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own"
    (own / "cards/vitale").mkdir(parents=True)
    (own / "readers").mkdir()
    shipped = Path(SCENARIOS).parent / "simulator/cards"
    (own / "cards/me.yaml").write_text((shipped / "cpx/templates/infirmier.yaml").read_text(), encoding="utf-8")
    (own / "cards/vitale/you.yaml").write_text((shipped / "vitale/templates/ald.yaml").read_text(), encoding="utf-8")
    profile = yaml.safe_load(load_profile("readers/generic-bislot")[1].path.read_text())
    (own / "readers/desk.yaml").write_text(yaml.safe_dump({**profile, "profile": "readers/desk"}), encoding="utf-8")
    monkeypatch.setenv(ENVIRONMENT, str(own))
    _shelf.cache_clear()
    try:
        listed = cli("cards", "list").ok()
        assert "me " in listed
        assert "vitale/you" in listed
        assert "readers/desk" in cli("profiles", "list").ok()
        write(tmp_path, suite_text(PASSES, head="bench: {profile: readers/desk, cards: {cps: me, vitale: vitale/you}}"))
        assert cli("run", "suite.yaml", "--out", "r").code == 0
        (own / "cards/infirmier.yaml").write_text("family: cps3\n", encoding="utf-8")
        cli("cards", "list").fails(2, "infirmier", "rename one")
    finally:
        _shelf.cache_clear()


@pytest.mark.parametrize(
    ("typed", "meant"), [("CKR_PIN_LOKED", "'CKR_PIN_LOCKED'"), ("SCARD_W_REMOVED_CRD", "'REMOVED_CARD'")]
)
def test_a_misspelt_code_is_met(cli: Cli, typed: str, meant: str) -> None:
    cli("codes", typed).fails(2, typed, meant)
    assert meant not in cli("codes", "zzz").err


def test_an_empty_file_is_no_lot_and_no_journal(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty.fse").write_bytes(b"\n")
    cli("fse", "submit", "empty.fse").fails(2, "empty.fse")
    (tmp_path / FILE_NAME).write_bytes(b"")
    cli("report", FILE_NAME).fails(2, FILE_NAME)
    (tmp_path / FILE_NAME).write_bytes(b"no event\n")
    cli("report", FILE_NAME).fails(2, f"{FILE_NAME}:1")


@pytest.mark.parametrize("title", ["Essai", "{fr: Essai}", "{en: Trial}"])
def test_a_title_in_one_language_is_enough(cli: Cli, tmp_path: Path, title: str) -> None:
    text = suite_text(PASSES)
    data = yaml.safe_load(text)
    data["title"] = data["scenarios"][0]["title"] = yaml.safe_load(title)
    write(tmp_path, yaml.safe_dump(data, allow_unicode=True))
    said = cli("run", "--list", "suite.yaml").ok()
    assert said.split()[-1] in ("Essai", "Trial")


def test_titles_of_our_own_suites_are_in_both_languages() -> None:
    for path in sorted(SCENARIOS.rglob("*.yaml")):
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        titles = [data.get("title"), *(one["title"] for one in data.get("scenarios", ()))]
        assert all(title is None or set(title) == {"fr", "en"} for title in titles), path
