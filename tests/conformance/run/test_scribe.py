"""The process that writes a record apart: what reaches it by two ways stands as it happened, and nothing is let out."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bifente.conformance.run.scribe import process
from bifente.conformance.run.scribe.link import ScribeRecorder
from bifente.conformance.run.scribe.process import Scribe
from bifente.ground.clock import WallClock
from bifente.ground.text import Text
from bifente.reports.encoding import Encoder
from bifente.reports.events import Call, Event, Level, Note, RunStarted, Tool, to_dict
from bifente.reports.journal import read_journal
from bifente.reports.masking import BYTE_MARK
from bifente.reports.secrets import Secrets
from bifente.simulator.pcsc.own.messages import LAYOUTS, ServiceCommand

KEY = bytes.fromhex("00112233445566778899aabbccddeeff")
PUT_KEY = bytes.fromhex("00da000010") + KEY
STARTED = RunStarted(run_id="r", tool=Tool(name="t", version="1"), command=(), target="live", profile="p", seed=0)
READER = "Lecteur du banc 00 00"


def asked(command: ServiceCommand, sent: bytes = b"", got: bytes = b"", name: str = "") -> list[Any]:
    """A call as the service tells it, of the handle 7."""
    fields: list[Any] = [0] * len(LAYOUTS[command].unpack(bytes(LAYOUTS[command].size)))
    if command is ServiceCommand.CONNECT:
        fields[1], fields[4] = name, 7
    else:
        fields[0] = 7
    return ["call", 1, 1, int(command), fields, fields, sent.hex(), got.hex(), 5]


@dataclass
class Written:
    """A scribe whose two sockets the test fills; it runs once, on all that was said."""

    folder: Path
    pairs: Sequence[tuple[socket.socket, socket.socket]] = field(
        default_factory=lambda: (socket.socketpair(), socket.socketpair())
    )

    def __post_init__(self) -> None:
        (self.bench, theirs), (self.service, watched) = self.pairs
        self.scribe = Scribe(theirs, watched, self.folder / "journal.jsonl", 1)
        self._encoder = Encoder(Secrets(), WallClock().now)
        self.scribe._obey(self.line(STARTED))

    def line(self, event: Event) -> dict[str, Any]:
        """How the bench says that an event is to be written."""
        return {"line": [part.decode() for part in self._encoder.encode(event)]}

    def told(self, *orders: dict[str, Any]) -> None:
        """The bench says something."""
        self.bench.sendall(b"".join(json.dumps(order).encode() + b"\n" for order in orders))

    def seen(self, *told: list[Any]) -> None:
        """The service tells something."""
        self.service.sendall(b"".join(json.dumps(one).encode() + b"\n" for one in told))

    def events(self) -> list[dict[str, Any]]:
        """All that is written once the record is closed."""
        self.told({"close": 1})
        self.scribe.run()
        return [to_dict(event) for event in read_journal(self.folder / "journal.jsonl").events[1:]]


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Written]:
    made = Written(tmp_path)
    yield made
    for pair in made.pairs:
        for end in pair:
            end.close()


def test_a_secret_declared_before_it_is_used_is_masked_though_both_are_read_late(written: Written) -> None:
    written.told({"secrets": [f"hex:{KEY.hex()}"]})
    written.seen(["came", 1, 1, 4242, "program"], asked(ServiceCommand.TRANSMIT, PUT_KEY, b"\x90\0"))
    (exchange,) = written.events()
    assert exchange["command"] == "00DA000010" + BYTE_MARK * 16


def test_a_secret_behind_much_else_is_known_in_time(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_CHUNK", 100)
    note = written.line(Note(level=Level.INFO, text=Text.same("x" * 300)))
    written.told(note, {"secrets": [f"hex:{KEY.hex()}"]})
    written.seen(["came", 1, 1, 4242, "program"], asked(ServiceCommand.TRANSMIT, PUT_KEY, b"\x90\0"))
    assert KEY.hex().upper() not in json.dumps(written.events())


def test_a_secret_declared_while_the_service_is_read_out_is_masked(written: Written) -> None:
    """The second of two threads declares and lets a client at the card while the first waits for the record."""
    written.told({"sync": 1}, {"secrets": [f"hex:{KEY.hex()}"]})
    written.seen(["came", 1, 1, 4242, "program"], asked(ServiceCommand.TRANSMIT, PUT_KEY, b"\x90\0"))
    assert KEY.hex().upper() not in json.dumps(written.events())
    assert json.loads(written.bench.recv(1000).splitlines()[0]) == {"sync": 1}


def test_a_reader_back_under_another_name_is_told_by_its_role_at_once(written: Written) -> None:
    written.told({"roles": {"before": "cps"}})
    written.told({"roles": {READER: "cps"}})
    written.seen(
        ["came", 1, 1, 4242, "program"],
        asked(ServiceCommand.CONNECT, name="before"),
        asked(ServiceCommand.CONNECT, name=READER),
        ["moved", 1, READER, "removed"],
    )
    assert [event["slot"] for event in written.events()] == ["cps", "cps", "cps"]


def test_what_is_read_late_bears_the_time_at_which_it_happened(written: Written) -> None:
    """Rules tell a storm from a second attempt, and an idle transaction, by the times of what a program did."""
    now = time.monotonic_ns() // 1000
    began, ended = asked(ServiceCommand.BEGIN), asked(ServiceCommand.END)
    began[1], ended[1], ended[-1] = now - 60_000_000, now - 59_500_000, 250_000
    written.seen(
        ["came", now - 61_000_000, 1, 4242, "program"], began, ended, ["moved", now - 30_000_000, READER, "removed"]
    )
    written.told(written.line(Note(level=Level.INFO, text=Text.same("now"))))
    times = [datetime.fromisoformat(event["time"]) for event in written.events()]
    apart = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    assert apart[:2] == [pytest.approx(0.75, abs=0.01), pytest.approx(29.25, abs=0.01)]
    assert apart[2] >= 30 - 0.01


def test_what_the_bench_says_stands_behind_what_clients_did_before(written: Written) -> None:
    written.told(written.line(Note(level=Level.INFO, text=Text.same("after"))))
    written.seen(["came", 1, 1, 4242, "program"], asked(ServiceCommand.BEGIN))
    assert [event["event"] for event in written.events()] == ["call", "note"]


def test_a_bench_that_dies_has_its_last_words_written(written: Written) -> None:
    written.told(written.line(Note(level=Level.INFO, text=Text.same("the last"))))
    written.bench.close()
    written.service.close()
    written.scribe.run()
    kinds = [to_dict(event)["event"] for event in read_journal(written.folder / "journal.jsonl").events]
    assert kinds == ["run-started", "note", "note", "run-finished"]


class Prompt:
    """A service that tells of a client as soon as it is watched."""

    def __init__(self) -> None:
        self.watched = threading.Event()

    def watch(self, watcher: socket.socket) -> None:
        for told in (["came", 1, 1, 4242, "program"], asked(ServiceCommand.BEGIN)):
            watcher.sendall(json.dumps(told).encode() + b"\n")
        self.watched.set()

    def tell(self) -> bool:
        return True


def test_a_record_begins_with_its_beginning_however_late_the_scribe_is(tmp_path: Path) -> None:
    recorder = ScribeRecorder(tmp_path / "journal.jsonl", now=WallClock().now, secrets=Secrets())
    os.kill(recorder.pid, signal.SIGSTOP)
    recorder.emit(STARTED)
    service = Prompt()
    watching = threading.Thread(target=recorder.watch, args=(service,))
    watching.start()
    service.watched.wait(0.2)  # whoever does not wait for the beginning to be written has told of the client by now
    os.kill(recorder.pid, signal.SIGCONT)
    watching.join()
    recorder.close()
    kinds = [to_dict(event)["event"] for event in read_journal(tmp_path / "journal.jsonl").events]
    assert kinds == ["run-started", "call"]


class Hesitant:
    """A service whose watcher has room for one call at a time."""

    def __init__(self, *calls: list[Any]) -> None:
        self.left = list(calls)

    def watch(self, watcher: socket.socket) -> None:
        self.watcher = watcher.dup()

    def tell(self) -> bool:
        if self.left:
            self.watcher.sendall(json.dumps(self.left.pop(0)).encode() + b"\n")
        return not self.left


def test_settling_waits_for_what_the_service_had_no_room_to_tell(tmp_path: Path) -> None:
    recorder = ScribeRecorder(tmp_path / "journal.jsonl", now=WallClock().now, secrets=Secrets())
    recorder.emit(STARTED)
    service = Hesitant(["came", 1, 1, 4242, "program"], asked(ServiceCommand.BEGIN), asked(ServiceCommand.END))
    recorder.watch(service)
    recorder.settle()
    told = [event for event in read_journal(tmp_path / "journal.jsonl").events if isinstance(event, Call)]
    assert [call.function for call in told] == ["SCardBeginTransaction", "SCardEndTransaction"]
    service.watcher.close()
    recorder.close()
