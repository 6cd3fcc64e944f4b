"""What passes at the reading service is told to the scene, and what is secret in it is declared before."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from conformance_bench import Lab, load, steps_text

from bifente.conformance.bench.base import Bench
from bifente.conformance.bench.scene import Act, Scene
from bifente.conformance.domains.wireless.link import WirelessLink
from bifente.conformance.model import CardChoice
from bifente.conformance.run.scenario import run_scenario
from bifente.conformance.run.telling import Told, event_of
from bifente.conformance.scenario.steps import steps
from bifente.conformance.targets.messages import Messaged
from bifente.ground.text import Text
from bifente.reports.events import Direction, Event, Message
from bifente.reports.secrets import Secrets
from bifente.reports.verdict import Verdict
from bifente.simulator.readers.wireless import TokenRefusedError
from bifente.simulator.services.cloudfsv import ACCESS_HEADER

PROFILE = "readers/olaqin-like-wireless"
CODE = "4711"


@dataclass
class Played:
    """A scene of the wireless bench: what was told, each message as a record writes it at that very moment."""

    bench: Bench
    heard: list[Messaged] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    changed: list[Text] = field(default_factory=list)
    secrets: Secrets = field(default_factory=Secrets)

    def __post_init__(self) -> None:
        chance = random.Random(1)
        self.scene = Scene(
            self.bench, chance, self._told, lambda role, what: self.changed.append(what), declare=self.secrets.declare
        )
        self.bench.seat({"cps": CardChoice(template="medecin-generaliste")}, chance, destructive=True)

    def _told(self, role: str, told: Told) -> None:
        if isinstance(told, Messaged):
            self.heard.append(told)
            event = event_of(told, self.secrets, "t/one", 0, role)
            assert isinstance(event, Message)
            self.written.append(repr(self.secrets.event({name: getattr(event, name) for name in FIELDS})))

    def call(self, **arguments: Any) -> Any:
        kind = steps()["call-cloud"]
        return kind.model_validate(arguments).run(Act(self.scene, "cps")).values


FIELDS = ("line", "headers", "body", "text", "peer", "direction")


@pytest.fixture
def played(lab: Lab) -> Iterator[Played]:
    played = Played(lab.pool.get(PROFILE))
    yield played
    played.scene.close()


def test_a_call_is_told_as_a_request_sent_and_an_answer_received(played: Played) -> None:
    assert played.call(function="LireCartePS", code="1234")["http"] == 200
    asked, answered = played.heard
    assert (asked.protocol, asked.peer, asked.sent, answered.sent) == ("https", "cloudfsv", True, False)
    assert asked.line.startswith("POST /fsv/1.40.14/ssv/LireCartePS?terminalId=")
    assert asked.body == b'{"codePorteur": "1234"}'
    assert answered.line == "200 OK"
    assert b"codeResult" in answered.body
    event = event_of(asked, played.secrets, "t/one", 0, "")
    assert isinstance(event, Message)
    assert (event.slot, event.direction) == (None, Direction.SENT)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"access": "first"},
        {"access": "tampered"},
        {"access": "two-tokens"},
        {"access": "no-signature"},
        {"bearer": "tampered"},
        {"bearer": "two-tokens"},
        {"bearer": "no-signature"},
        {"function": "Nothing"},
        {"terminal": "none"},
    ],
    ids=str,
)
def test_every_token_and_every_code_is_declared_before_it_is_told(played: Played, wrong: dict[str, str]) -> None:
    played.call(**{"function": "LireCartePS", "code": CODE, **wrong})
    tokens = [value for one in played.heard for name, value in one.headers if name == ACCESS_HEADER.lower()]
    bearers = [value.split()[-1] for one in played.heard for name, value in one.headers if name == "authorization"]
    assert tokens
    assert bearers
    written = " ".join(played.written)
    assert CODE not in written
    assert not [token for token in (*tokens, *bearers) if token in written]


def test_two_that_renew_at_once_trade_one_after_the_other(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    """A live bench renews by itself, from a thread of its own, while somebody orders it."""
    wireless = played.bench.facet(WirelessLink).wireless
    before, honest, overtaken = len(wireless.tokens), wireless.terminal.renew_session, threading.Event()
    refused: list[TokenRefusedError] = []

    def renewed() -> None:
        try:
            wireless.renew()
        except TokenRefusedError as error:
            refused.append(error)

    other = threading.Thread(target=renewed)

    def held_up(token: str) -> str:
        if other.ident is not None:
            overtaken.set()
            return honest(token)
        other.start()
        overtaken.wait(0.2)  # whoever does not wait for its turn trades the same token by now
        return honest(token)

    monkeypatch.setattr(wireless.terminal, "renew_session", held_up)
    renewed()
    other.join()
    assert not refused
    assert len(set(wireless.tokens[before:])) == 2
    wireless.terminal.authorise(wireless.token)


def test_a_code_in_a_raw_body_is_declared_too(played: Played) -> None:
    played.call(function="LireCartePS", body='{"codePorteur":"4712","x":1}')
    assert b"4712" in played.heard[0].body
    assert "4712" not in "".join(played.written)


def test_the_next_scene_hears_its_own_messages_alone(played: Played, lab: Lab) -> None:
    played.call(function="LireConfig")
    played.scene.close()
    other = Played(lab.pool.get(PROFILE))
    other.call(function="LireConfig")
    assert len(played.heard) == len(other.heard) == 2
    other.scene.close()


def test_a_scenario_declares_to_its_record_what_its_services_declare(lab: Lab, tmp_path: Path) -> None:
    head = f"bench: {{profile: {PROFILE}, cards: {{cps: medecin-generaliste}}}}"
    steps_of_it = "- call-cloud: {function: LireCartePS, code: 4711, access: tampered}\n  expect: {http: 401}"
    (plan,) = load(tmp_path, steps_text(steps_of_it, head=head)).scenarios
    secrets, heard, written = Secrets(), list[Message](), list[str]()

    def emit(event: Event) -> None:
        if isinstance(event, Message):
            heard.append(event)
            written.append(repr(secrets.event({name: getattr(event, name) for name in FIELDS})))

    verdict = run_scenario(plan, lab.pool.get(PROFILE), seed=1, command=(), emit=emit, secrets=secrets)
    assert verdict is Verdict.PASSED
    assert "eyJ" in repr(heard)
    assert "eyJ" not in repr(written)
