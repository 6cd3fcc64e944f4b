"""Whatever a run started ends with it, and a run that is asked to stop tells what it has done."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

CARD = Path(__file__).resolve().parents[3] / "scenarios" / "card"


def started(tmp_path: Path, *options: str) -> subprocess.Popen[bytes]:
    """A run under way: some of it is recorded already. Its output is a pipe, which whoever stays behind holds open."""
    command = [sys.executable, "-c", "from bifente.conformance.cli.app import app; app()", "run", str(CARD)]
    process = subprocess.Popen(
        [*command, "--out", str(tmp_path / "out"), *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    # Scenarios are told as they end: after several lines, workers (if any) are at work.
    for _line in range(12):
        assert process.stdout.readline()
    return process


def rest(process: subprocess.Popen[bytes]) -> bytes:
    """All that is said until nobody holds the output any more."""
    assert process.stdout is not None
    said = b""
    while select.select([process.stdout], [], [], 30)[0]:
        chunk = os.read(process.stdout.fileno(), 65536)
        if not chunk:
            return said
        said += chunk
    pytest.fail("somebody still holds the output of a run that is over")


def test_a_killed_run_leaves_no_process_behind(tmp_path: Path) -> None:
    process = started(tmp_path, "--workers", "2")
    process.kill()
    rest(process)
    assert process.wait() == -signal.SIGKILL


@pytest.mark.parametrize("options", [(), ("--workers", "2")])
def test_sigterm_ends_a_run_as_an_interruption_does(tmp_path: Path, options: tuple[str, ...]) -> None:
    process = started(tmp_path, *options)
    process.terminate()
    said = rest(process)
    assert process.wait() == 130
    assert b"interrupted" in said
    assert (tmp_path / "out" / "report.html").is_file()
