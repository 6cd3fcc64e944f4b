"""Eight clients at once on eight two-slot readers: who answers whom."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

CLIENT = Path(__file__).with_name("load_client.py")


def load(
    environment: Mapping[str, str],
    cards: Sequence[Mapping[str, str]],
    seconds: float,
    *,
    before: str = "",
    read: str = "",
) -> list[dict[str, Any]]:
    """What each client heard; ``cards`` gives each the readers it asks and what their cards must answer."""
    clients = [
        subprocess.Popen(
            [
                sys.executable,
                "-P",
                str(CLIENT),
                json.dumps({"seconds": seconds, "seed": seed, "cards": dict(own), "before": before, "read": read}),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": os.defpath, **environment},
        )
        for seed, own in enumerate(cards)
    ]
    try:
        for client in clients:
            assert _line(client, 30) == "ready"
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
