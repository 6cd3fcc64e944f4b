"""A live bench in a process of its own, and orders to it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from warm import warm

from bifente.conformance.observation.channel.client import TOKEN, URL, ControlChannel


class Up:
    """``bifente up``, ready."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.environment: dict[str, str] = {}
        self.lines: list[str] = []
        assert process.stdout is not None
        while TOKEN not in self.environment:
            line = process.stdout.readline()
            assert line, process.stderr.read() if process.stderr is not None else ""
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").strip().partition("=")
                self.environment[name] = value.strip("'")
            else:
                self.lines.append(line.rstrip())

    @property
    def channel(self) -> ControlChannel:
        return ControlChannel(self.environment[URL], self.environment[TOKEN])

    def ask(self, line: str) -> str:
        """An order on standard input, and the line that answers it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n")

    def json(self, **order: Any) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.ask(json.dumps(order)))
        return told

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **self.environment}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def up(folder: Path, *options: str | Path) -> Iterator[Up]:
    with subprocess.Popen(
        [*warm(), "up", "--lang", "en", *map(str, options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key not in (URL, TOKEN)},
    ) as process:
        try:
            yield Up(process)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(120)
