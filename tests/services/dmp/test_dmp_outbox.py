"""The outbox: a process killed at any moment of a feeding leaves no half document, no double, and what waited."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from dmp_bench import DmpLab

from bifente.simulator.software.lps.client import DmpReply, UnreachableError
from bifente.simulator.software.lps.outbox import DmpOutbox, OutboxError, OutboxState
from bifente.simulator.software.lps.submission import PreparedSubmission

MOMENTS = ["before-writing", "half-written", "written", "kept", "before-sending", "answered", "marked"]


def documents(lab: DmpLab) -> int:
    return sum(one.entry.type_code.code != "E1762" for one in lab.record.shelf)


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_a_moment(lab: DmpLab, tmp_path: Path, moment: str) -> None:
    """The child keeps a document and sends it; it is killed -9 at that moment, its calls having reached the service."""
    # The service lives here; what the child does to it comes back through a pipe, message by message.
    prepared = lab.prepared()
    asked, ask = os.pipe()
    child = os.fork()
    if not child:
        os.close(asked)

        def passing(now: str) -> None:
            if now == moment:
                os.kill(os.getpid(), signal.SIGKILL)

        def feed(patient: str, sent: PreparedSubmission) -> DmpReply:
            os.write(ask, b"x")
            return DmpReply(200)

        outbox = DmpOutbox(tmp_path, passing)
        outbox.keep(lab.patient.ins.written, prepared)
        outbox.send(feed)
        os._exit(0)
    os.close(ask)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL
    with os.fdopen(asked, "rb") as pipe:
        arrived = len(pipe.read())
    for _ in range(arrived):
        assert lab.feed(prepared).ok

    again = DmpOutbox(tmp_path)
    states = [one.state for one in again.all()]
    kept = moment not in ("before-writing", "half-written", "written")
    assert len(states) == int(kept)
    assert states.count(OutboxState.SENT) == int(moment == "marked")
    again.send(lambda patient, sent: lab.feed(sent))
    assert [one.state for one in again.all()] == [OutboxState.SENT] * int(kept)
    assert documents(lab) == int(kept)
    found = lab.record.shelf.by_unique(prepared.unique_id)
    assert (found is not None) is kept
    if found is not None:
        assert found.content == prepared.contents["Document01"]


def test_what_is_kept_comes_back_as_it_was(lab: DmpLab, tmp_path: Path) -> None:
    outbox, prepared = DmpOutbox(tmp_path), lab.prepared()
    kept = outbox.keep(lab.patient.ins.written, prepared)
    assert outbox.read(kept) == prepared
    assert [one.patient for one in outbox.waiting()] == [lab.patient.ins.written]


def test_in_order_and_stopped_where_nothing_answers(lab: DmpLab, tmp_path: Path) -> None:
    outbox = DmpOutbox(tmp_path)
    for _ in range(3):
        outbox.keep(lab.patient.ins.written, lab.prepared())
    calls: list[str] = []

    def feed(patient: str, sent: PreparedSubmission) -> DmpReply:
        calls.append(sent.unique_id)
        if len(calls) == 2:
            raise UnreachableError("no answer")
        return lab.feed(sent)

    outbox.send(feed)
    assert len(calls) == 2
    assert [one.state for one in outbox.all()] == [OutboxState.SENT, OutboxState.WAITING, OutboxState.WAITING]
    outbox.send(lambda patient, sent: lab.feed(sent))
    assert documents(lab) == 3


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b'{"patient": 1}',
        b"\xff",
        b'{"patient": "a", "document": "1", "set": "2", "metadata": "<a", "contents": {}}',
    ],
)
def test_a_file_that_somebody_changed_is_told(tmp_path: Path, data: bytes) -> None:
    outbox = DmpOutbox(tmp_path)
    (tmp_path / "000001.waiting").write_bytes(data)
    with pytest.raises(OutboxError, match=r"000001\.waiting"):
        outbox.waiting()


def test_other_files_are_left_alone(lab: DmpLab, tmp_path: Path) -> None:
    for name in (".000001.77", "notes.txt", "000001.later", "x.waiting"):
        (tmp_path / name).write_bytes(b"x")
    outbox = DmpOutbox(tmp_path)
    assert list(outbox.all()) == []
    assert outbox.keep(lab.patient.ins.written, lab.prepared()).number == 1
