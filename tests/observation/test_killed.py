"""Kill -9 of the program, the bench, its scribe and the channel's client: nothing is left, the record reads."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from channel_tools import up
from conformance_cli import COMMAND

from bifente.reports.events import Call, Exchange, Note, RunFinished
from bifente.reports.journal import read_journal
from bifente.reports.render import FORMATS, render

CARDS = ("--card", "cps=medecin-generaliste")
LOOP = "while :; do opensc-tool --reader 0 -s 00A4000C023F00 >/dev/null; echo turn; done"


def left_of(mark: str) -> list[str]:
    """The processes that name this folder, or are marked as of this bench."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                told = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if mark.encode() in told:
                found.append(f"{entry.name} {(entry / 'cmdline').read_bytes()!r}")
    return found


def gone(mark: str) -> bool:
    deadline = time.monotonic() + 60
    while left_of(mark):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the bench makes for itself lies here, to be looked at; a socket's path is short."""
    folder = Path("/tmp") / f"bf-{os.getpid()}-{time.monotonic_ns() % 100_000}"  # noqa: S108
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def observed(out: Path, *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*map(str, COMMAND), "observe", "--lang", "en", *CARDS, "--out", str(out), "--", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "BIFENTE_TEST": str(out)},
    )


def wait_for_turns(process: subprocess.Popen[str], count: int) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        count -= line.strip() == "turn"
        if count <= 0:
            return
    raise AssertionError("the program said too little")


def test_the_bench_is_killed_and_nothing_of_it_is_left(tmp: Path, tmp_path: Path) -> None:
    out = tmp_path / "record"
    with observed(out, "sh", "-c", LOOP) as process:
        wait_for_turns(process, 3)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert gone(str(out)), left_of(str(out))
    assert [path for path in tmp.rglob("*") if not path.is_dir()] == []
    journal = read_journal(out / "journal.jsonl")
    assert not journal.truncated
    assert isinstance(journal.events[-1], RunFinished)
    assert journal.events[-1].interrupted
    assert any(isinstance(event, Note) and "died" in event.text.en for event in journal.events)
    assert sum(isinstance(event, Exchange) for event in journal.events) >= 3
    files = render(out / "journal.jsonl", FORMATS, out)
    assert all(file.stat().st_size for file in files)


def test_the_program_is_killed_and_that_is_a_finding(tmp_path: Path) -> None:
    out = tmp_path / "record"
    with observed(out, "sh", "-c", "opensc-tool -l >/dev/null; kill -9 $$") as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1, said
    assert "the program crashed: signal SIGKILL" in said
    assert gone(str(out)), left_of(str(out))
    ends = [event.result for event in read_journal(out / "journal.jsonl").events if isinstance(event, Call)]
    assert "signal SIGKILL" in ends


def test_the_scribe_is_killed_and_the_bench_says_so(tmp_path: Path) -> None:
    out = tmp_path / "record"
    with observed(out, "sh", "-c", LOOP) as process:
        wait_for_turns(process, 1)
        (scribe,) = [
            int(line.split()[0]) for line in left_of(str(out / "journal.jsonl")) if "run.scribe.process" in line
        ]
        os.kill(scribe, signal.SIGKILL)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 3, said
    assert gone(str(out)), left_of(str(out))


def test_the_client_of_the_channel_is_killed_in_the_middle_of_its_wait(tmp_path: Path) -> None:
    with up(tmp_path, *CARDS) as stood:
        waiting = subprocess.Popen(
            [*map(str, COMMAND), "ctl", "wait", "until.function=never", "seconds=600"],
            env={**os.environ, **stood.environment},
        )
        assert stood.channel.order("state")["ok"]
        waiting.kill()
        waiting.wait()
        assert stood.channel.order("remove", slot="cps")["ok"]
        started = time.monotonic()
    assert time.monotonic() - started < 300, "its wait would take 600 s"
