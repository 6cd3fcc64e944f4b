"""What passes at a service that mail reaches is told, refusals included, and nothing of it is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bifente.ground.clock import VirtualClock
from bifente.ground.text import Text
from bifente.simulator.serving.mail import TransportError, TransportFailure
from bifente.simulator.serving.mail.recording import RecordedReception
from bifente.simulator.serving.recording import LONGEST_BODY, Heading, Passed
from bifente.simulator.serving.service import Asgi, Service


class Body(Service):
    """Answers each file by two returns, after a second."""

    name = "body"
    title = Text("Organisme", "Body")
    offered = frozenset({"full"})

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self.clock = clock

    @property
    def application(self) -> Asgi:
        return self._take

    def state(self) -> Mapping[str, Any]:
        return {}

    def _take(self, data: bytes, name: str) -> list[bytes]:
        self.clock.advance(1)
        if self.troubles:
            raise TransportError(TransportFailure.MAILBOX_FULL, "full", 452)
        return [data[::-1], name.encode()]


@pytest.fixture
def heard() -> list[Passed]:
    return []


@pytest.fixture
def reception(heard: list[Passed]) -> RecordedReception:
    clock = VirtualClock()
    return RecordedReception(Body(clock), clock, heard.append)


def test_a_file_and_its_returns_are_told(reception: RecordedReception, heard: list[Passed]) -> None:
    assert reception(b"abc", "LOT-1") == [b"cba", b"LOT-1"]
    assert [(one.direction, one.line, one.body, one.seconds) for one in heard] == [
        (Heading.RECEIVED, "FILE LOT-1", b"abc", 0.0),
        (Heading.SENT, "RETURN LOT-1", b"cba", 1.0),
        (Heading.SENT, "RETURN LOT-1", b"LOT-1", 1.0),
    ]
    assert {(one.protocol, one.peer) for one in heard} == {("mail", "body")}


def test_a_refusal_is_told_by_its_reply_and_raised(heard: list[Passed]) -> None:
    clock = VirtualClock()
    body = Body(clock)
    body.suffer("full")
    with pytest.raises(TransportError, match="full"):
        RecordedReception(body, clock, heard.append)(b"abc", "LOT-1")
    assert [(one.direction, one.status) for one in heard] == [(Heading.RECEIVED, None), (Heading.SENT, 452)]
    assert heard[1].body == b"mailbox-full: full (452)"


def test_what_the_service_owes_is_told_too(reception: RecordedReception, heard: list[Passed]) -> None:
    assert reception.owed(b"late") == b"late"
    assert [(one.direction, one.line, one.body) for one in heard] == [(Heading.SENT, "RETURN", b"late")]


def test_of_a_long_file_the_beginning_is_kept_and_all_of_it_taken(
    reception: RecordedReception, heard: list[Passed]
) -> None:
    (back, _name) = reception(b"x" * (LONGEST_BODY + 7), "LOT-1")
    assert len(back) == LONGEST_BODY + 7
    assert (len(heard[0].body), heard[0].size) == (LONGEST_BODY, LONGEST_BODY + 7)
