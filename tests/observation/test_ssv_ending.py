"""The end of the SSV functions of a live bench: what a program asked is told before the record is closed."""

from __future__ import annotations

import socket
import struct
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bifente.conformance.observation.ssv import SOCKET, SsvServer
from bifente.ground.clock import WallClock
from bifente.reports.events import Call


def asked(function: str) -> bytes:
    """A call without arguments as the library sends it."""
    name = function.encode()
    part = struct.pack("=I", len(name)) + name
    return struct.pack("=I", len(part)) + part


def test_a_call_under_way_is_told_before_the_end(tmp_path: Path) -> None:
    told: list[str] = []
    told_at_end: list[list[str]] = []
    begun, go_on = threading.Event(), threading.Event()

    def slowly(call: Call) -> None:
        begun.set()
        assert go_on.wait(60)
        told.append(call.function)

    bench: Any = SimpleNamespace(
        service=SimpleNamespace(run_dir=tmp_path), device=SimpleNamespace(bench=SimpleNamespace(access=None))
    )
    server = SsvServer(bench, WallClock(), slowly)

    def end() -> None:
        server.close()
        told_at_end.append(list(told))

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as program:
        program.connect(str(tmp_path / SOCKET))
        program.sendall(asked("SSV_InitLIB"))
        assert begun.wait(60)
        ending = threading.Thread(target=end)
        ending.start()
        ending.join(0.1)  # whoever does not wait for the call has ended by now
        go_on.set()
        ending.join()
    assert told_at_end == [["SSV_InitLIB"]]
