"""The suites of DmpConnect-JS: all passing, and able to fail when a check is taken away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.options import RunOptions
from bifente.conformance.run.session import RunPlan, default_paths, execute, prepare
from bifente.reports.events import Event, ScenarioFinished
from bifente.reports.verdict import Verdict
from bifente.simulator.middleware.dmpconnect import conventions, service, sessions
from bifente.simulator.pki.keystore import KeySource


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
    assert len(verdicts) >= 20
    assert set(verdicts.values()) == {Verdict.PASSED}


def _nothing(*arguments: Any, **more: Any) -> None:
    return None


def _never_ends(self: sessions.Sessions, identifier: str) -> Any:
    return self._open[identifier]


REMOVED: dict[str, tuple[tuple[Any, str, Any], str]] = {
    "inactivity": ((sessions.Sessions, "of", _never_ends), "inactivity"),
    "span asked for": ((sessions.Sessions, "of", _never_ends), "own-inactivity"),
    "two minutes": ((sessions, "TOKEN", timedelta(hours=1)), "token-lapsed"),
    "whose reader": ((service.DmpConnectJs, "check_sees_readers", _nothing), "counters-a-and-b"),
    "connector": ((service.DmpConnectJs, "_check_connector", _nothing), "connector-first"),
    "prefixes": ((conventions, "_TYPES", {}), "malformed"),
    "digest": ((service, "_SHA256", 2), "signature"),
}


@pytest.mark.parametrize("check", sorted(REMOVED))
def test_a_check_taken_away_turns_a_scenario_red(
    check: str, plan: RunPlan, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (owner, name, other), scenario = REMOVED[check]
    wanted = tuple(one for one in plan.scenarios if one.id.removeprefix("dmpconnect.session/").startswith(scenario))
    monkeypatch.setattr(owner, name, other)
    assert set(_run(replace(plan, scenarios=wanted), workshop).values()) - {Verdict.PASSED}
