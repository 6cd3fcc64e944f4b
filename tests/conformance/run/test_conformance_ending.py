"""Whatever a run started ends with it, and a run that is asked to stop tells what it has done."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bifente.conformance.targets.pkcs11 import WORKER

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
    assert b"interrompu" in said
    assert (tmp_path / "out" / "report.html").is_file()


HOLDS_A_MODULE = """
import subprocess, sys
worker = subprocess.Popen([sys.executable, "-P", sys.argv[1]])
worker.wait()
"""


def test_the_process_of_a_module_ends_with_the_run_that_started_it(tmp_path: Path) -> None:
    pytest.importorskip("PyKCS11")
    module = Path("/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so")
    if not module.is_file():
        pytest.skip("needs OpenSC's module")
    # Its orders stay open here: their end is not what ends it.
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS_A_MODULE, str(WORKER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PCSCLITE_CSOCK_NAME": str(tmp_path / "nobody")},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{module}\n".encode())
    process.stdin.flush()
    assert b"ready" in process.stdout.readline()
    process.kill()
    assert rest(process) == b""
    process.stdin.close()
    assert process.wait() == -signal.SIGKILL


def _runs_sleep(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"sleep")
    except OSError:  # it has ended meanwhile
        return False


@pytest.mark.timeout(120)
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's notice of a dead parent is Linux's")
@pytest.mark.parametrize("command", [("exec", "--", "sleep", "600"), ("up", "--for", "600")], ids=["exec", "up"])
def test_a_killed_bench_leaves_neither_process_nor_folder(tmp_path: Path, command: tuple[str, ...]) -> None:
    pytest.importorskip("smartcard")
    own = [sys.executable, "-c", "from bifente.conformance.cli.app import app; app()", *command]
    environment = {**os.environ, "TMPDIR": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    process = subprocess.Popen(own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)
    assert process.stdout is not None
    if command[0] == "up":
        assert process.stdout.readline()  # it serves
    else:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not any(_runs_sleep(pid) for pid in children.read_text().split()):
            assert process.poll() is None
    assert list(tmp_path.glob("bifente-pcsc-*"))
    process.kill()
    rest(process)  # whoever lives on holds the output open
    assert process.wait() == -signal.SIGKILL
    while list(tmp_path.glob("bifente-pcsc-*")):
        os.sched_yield()
