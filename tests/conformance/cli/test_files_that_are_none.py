"""A pipe, a device or a folder where a file is wanted: refused in words at once, with exit 2, by every command."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conformance_cli import Cli

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes"),
]

COMMANDS = {
    "a suite": ("run", "{file}", "--out", "{folder}/record"),
    "a profile": ("exec", "--profile", "{file}", "--", "true"),
    "a template": ("cards", "show", "{file}"),
    "a template to be made": ("cards", "make", "{file}", "--out", "{folder}/made"),
    "a template in a slot": ("exec", "--card", "cps={file}", "--", "true"),
    "a journal": ("report", "{file}"),
    "a record": ("verify", "{file}"),
    "a log": ("trace", "import", "{file}", "-o", "{folder}/kept.jsonl"),
    "a trace": ("trace", "show", "{file}"),
    "a galss.ini": ("galss", "check", "{file}"),
    "a sesam.ini": ("sesam", "check", "{file}"),
    "a zone": ("zone", "decode", "{file}"),
    "a lot": ("fse", "show", "{file}"),
    "a lot to be submitted": ("fse", "submit", "{file}"),
}


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    return Cli(monkeypatch, capsys)


@pytest.fixture(params=["pipe.yaml", "folder.yaml", "device"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Something that bears a name and is no file. A device is read without end, a pipe waits for its writer."""
    if request.param == "device":
        return Path("/dev/zero")
    path = tmp_path / str(request.param)
    if request.param.startswith("pipe"):
        os.mkfifo(path)
    else:
        path.mkdir()
    return path


@pytest.mark.parametrize("what", COMMANDS)
def test_what_is_no_file_is_refused_at_once(cli: Cli, tmp_path: Path, file: Path, what: str) -> None:
    said = cli(*(word.format(file=file, folder=tmp_path) for word in COMMANDS[what]))
    assert said.code == 2, (said.out, said.err)
    assert said.err.startswith("bifente: ")
    assert "Traceback" not in said.err


def test_a_pipe_where_the_record_would_be_is_refused_at_once(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "record").mkdir()
    os.mkfifo(tmp_path / "record" / "journal.jsonl")
    suite = "scenarios/card/transport.yaml"
    cli("run", Path(__file__).parents[3] / suite, "--out", tmp_path / "record", "-q").fails(2, "is no regular file")


def test_a_pipe_is_not_written_to(cli: Cli, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    said = cli("galss", "make", "--profile", "readers/generic-bislot", "--out", tmp_path / "pipe")
    said.fails(2, "is no regular file")
