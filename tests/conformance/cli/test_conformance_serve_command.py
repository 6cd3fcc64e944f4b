"""``bifente serve`` where it must refuse; that it serves is shown with a real curl, in tests/clients."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from conformance_cli import Cli


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(monkeypatch, capsys)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--profile", "readers/generic-bislot"], "is no wireless reader"),
        (["--profile", "readers/nobody"], "is no known profile"),
        (["--card", "third=medecin-generaliste"], "the reader has no slot 'third'"),
        (["--card", "cps"], "SLOT=TEMPLATE is expected"),
        (["--card", "cps=personne"], "personne"),
    ],
)
def test_bad_input_is_one_sentence(cli: Cli, options: list[str], said: str) -> None:
    refused = cli("serve", "--for", "0.1", *options)
    refused.fails(2, said)
    assert not refused.out


def test_a_busy_port_is_one_sentence(cli: Cli, taken: int) -> None:
    refused = cli("serve", "--for", "0.1", "--port", str(taken))
    refused.fails(3, f"port {taken} is taken: give another by --port, or 0 for any free one")
    assert not refused.out


def test_a_folder_that_cannot_be_made_is_one_sentence(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    cli("serve", "--for", "0.1", "--out", tmp_path / "file" / "out").fails(2, "file")


def test_it_ends_by_itself_and_leaves_nothing_it_was_not_asked_for(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    told = cli("serve", "--for", "0.1").ok()
    assert told.startswith("url       https://127.0.0.1:")
    assert not list(tmp_path.iterdir())


def test_no_token_is_printed(cli: Cli, tmp_path: Path) -> None:
    said = cli("serve", "--for", "0.1", "--out", tmp_path)
    assert "eyJ" not in said.out + said.err
    assert (tmp_path / "headers").read_text(encoding="ascii").count("eyJ") >= 2
