"""What is forked from the warm process is to who asks what ``python -c`` would start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from warm import warm


def run(code: str, *arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*warm(code), *arguments], capture_output=True, text=True, timeout=60, **more)  # type: ignore[call-overload, no-any-return]


def test_streams_folder_environment_and_command_line_are_those_of_who_asks(tmp_path: Path) -> None:
    (tmp_path / "own_module.py").write_text("NAME = 'mine'\n", encoding="utf-8")
    code = (
        "import os, sys, own_module; "
        "print(own_module.NAME, sys.argv, sys.stdin.read(), os.getcwd(), os.environ['OWN'], 'HOME' in os.environ); "
        "print('é', file=sys.stderr)"
    )
    done = run(code, "a b", "--c", cwd=tmp_path, env={"PYTHONPATH": str(tmp_path), "OWN": "1"}, input="given")
    assert done.stdout == f"mine ['-c', 'a b', '--c'] given {tmp_path} 1 False\n"
    assert (done.stderr, done.returncode) == ("é\n", 0)


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("raise SystemExit(3)", 3, ""),
        ("raise SystemExit('a sentence')", 1, "a sentence\n"),
        ("1 / 0", 1, "ZeroDivisionError: division by zero\n"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, ""),
        ("import atexit, sys; atexit.register(print, 'last', file=sys.stderr)", 0, "last\n"),
    ],
)
def test_it_ends_as_it_would(code: str, status: int, said: str) -> None:
    done = run(code)
    assert done.returncode == status
    assert done.stderr.endswith(said)
    assert done.stderr or not said


WAITS = "import signal; print('waits', flush=True); signal.pause()"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_who_asked_is_signalled_or_killed_and_so_is_it(number: signal.Signals) -> None:
    with subprocess.Popen(warm(WAITS), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.send_signal(number)
        assert process.wait(60) == -number
        assert process.stdout.read() == ""  # nobody holds it any more


ORDER = json.dumps({"code": "pass", "argv": ["-c"], "cwd": "/", "env": dict(os.environ)}).encode()


@pytest.mark.parametrize("told", [None, b"", ORDER[:-1], ORDER], ids=["nothing", "streams", "a-part", "all"])
def test_who_is_killed_before_it_is_answered_harms_nobody(told: bytes | None) -> None:
    *_python, path, _code = warm()
    with socket.socket(socket.AF_UNIX) as asker, Path(os.devnull).open("r+b") as nowhere:
        asker.connect(path)
        if told is not None:
            socket.send_fds(asker, [len(ORDER).to_bytes(4, "big")], [nowhere.fileno()] * 3)
            asker.sendall(told)
    assert run("print('served')").stdout == "served\n"


def test_nothing_installed_was_looked_up_before() -> None:
    looked = (
        "from bifente.conformance.domain import domains; from bifente.simulator.cards.families import families; "
        "import threading; "
        "print(domains.cache_info().currsize, families.cache_info().currsize, threading.active_count())"
    )
    assert run(looked).stdout == "0 0 1\n"


def test_several_live_at_once_and_none_knows_of_another() -> None:
    code = "import sys; print(sys.argv[1], flush=True); print(sys.stdin.read())"
    living = [
        subprocess.Popen([*warm(code), str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for number in range(3)
    ]
    assert [one.stdout.readline() for one in living] == ["0\n", "1\n", "2\n"]
    for number in (1, 0, 2):
        assert living[number].communicate(f"to {number}", timeout=60) == (f"to {number}\n", None)
        assert living[number].returncode == 0
