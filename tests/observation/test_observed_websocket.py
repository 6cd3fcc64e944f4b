"""DmpConnect-JS beside a live bench: WebSocket messages are recorded, the code masked, its reading nobody's."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conformance_cli import Cli
from wss_client import WssClient

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.model import CardChoice
from bifente.conformance.observation.observing import ProgramObservation
from bifente.conformance.observation.standing import Standing, Wanted
from bifente.reports.events import Exchange, Message
from bifente.reports.verdict import Verdict
from bifente.simulator.pki.keystore import KeyStore


@pytest.fixture(scope="module")
def standing() -> Iterator[Standing]:
    workshop = Workshop(KeyStore())
    cards = {"cps": CardChoice(template="medecin-generaliste"), "vitale": CardChoice(template="vitale/ald")}
    wanted = Wanted(profile="readers/generic-bislot", cards=cards, workshop=workshop, services=("dmpconnect",))
    with Standing(wanted) as stood:
        yield stood


def command(standing: Standing, name: str, **fields: Any) -> Any:
    settings = standing.services.settings["dmpconnect"]
    trust = ssl.create_default_context(cafile=settings["ca"])
    with WssClient(settings["socket"], trust) as socket:
        socket.send(json.dumps({"s_commandName": name, **fields}))
        return json.loads(socket.recv())


def test_what_a_page_says_is_recorded_and_the_reading_is_the_services_own(standing: Standing) -> None:
    with ProgramObservation(standing) as observation:
        observation.start(["true"]).wait(120)
        session = command(standing, "hl_openSession")["s_sessionId"]
        read = command(standing, "hl_readCpxCard", s_sessionId=session, s_pinCode="1234")
        assert (read["s_status"], read["s_internalId"]) == ("OK", "899900000011")
        observation.close()
        found = observation.observed()
    told = [one.event for one in found.story.moments if isinstance(one.event, Message) and one.event.protocol == "wss"]
    assert [one.direction.value for one in told] == ["sent", "received"] * 2
    assert session not in Path(standing.record.journal).read_text(encoding="utf-8")
    assert '"1234"' not in Path(standing.record.journal).read_text(encoding="utf-8")
    assert any(isinstance(event, Exchange) and event.client == "bench" for event in standing.events())
    assert not found.story.commands
    assert {one.rule.name for one in found.verdicts if one.verdict is Verdict.FAILED} == set()


def test_alone_it_has_cards_of_its_own(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    said = Cli(monkeypatch, capsys)("serve", "--services", "dmpconnect", "--for", "0.1").ok()
    assert "dmpconnect code" in said
