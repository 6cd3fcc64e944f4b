"""How ``bifente`` starts: every command is there, and nothing is imported that the command does not use."""

from __future__ import annotations

import io
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from conformance_cli import Cli

from bifente.conformance.cli import app
from bifente.conformance.cli.app import COMMANDS, _Console

HEAVY = ("pydantic", "yaml", "cryptography", "construct", "joserfc", "starlette", "httpx", "uvicorn", "jinja2")
LOADED = """
import sys
from bifente.conformance.cli import main
sys.argv = ["bifente", *sys.argv[1:]]
try:
    main()
except SystemExit:
    print("loaded:", *(name for name in sys.modules if "." not in name or name.startswith("bifente.conformance.")))
"""


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(monkeypatch, capsys)


def loaded(*arguments: str, cwd: Path) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, timeout=60, cwd=cwd, check=True
    )
    return set(done.stdout.splitlines()[-1].removeprefix("loaded: ").split())


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], []])
def test_help_and_version_import_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    found = loaded(*arguments, cwd=tmp_path)
    assert not found & {*HEAVY}
    assert {name for name in found if name.startswith("bifente.conformance.")} == {
        "bifente.conformance.cli",
        "bifente.conformance.cli.app",
        "bifente.conformance.cli.speaking",
    }


def test_a_code_is_told_without_the_bench(tmp_path: Path) -> None:
    found = loaded("codes", "F001", cwd=tmp_path)
    assert not found & {*HEAVY} - {"yaml", "pydantic"}  # typer has the second
    assert not any(
        name.startswith(("bifente.conformance.bench", "bifente.conformance.domains", "bifente.conformance.scenario"))
        for name in found
    )


def test_every_command_of_the_list_is_there_and_every_one_is_in_the_list(cli: Cli) -> None:
    for name in COMMANDS:
        assert f"Usage : bifente {name}" in cli(name, "--help").ok()
    group = typer.main.get_group(app)
    assert set(group.commands) == set(COMMANDS)
    told = cli("--help").ok()
    for name, (_module, does) in COMMANDS.items():
        assert name in told
        assert does in " ".join(told.split())


@pytest.mark.parametrize(
    ("terminal", "lines"), [(True, ["name  aaa bbb", "    ccc ddd"]), (False, ["name  aaa bbb ccc ddd"])]
)
def test_a_narrow_terminal_breaks_between_words_and_a_file_does_not(terminal: bool, lines: list[str]) -> None:
    page = io.StringIO()
    _Console(file=page, width=14, force_terminal=terminal, color_system=None, soft_wrap=True).tell(
        "name  aaa bbb ccc ddd"
    )
    assert page.getvalue().splitlines() == lines


def test_the_version_is_told(cli: Cli) -> None:
    assert cli("--version").ok() == f"bifente {version('bifente')}\n"


def test_a_misspelt_command_suggests_the_near_one(cli: Cli) -> None:
    said = cli("raed")
    assert said.code == 2
    assert "Did you mean 'read'" in said.err
