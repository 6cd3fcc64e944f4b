"""``up`` and ``exec`` leave a record of what passed behind them: the cards' side of a program nobody here wrote."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from conformance_cli import apart
from warm import warm

from bifente.reports.events import BenchChange, Event, Exchange, Note, RunFinished, RunStarted
from bifente.reports.journal import read_journal

CODE = "1234"
CARDS = ("--card", "cps=medecin-generaliste", "--card", "vitale=vitale/ald")


def recorded(folder: Path) -> list[Event]:
    return list(read_journal(folder / "journal.jsonl").events)


@pytest.mark.parametrize("service", ["own", "pcscd"])
@pytest.mark.usefixtures("_chain")
def test_a_program_leaves_its_exchanges_and_never_a_code(tmp_path: Path, service: str) -> None:
    out = tmp_path / "record"
    login = ("pkcs11-tool", "--login", "--pin", CODE, "-O")
    said = apart("exec", "--service", service, *CARDS, "--out", out, "--", *login, cwd=tmp_path)
    assert "Private Key Object" in said.ok()
    events = recorded(out)
    assert isinstance(events[0], RunStarted)
    assert events[0].target == f"live/{service}"
    assert isinstance(events[-1], RunFinished)
    exchanges = [event for event in events if isinstance(event, Exchange)]
    assert {exchange.slot for exchange in exchanges} >= {"cps"}
    assert all(exchange.scenario is None and exchange.index is None for exchange in exchanges)
    presented = [exchange for exchange in exchanges if exchange.command.startswith("0020") and "•" in exchange.command]
    assert [exchange.sw for exchange in presented] == ["9000"]
    assert [note.text.en for note in events if isinstance(note, Note)] == [
        "program started: pkcs11-tool",
        "program ended, exit code 0",
    ]
    for file in out.iterdir():
        text = file.read_text(encoding="utf-8")
        assert CODE.encode().hex() not in text.lower().replace(" ", ""), file.name
        assert not re.search(r"(?<![\w.])1234(?![\w.])", text), file.name


@pytest.mark.usefixtures("_chain")
def test_what_a_hand_does_is_recorded_and_the_cards_are_there_when_up_says_so(tmp_path: Path) -> None:
    out = tmp_path / "record"
    process = subprocess.Popen(
        [*warm(), "up", *CARDS, "--out", str(out)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]
    name, socket = lines[2].removeprefix("export ").strip().split("=", 1)
    listed = subprocess.run(
        ["opensc-tool", "-l"], capture_output=True, text=True, env={name: socket, "PATH": "/usr/bin"}, check=True
    )
    assert listed.stdout.count("Yes") == 2, listed.stdout
    _, errors = process.communicate("remove cps\ninsert cps\nquit\n", timeout=120)
    assert process.returncode == 0, errors
    changes = [event.what.en for event in recorded(out) if isinstance(event, BenchChange) and event.slot == "cps"]
    removed = changes.index("card removed from slot cps")
    assert "card inserted in slot cps" in changes[removed:]


def test_a_record_is_never_written_over(tmp_path: Path) -> None:
    out = tmp_path / "record"
    out.mkdir()
    (out / "journal.jsonl").write_text("{}\n", encoding="utf-8")
    said = apart("exec", *CARDS, "--out", out, "--", "true", cwd=tmp_path)
    said.fails(2, "contient déjà un journal")
    assert (out / "journal.jsonl").read_text(encoding="utf-8") == "{}\n"
