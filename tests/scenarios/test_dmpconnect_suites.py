"""The suites of DmpConnect-JS: all passing, and able to fail when a check is taken away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.domains.dmpconnect import reach
from bifente.conformance.options import RunOptions
from bifente.conformance.run.plan import RunPlan
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.conformance.run.suites import default_paths
from bifente.reports.events import Event, ScenarioFinished
from bifente.reports.verdict import Verdict
from bifente.simulator.formats.xds.model import CodedEntry, DocumentEntry
from bifente.simulator.formats.xds.names import DocumentStatus
from bifente.simulator.middleware.dmpconnect import conventions, judging, service, sessions
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.software.connect import connector, documents


@pytest.fixture(scope="module")
def workshop(shared_keys: KeySource) -> Workshop:
    return Workshop(shared_keys)


@pytest.fixture(scope="module")
def plan(workshop: Workshop) -> RunPlan:
    return prepare(RunOptions(paths=(default_paths()[0] / "dmpconnect",)), workshop)


def _run(plan: RunPlan, workshop: Workshop) -> dict[str, Verdict]:
    events: list[Event] = []
    execute(plan, workshop, run_id="20250101-000000-000000", command=(), emit=events.append)
    return {one.scenario: one.verdict for one in events if isinstance(one, ScenarioFinished)}


def test_every_scenario_passes(plan: RunPlan, workshop: Workshop) -> None:
    verdicts = _run(plan, workshop)
    assert len(verdicts) >= 80
    assert set(verdicts.values()) == {Verdict.PASSED}


def _nothing(*arguments: Any, **more: Any) -> None:
    return None


def _never_ends(self: sessions.Sessions, identifier: str) -> Any:
    return self._open[identifier]


def _last(self: service.DmpConnectJs, session: sessions.ConnectSession, said: Any) -> Any:
    made = session.dmp.get(said.get("s_instanceUniqueId", ""), next(reversed(session.dmp.values()), None))
    return made or self.workplace.dmp_connector("1234", said)


def _served_anyway(commands: Any) -> dict[str, Any]:
    return {name: _nothing_to_tell if run is service.DmpConnectJs._withdrawn else run for name, run in commands.items()}


def _nothing_to_tell(*arguments: Any) -> dict[str, Any]:
    return {}


def _unknown(made: Any, patient: Any, unique_id: str) -> Any:
    return replace(_ENTRY, id="urn:uuid:00000000-0000-4000-8000-000000000000")


def _kept_signature(self: reach.MeetingSigner, content: bytes) -> bytes:
    return bytes(256)


_CODE = CodedEntry("x", "x")
_ENTRY = DocumentEntry("x", "1.2.3", "", "text/xml", _CODE, _CODE, _CODE, _CODE, _CODE, (), (), "20260101000000")


REMOVED: dict[str, tuple[tuple[Any, str, Any], str]] = {
    "inactivity": ((sessions.Sessions, "of", _never_ends), "inactivity"),
    "span asked for": ((sessions.Sessions, "of", _never_ends), "own-inactivity"),
    "two minutes": ((sessions, "TOKEN", timedelta(hours=1)), "token-lapsed"),
    "whose reader": ((service.DmpConnectJs, "check_sees_readers", _nothing), "counters-a-and-b"),
    "INSi connector": ((service.DmpConnectJs, "_check_insi", _nothing), "dmpconnect.session/connector-first"),
    "DMP connector": ((service.DmpConnectJs, "_dmp", _last), "dmpconnect.records/connector-first"),
    "withdrawn": ((service, "_COMMANDS", _served_anyway(service._COMMANDS)), "withdrawn"),
    "visibility bits": ((documents, "hidden_from", lambda bits: frozenset()), "hidden-documents"),
    "status bits": ((documents, "statuses", lambda bits: (DocumentStatus.APPROVED,)), "consultation"),
    "refusals of the DMP": ((connector.DmpConnector, "well", lambda self, reply: reply), "not-authorised"),
    "replacement": ((documents, "_entry", _unknown), "replaced"),
    "card still there": ((reach.MeetingSigner, "sign", _kept_signature), "card-taken-out"),
    "INS compared": (
        (service, "_COMMANDS", {**service._COMMANDS, "hl_checkinsidentity": _nothing_to_tell}),
        "checked-ins",
    ),
    "token judged": ((judging, "_tokens", lambda log: ()), "token-not-renewed"),
    "session judged": ((judging, "_sessions", lambda log: ()), "token-not-renewed"),
    "code judged": ((judging, "_codes", lambda log: ()), "wrong-code-again"),
    "reader chosen": ((service.DmpConnectJs, "_chosen", lambda self, session, said, use: {}), "cards-chosen"),
    "prefixes": ((conventions, "_TYPES", {}), "malformed"),
    "digest": ((service, "_SHA256", 2), "signature"),
}


@pytest.mark.parametrize("check", sorted(REMOVED))
def test_a_check_taken_away_turns_a_scenario_red(
    check: str, plan: RunPlan, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (owner, name, other), scenario = REMOVED[check]
    wanted = tuple(
        one for one in plan.scenarios if one.id.startswith(scenario) or one.id.partition("/")[2].startswith(scenario)
    )
    monkeypatch.setattr(owner, name, other)
    assert set(_run(replace(plan, scenarios=wanted), workshop).values()) - {Verdict.PASSED}
