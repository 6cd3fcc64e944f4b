"""Eight clients at once on eight two-slot readers: who answers whom."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

CLIENT, SOURCE = (Path(__file__).with_name(name) for name in ("load_client.py", "load_client.c"))


def load(
    environment: Mapping[str, str],
    cards: Sequence[Mapping[str, str]],
    seconds: float,
    *,
    before: str = "",
    read: str = "",
    program: Path | None = None,
    started: Callable[[], None] = lambda: None,
) -> list[dict[str, Any]]:
    """What each client heard; ``cards`` gives each the readers it asks and what their cards must answer.

    ``program`` is the compiled client, for echo cards alone; ``started`` is called when all are ready to begin.
    """
    commands = [
        [str(program), str(seconds), *(word for item in own.items() for word in item)]
        if program is not None
        else [
            sys.executable,
            "-P",
            str(CLIENT),
            json.dumps({"seconds": seconds, "seed": seed, "cards": dict(own), "before": before, "read": read}),
        ]
        for seed, own in enumerate(cards)
    ]
    clients = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PATH": os.defpath, **environment}
        )
        for command in commands
    ]
    try:
        for client in clients:
            assert _line(client, 30) == "ready"
        started()
        for client in clients:
            assert client.stdin is not None
            client.stdin.write(b"\n")
            client.stdin.flush()
        return [_line(client, seconds + 30) for client in clients]
    finally:
        for client in clients:
            client.kill()
            client.wait()
            for pipe in (client.stdin, client.stdout):
                assert pipe is not None
                pipe.close()


def compiled(folder: Path) -> Path | None:
    """The same client in C, whose own share of an exchange is that of libpcsclite alone; None without a compiler."""
    program = folder / "load_client"
    command = ["gcc", "-O2", "-I/usr/include/PCSC", "-o", str(program), str(SOURCE), "-lpcsclite"]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return program if done.returncode == 0 else None


def shares(marks: Mapping[str, str]) -> list[dict[str, str]]:
    """Eight clients, each with the two slots of a reader of its own and one of each of two other readers."""
    items = list(marks.items())
    found = []
    for number in range(8):
        wanted = (2 * number, 2 * number + 1, (2 * number + 6) % 16, (2 * number + 11) % 16)
        found.append(dict(items[at] for at in wanted))
    return found


def _line(client: subprocess.Popen[bytes], patience: float) -> Any:
    assert client.stdout is not None
    assert select.select([client.stdout], [], [], patience)[0], "a client does not answer"
    line = client.stdout.readline()
    assert line, "a client has died"
    return json.loads(line)
