"""``bifente run`` from the shell's side: exit codes, pipes, signals, disks."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from conformance_bench import scenario_text, suite_text, write
from conformance_cli import COMMAND, PATIENCE, Cli, apart
from warm import warm

from bifente.conformance.bench.scene import Act
from bifente.conformance.cli.run import exit_code
from bifente.conformance.domains.card.steps.keys import GetChallengeStep
from bifente.conformance.run.suites import default_paths
from bifente.conformance.scenario.step import Observation
from bifente.reports.journal import FILE_NAME, read_journal
from bifente.reports.model import fold
from bifente.reports.verdict import Verdict

pytestmark = pytest.mark.long

PASSES = scenario_text("steps: [get-challenge: 8]", "passes")
FAILS = scenario_text("steps: [code-status]", "fails")
ERRS = scenario_text("steps: [{get-challenge: 199}]", "errs")
BLOCKED = scenario_text("setup: [code-status]\nsteps: [code-status]", "blocked")
ELSEWHERE = scenario_text("requires: [contactless]\nsteps: [code-status]", "elsewhere")
LONG = [scenario_text("steps: [get-challenge: 8]", f"n{number}") for number in range(1500)]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    return Cli(monkeypatch, capsys)


@pytest.fixture
def _ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A challenge of 199 bytes makes the bench go wrong."""
    before = GetChallengeStep.run

    def run(step: GetChallengeStep, act: Act) -> Observation:
        if step.length == 199:
            raise RuntimeError("ours")
        return before(step, act)

    monkeypatch.setattr(GetChallengeStep, "run", run)


@pytest.mark.usefixtures("_ours")
@pytest.mark.parametrize(
    ("scenarios", "code"),
    [
        ([PASSES], 0),
        ([PASSES, ELSEWHERE], 0),
        ([PASSES, FAILS], 1),
        ([PASSES, BLOCKED], 1),
        ([FAILS, ERRS], 3),
        ([PASSES, ERRS], 3),
    ],
)
def test_the_exit_code_tells_the_worst(cli: Cli, tmp_path: Path, scenarios: list[str], code: int) -> None:
    write(tmp_path, suite_text(*scenarios))
    said = cli("run", "suite.yaml", "--out", "r", "--lang", "en")
    assert said.code == code, said
    assert "Traceback" not in said.err
    names = {"journal.jsonl", "report.html", "report.json", "junit.xml", "ctrf.json", "summary.md"}
    assert {path.name for path in (tmp_path / "r").iterdir()} == names


def test_every_verdict_has_an_exit_code() -> None:
    codes = {verdict: exit_code([verdict, Verdict.PASSED]) for verdict in Verdict}
    assert {verdict for verdict, code in codes.items() if code == 1} == {Verdict.FAILED, Verdict.BLOCKED}
    assert {verdict for verdict, code in codes.items() if code == 3} == {Verdict.BENCH_ERROR}
    # Nothing judged is no success.
    assert exit_code([]) == exit_code([Verdict.NOT_RUN]) == exit_code([Verdict.NOT_APPLICABLE]) == 1


def test_the_line_that_repeats_one_scenario_repeats_it(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, suite_text(PASSES, FAILS))
    cli("run", "suite.yaml", "--select=t.one/f*", "--out", "r", "--seed", "4", "-q")
    line = next(
        event.reproduce for event in read_journal(tmp_path / "r" / FILE_NAME).events if hasattr(event, "reproduce")
    )
    assert line == "bifente run suite.yaml --seed 4 -q --select t.one/fails"
    said = cli(*shlex.split(line)[1:], "--out", "again", "--formats", "json")
    assert said.code == 1
    assert said.out.splitlines()[1:] == ["again/report.json"]
    assert "1" in said.out.splitlines()[0], "the verdict in a sentence"


def test_without_paths_the_built_in_suites_run_into_a_dated_folder(cli: Cli, tmp_path: Path) -> None:
    assert default_paths()[0].is_dir()
    cli("run", "-q", "--select", "card.transport/answer-to-reset", "--formats", "").ok()
    (folder,) = (tmp_path / "runs").iterdir()
    assert (folder / FILE_NAME).is_file()


@pytest.mark.parametrize("out", ["file/r", "/proc/nowhere/r"])
def test_a_folder_that_cannot_be_made_is_one_sentence(cli: Cli, tmp_path: Path, out: str) -> None:
    write(tmp_path, suite_text(PASSES))
    (tmp_path / "file").write_text("")
    cli("run", "suite.yaml", "--out", out).fails(
        2, f"the run directory {out} cannot be made", "choose another with --out"
    )


def test_a_folder_that_cannot_be_written_is_one_sentence(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, suite_text(PASSES))
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    cli("run", "suite.yaml", "--out", "r").fails(
        2, "the run directory r cannot be written to; choose another with --out"
    )


def test_codes_and_on_demand_names_stay_out_of_the_record(cli: Cli, tmp_path: Path) -> None:
    body = """
    bench: {cards: {cps: {template: medecin-generaliste, codes: {pin: '7391'}}}}
    steps:
      - verify-code: $card.code
      - read: CPS_NAME_PS
    """
    write(tmp_path, suite_text(scenario_text(body)))
    cli("run", "suite.yaml", "--out", "r", "--mask-names", "--mask-nir", "-q").ok()
    for path in (tmp_path / "r").iterdir():
        text = path.read_text(encoding="utf-8")
        assert "7391" not in text
        assert "37 33 39 31" not in text
        assert "TESTMEDECIN" not in text, path


@pytest.mark.parametrize(("scenarios", "code"), [([*LONG[:300], FAILS], 1), (LONG[:300], 0)])
def test_a_reader_that_leaves_early_changes_nothing(tmp_path: Path, scenarios: list[str], code: int) -> None:
    write(tmp_path, suite_text(*scenarios))
    command = [*warm(), "run", "suite.yaml", "--out", "r", "--lang", "en"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith("bifente ")
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(PATIENCE) == code
    assert said == ""
    run = fold(read_journal(tmp_path / "r" / FILE_NAME).events)
    assert not run.interrupted
    assert sum(run.counts.values()) == len(scenarios)
    assert (tmp_path / "r" / "report.html").is_file()


ONE_SUITE = str(default_paths()[0] / "card" / "security-rules.yaml")


@pytest.mark.parametrize("command", [["cards", "list"], ["schema", "profile"], ["requirements", ONE_SUITE]])
def test_a_list_may_be_cut_short(tmp_path: Path, command: list[str]) -> None:
    process = subprocess.Popen([*warm(), *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_leaves_a_record_that_can_be_rendered(tmp_path: Path, workers: str) -> None:
    write(tmp_path, suite_text(*LONG))
    command = [*COMMAND, "run", "suite.yaml", "--out", "r", "--lang", "en", "--workers", workers]
    # In a group of its own, as a terminal has it: Ctrl-C reaches every process of the group.
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, start_new_session=True
    )
    assert process.stdout is not None
    for _ in range(2):
        assert process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, (out[-500:], err)
    assert err == "bifente: interrupted\n"
    assert "Interrupted run." in out
    run = fold(read_journal(tmp_path / "r" / FILE_NAME).events)
    assert run.interrupted
    assert run.missing > 0
    assert run.verdict is not Verdict.PASSED
    said = apart("report", "r", "--formats", "markdown", "--lang", "en", "--out", "again", cwd=tmp_path)
    assert said.code == 0, said
    assert "nterrupted" in (tmp_path / "again" / "summary.md").read_text()


def test_a_full_disk_ends_the_run_in_one_sentence(tmp_path: Path) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare (util-linux)")
    write(tmp_path, suite_text(*LONG[:300]))
    disk = tmp_path / "disk"
    disk.mkdir()
    run = shlex.join([*COMMAND, "run", "suite.yaml", "--out", str(disk / "r"), "--lang", "en", "-q"])
    script = f"mount -t tmpfs -o size=64k tmpfs {disk} || exit 77; {run}"
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip(f"needs to mount a small disk: {done.stderr.strip()}")
    assert done.returncode == 3, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    (sentence,) = done.stderr.splitlines()
    assert "to the journal: No space left on device" in sentence


def test_a_terminal_that_cannot_be_written_does_not_cost_the_record(tmp_path: Path) -> None:
    write(tmp_path, suite_text(PASSES))
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "run", "suite.yaml", "--out", "r"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            timeout=PATIENCE,
            check=False,
        )
    run = fold(read_journal(tmp_path / "r" / FILE_NAME).events)
    assert run.verdict is Verdict.PASSED
    assert not run.interrupted
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode in (0, 3)
