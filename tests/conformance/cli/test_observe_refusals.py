"""``observe``, ``exec`` and ``up`` where they must refuse: one sentence, and no record of nothing is left."""

from __future__ import annotations

from pathlib import Path

import pytest
from conformance_cli import Cli


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    return Cli(monkeypatch, capsys)


@pytest.mark.parametrize("command", ["observe", "exec"])
def test_what_is_no_program_leaves_no_record(cli: Cli, tmp_path: Path, command: str) -> None:
    (tmp_path / "mien.py").write_text("print(1)", encoding="utf-8")
    cli(command, "--out", "record", "--", "nowhere-at-all").fails(2, "nowhere-at-all: cannot be run: no such program")
    cli(command, "--out", "record", "--", "mien.py").fails(2, "python mien.py, or ./mien.py?")
    assert not (tmp_path / "record").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--services", "psc,insy"], "did you mean 'insi'?"),
        (["--port", "9400"], "--port goes with --services"),
        (["--bench", "none.yaml"], "--bench goes with --services"),
        (["--services", "insi", "--bench", "none.yaml"], "no such file"),
    ],
)
@pytest.mark.parametrize("command", ["observe", "exec", "up"])
def test_services_that_cannot_be_are_refused_before_anything_stands(
    cli: Cli, tmp_path: Path, command: str, options: list[str], said: str
) -> None:
    program = [] if command == "up" else ["--", "true"]
    cli(command, "--out", "record", *options, *program).fails(2, said)
    assert not (tmp_path / "record").exists()
