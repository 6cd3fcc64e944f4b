"""The command line as its tests call it: in process for its words, in a process of its own for pipes and signals."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from warm import warm

from bifente.conformance.cli import main

COMMAND = (sys.executable, "-c", "from bifente.conformance.cli import main; main()")
PATIENCE = 300


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    def fails(self, code: int, *words: str) -> str:
        """It failed with this code, in one sentence of ours that holds these words; no traceback. The sentence."""
        assert self.code == code, (self.code, self.out, self.err)
        assert "Traceback" not in self.out + self.err
        sentences = [line for line in self.err.splitlines() if line]
        assert len(sentences) == 1, self.err
        assert sentences[0].startswith("bifente: ")
        for word in words:
            assert word in sentences[0], (word, sentences[0])
        return sentences[0]

    def ok(self) -> str:
        """It went well; what it printed."""
        assert self.code == 0, (self.code, self.out, self.err)
        assert "Traceback" not in self.err
        return self.out


class Cli:
    """Runs ``bifente`` in this process."""

    def __init__(self, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch, self._capsys = patch, capsys

    def __call__(self, *arguments: str | Path) -> Said:
        self._patch.setattr(sys, "argv", ["bifente", *map(str, arguments)])
        # Sentences as the code has them: what puts them into French has tests of its own.
        self._patch.setattr("bifente.ground.french._french", lambda text, *_rest: text)
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        said = self._capsys.readouterr()
        return Said(int(left.value.code or 0), said.out, said.err)


def apart(*arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> Said:
    """Runs ``bifente`` in a process of its own."""
    done = subprocess.run(
        [*warm(), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)
