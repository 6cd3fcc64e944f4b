"""``bifente`` in processes of their own that need not import it: each is forked from one that has.

To import what a command needs takes a second, most of the time of many a test. One process for a session of tests has
imported the modules and nothing else: no installed domain or card family has been looked up, no thread runs. What is
forked from it has the streams, folder, environment and command line of who asks, and lives and ends as what
``python -c`` starts; ``warm_client.py`` stands for it. A test of how a process starts or is killed, of its memory, or
of a group of processes starts one in the usual way.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

HERE = Path(__file__).parent
MAIN = "import sys; from bifente.conformance.cli import main; sys.exit(main())"
_START = """
import sys
sys.path.insert(1, sys.argv[2])
import warm
sys.path.pop(1)
warm.play(warm.forked(int(sys.argv[1])))
"""


@cache
def warm(code: str = MAIN) -> tuple[str, ...]:
    """Return what a command line begins with that stands for ``python -c code``."""
    return (sys.executable, "-I", "-S", str(HERE / "warm_client.py"), _started(), code)


@cache
def _started() -> str:
    """Start the process that imports the modules; return the path of its socket."""
    folder = Path(tempfile.mkdtemp(prefix="bifente-warm-"))
    path = folder / "socket"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(64)
        process = subprocess.Popen(
            [sys.executable, "-c", _START, str(listening.fileno()), str(HERE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=[listening.fileno()],
            start_new_session=True,
        )
    atexit.register(process.communicate)  # it ends with its input, even where this process is killed
    return str(path)


# -- in the process that has imported the modules ---------------------------------------------------------------------


@dataclass(frozen=True)
class _Forked:
    number: int
    ends: int
    """Readable once it has ended."""
    asker: socket.socket


class _TooEarly(BaseException):
    pass


def forked(number: int) -> str:
    """Import the modules, then fork for each who asks; return in what was forked: the code that is wanted of it."""
    _import_all()
    gc.collect()
    gc.freeze()
    listening = socket.socket(fileno=number)
    living: dict[int, _Forked] = {}
    with selectors.DefaultSelector() as waiting:
        waiting.register(0, selectors.EVENT_READ)
        waiting.register(listening, selectors.EVENT_READ)
        while True:
            for key, _event in waiting.select():
                child: _Forked | None = key.data
                if child is None and key.fd == 0:  # the tests have ended
                    _clear(Path(listening.getsockname()), living.values())
                if child is None:
                    asker = listening.accept()[0]
                    if (asked := _asked(asker)) is None:
                        asker.close()
                        continue
                    told, streams = asked
                    if (pid := os.fork()) == 0:
                        _close(listening, asker, *(one.asker for one in living.values()))
                        return _become(told, streams)
                    for stream in streams:
                        os.close(stream)
                    with contextlib.suppress(OSError):  # killed meanwhile: its end is heard next
                        asker.sendall(pid.to_bytes(4, "big"))
                    child = living[pid] = _Forked(pid, os.pidfd_open(pid), asker)
                    waiting.register(asker, selectors.EVENT_READ, child)
                    waiting.register(child.ends, selectors.EVENT_READ, child)
                elif child.number in living and key.fd == child.ends:
                    status = os.waitstatus_to_exitcode(os.waitpid(child.number, 0)[1])
                    with contextlib.suppress(OSError):
                        child.asker.sendall(status.to_bytes(4, "big", signed=True))
                    waiting.unregister(child.ends)
                    os.close(child.ends)
                    with contextlib.suppress(KeyError):
                        waiting.unregister(child.asker)
                    child.asker.close()
                    del living[child.number]
                elif child.number in living:  # who asked was killed
                    os.kill(child.number, signal.SIGKILL)
                    waiting.unregister(child.asker)


def _clear(path: Path, living: Iterable[_Forked]) -> NoReturn:
    for one in living:
        os.kill(one.number, signal.SIGKILL)
    path.unlink()
    path.parent.rmdir()
    os._exit(0)


def _import_all() -> None:
    """Import each module of the commands but those that look up installed packages while they are imported."""
    from bifente.ground import extensions

    def refuse(**_group: str) -> None:
        raise _TooEarly

    root = Path(importlib.import_module("bifente.conformance").__path__[0])
    usual, extensions.entry_points = extensions.entry_points, refuse  # type: ignore[assignment]
    for path in sorted(root.rglob("*.py")):
        parts = [part for part in path.relative_to(root).with_suffix("").parts if part != "__init__"]
        if "pytest" not in path.name and parts[-1:] != ["__main__"]:
            with contextlib.suppress(_TooEarly):
                importlib.import_module(".".join(["bifente.conformance", *parts]))
    extensions.entry_points = usual


def _asked(asker: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """What is wanted, and the streams of who asks; None of one that was killed before it had asked."""
    streams: list[int] = []
    try:
        size, streams, *_flags = socket.recv_fds(asker, 4, 3)
        return json.loads(asker.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL)), streams
    except (OSError, ValueError):
        for stream in streams:
            os.close(stream)
        return None


def _close(*sockets: socket.socket) -> None:
    for one in sockets:
        one.close()


def _become(told: dict[str, Any], streams: list[int]) -> str:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(told["cwd"])
    os.environ.clear()
    os.environ.update(told["env"])
    time.tzset()
    tempfile.tempdir = None  # where temporary files go is looked up anew
    sys.path[1:1] = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    importlib.invalidate_caches()
    sys.argv = told["argv"]
    return str(told["code"])


def play(code: str) -> None:
    """Run code as ``python -c`` does, and end: without taking apart, object by object, what all of them share."""
    status: object = None
    try:
        exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 - a test's own
    except SystemExit as left:
        status = left.code
    except Exception:
        sys.excepthook(*sys.exc_info())
        status = 1
    if not isinstance(status, int | None):
        print(status, file=sys.stderr)
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit((status or 0) & 0xFF)
