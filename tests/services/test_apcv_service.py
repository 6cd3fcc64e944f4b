"""The service behind the apCV over HTTP: what it refuses, says of itself, declares and survives."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx
import pytest

from bifente.ground.clock import VirtualClock
from bifente.simulator.middleware.apcv import ApcvContext, ApcvDesk, ApcvError, ApcvRefusal
from bifente.simulator.middleware.apcv.remote import CHALLENGES, CLOSING, CONTEXTS, RENEWAL, RIGHTS, ApcvRemote
from bifente.simulator.services.apcv import ApcvService, Phone
from bifente.simulator.services.apcv.app import LONGEST_BODY
from bifente.simulator.services.apcv.service import UNREACHABLE
from bifente.simulator.serving.calling import in_process
from bifente.simulator.serving.recording import Passed, recorded
from bifente.simulator.zones import Group, make


@dataclass
class Person:
    groups: tuple[Group, ...] = (make(101, {"card-type": "T"}), make(104, {"usual-name": "TEST"}), make(106, {}))


class Office:
    """A service with one phone, and a software whose messages are heard."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.secrets: list[str | bytes] = []
        self.heard: list[tuple[Passed, tuple[str | bytes, ...]]] = []
        """What was told, and what was declared by then."""
        self.service = ApcvService(self.clock, random=Random(1).randbytes, declare=self.secrets.append)
        self.phone = Phone("phone-1", self.clock, random=Random(2).randbytes)
        self.service.enrol(self.phone, Person())
        self.caller = in_process(recorded(self.service, self.clock, self._hear))
        self.desk = ApcvDesk(self.caller, self.clock)
        self.remote = ApcvRemote(self.caller)

    def _hear(self, passed: Passed) -> None:
        self.heard.append((passed, tuple(self.secrets)))

    def ask(self, path: str, content: bytes) -> httpx.Response:
        return self.caller.request("POST", path, content=content)


@pytest.fixture
def office() -> Office:
    return Office()


def refused(act: Callable[[], object]) -> ApcvError:
    with pytest.raises(ApcvError) as caught:
        act()
    return caught.value


@pytest.mark.parametrize("path", [CONTEXTS, RENEWAL, CLOSING, RIGHTS])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"qr": 1}',
        b'{"answer": "a", "challenge": "zz"}',
        b'{"context": "x"}',
        b'{"context": {"identifier": 1, "token": [], "end": null}, "invoice": "1"}',
        b'{"context": {"identifier": "1", "token": "2"}, "invoice": 7}',
        b" " * (LONGEST_BODY + 1),
    ],
    ids=lambda content: content[:30].decode("latin-1"),
)
def test_what_is_no_request_is_refused_in_the_words_of_the_service(office: Office, path: str, content: bytes) -> None:
    answer = office.ask(path, content)
    assert answer.status_code == 403
    assert set(answer.json()) == {"refusal", "detail"}
    assert answer.json()["refusal"] in {ApcvRefusal.UNREADABLE, ApcvRefusal.BAD_INVOICE, ApcvRefusal.TAMPERED}


def test_another_path_or_method_is_not_served(office: Office) -> None:
    assert office.ask(f"{CHALLENGES}/", b"{}").status_code == 404
    assert office.caller.get(CHALLENGES).status_code == 405


def test_every_proof_and_every_token_is_declared_before_it_is_told(office: Office) -> None:
    code = office.phone.qr()
    first = office.desk.acquire_by_qr(code)
    second = office.desk.acquire_by_nfc(office.phone)
    assert office.remote.rights(second) == Person().groups
    office.clock.advance(office.service.parameters.context.total_seconds())
    third = office.desk.renew("000000001")
    office.desk.delete()
    tokens = {first.token, second.token, third.token, code}
    assert len(tokens) == 4
    assert tokens <= set(office.secrets)
    for passed, declared in office.heard:
        for token in tokens:
            assert token.encode() not in passed.body or token in declared
    assert any(token.encode() in passed.body for passed, _ in office.heard for token in tokens)
    assert {(passed.peer, passed.protocol) for passed, _ in office.heard} == {("apcv", "https")}


def test_its_state_has_no_token(office: Office) -> None:
    context = office.desk.acquire_by_nfc(office.phone)
    assert office.service.state() == {"phones": ["phone-1"], "contexts": {context.identifier: context.end}}
    assert context.token not in repr(office.service.state())


def test_a_service_in_trouble_is_one_that_does_not_answer(office: Office) -> None:
    office.service.strike(UNREACHABLE)
    assert office.ask(CHALLENGES, b"{}").status_code == 503
    assert refused(office.remote.challenge).refusal is ApcvRefusal.UNREACHABLE
    office.service.relieve(UNREACHABLE)
    assert len(office.remote.challenge()) == 16


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(200, content=b"<html>"), "JSONDecodeError"),
        (httpx.Response(502, content=b"{}"), "KeyError: 'refusal'"),
        (httpx.Response(403, json={"refusal": "rain", "detail": ""}), "'rain' is not a valid"),
        (httpx.Response(403, json=["refusal"]), "TypeError"),
        (httpx.Response(200, json={"identifier": "1"}), "an answer without 'token'"),
        (httpx.ConnectError("nobody there"), "ConnectError: nobody there"),
    ],
    ids=str,
)
def test_an_answer_that_is_none_is_a_service_out_of_reach(answer: httpx.Response | Exception, said: str) -> None:
    def answered(_request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    caller = httpx.Client(transport=httpx.MockTransport(answered), base_url="https://localhost")
    error = refused(lambda: ApcvRemote(caller).by_qr("x"))
    assert error.refusal is ApcvRefusal.UNREACHABLE
    assert said in error.detail


@pytest.mark.parametrize("path", [RENEWAL, RIGHTS])
def test_a_forged_context_is_refused_over_http_too(office: Office, path: str) -> None:
    context: Any = office.desk.acquire_by_nfc(office.phone)
    forged = ApcvContext(context.identifier, context.token, "20991231235959")
    content = {"context": {name: getattr(forged, name) for name in ("identifier", "token", "end")}, "invoice": "1"}
    assert office.ask(path, json.dumps(content).encode()).json()["refusal"] == ApcvRefusal.TAMPERED
