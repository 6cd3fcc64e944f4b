"""The wireless suites: well made, all passing, repeatable, and able to fail when something is wrong."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from selecting import only
from timeless import timeless

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.options import RunOptions
from bifente.conformance.requirements import load_catalogue
from bifente.conformance.run.plan import RunPlan
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.conformance.run.suites import default_paths
from bifente.conformance.scenario.plan import PlannedStep
from bifente.ground.fidelity import Fidelity
from bifente.reports.events import Event, ScenarioFinished
from bifente.reports.journal import FILE_NAME, Recorder, read_journal
from bifente.reports.secrets import Secrets
from bifente.reports.verdict import Verdict
from bifente.simulator.formats.jose.seal import Seal
from bifente.simulator.middleware.codes import SsvCode
from bifente.simulator.readers.wireless import Platform, RadioLink, SessionEvent, Terminal, TerminalSession
from bifente.simulator.readers.wireless.claims import AccessClaims
from bifente.simulator.readers.wireless.states import TRANSITIONS
from bifente.simulator.services.cloudfsv.bearer import Bearers
from bifente.simulator.services.cloudfsv.service import CloudFsv, FsvAnswer

LEAST = 30


@pytest.fixture(scope="module")
def plan(workshop: Workshop) -> RunPlan:
    return prepare(RunOptions(paths=(default_paths()[0] / "wireless",)), workshop)


def run(plan: RunPlan, workshop: Workshop) -> list[Event]:
    events: list[Event] = []
    execute(plan, workshop, run_id="20250101-000000-000000", command=("bifente", "run"), emit=events.append)
    return events


def verdicts(events: list[Event]) -> dict[str, Verdict]:
    return {event.scenario: event.verdict for event in events if isinstance(event, ScenarioFinished)}


@pytest.fixture(scope="module")
def first_run(plan: RunPlan, workshop: Workshop) -> list[Event]:
    return run(plan, workshop)


FINE: Mapping[str, Any] = {"outcome": "accepted", "http": 200, "code": "0000", "condition": "ready", "session": "open"}


def expects_a_refusal(step: PlannedStep) -> bool:
    """Whether a step can only pass if something is refused or gone."""
    return "error" in step.expect or any(
        key in step.expect and str(step.expect[key]) != str(fine) for key, fine in FINE.items()
    )


def test_there_are_enough_and_most_expect_a_refusal(plan: RunPlan) -> None:
    negative = [scenario for scenario in plan.scenarios if any(map(expects_a_refusal, scenario.steps))]
    print(f"{len(plan.scenarios)} scenarios, {len(negative)} of them negative")
    assert len(plan.scenarios) >= LEAST
    assert len(negative) > len(plan.scenarios) / 2


def test_they_cite_known_requirements_once_and_claim_no_document(plan: RunPlan) -> None:
    catalogue = load_catalogue()
    for scenario in plan.scenarios:
        cited = scenario.model.requirements
        assert len(set(cited)) == len(cited), scenario.id
        assert all(requirement in catalogue for requirement in cited), scenario.id
        assert scenario.fidelity is not Fidelity.DOCUMENTED, scenario.id


def test_no_two_share_a_title(plan: RunPlan) -> None:
    for language in ("fr", "en"):
        found = [getattr(scenario.model.title, language) for scenario in plan.scenarios]
        assert sorted(set(found)) == sorted(found)


def test_all_pass(plan: RunPlan, first_run: list[Event]) -> None:
    found = verdicts(first_run)
    assert set(found) == {scenario.id for scenario in plan.scenarios}
    assert {name: verdict for name, verdict in found.items() if verdict is not Verdict.PASSED} == {}


def record(plan: RunPlan, workshop: Workshop, path: Path) -> Path:
    secrets, moment = Secrets(), datetime(2025, 1, 1, tzinfo=UTC)
    with Recorder(path, now=lambda: moment, secrets=secrets) as recorder:
        execute(plan, workshop, run_id="20250101-000000-000000", command=(), emit=recorder.emit, secrets=secrets)
    return path


@pytest.fixture(scope="module")
def recorded(plan: RunPlan, workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(plan, workshop, tmp_path_factory.mktemp("record") / FILE_NAME)


def test_the_same_seed_gives_the_same_journal(
    plan: RunPlan, workshop: Workshop, recorded: Path, tmp_path: Path
) -> None:
    again = record(plan, workshop, tmp_path / FILE_NAME)
    # Tokens, whose signatures no seed decides, are masked in it.
    one, other = (timeless(read_journal(path).events) for path in (recorded, again))
    assert one == other


def test_the_record_has_the_messages_and_none_of_their_tokens(recorded: Path) -> None:
    text = recorded.read_text(encoding="utf-8")
    assert '"accesshealthcaretoken","••••"' in text
    assert b64encode(b'{"alg"').decode()[:8] not in text


def test_another_seed_gives_the_same_verdicts(plan: RunPlan, workshop: Workshop, first_run: list[Event]) -> None:
    assert verdicts(run(replace(plan, options=replace(plan.options, seed=2)), workshop)) == verdicts(first_run)


# -- able to fail -----------------------------------------------------------------------------------------------------

Mutation = Callable[[pytest.MonkeyPatch], None]


def tokens_never_expire(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(AccessClaims, "check_time", lambda self, now, ttl, leeway: None)


def sessions_never_lapse(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Terminal, "remaining", property(lambda self: 60.0))


def a_lapsed_session_is_renewed(patch: pytest.MonkeyPatch) -> None:
    table = {**TRANSITIONS, (TerminalSession.LAPSED, SessionEvent.RENEW): TerminalSession.OPEN}
    patch.setattr("bifente.simulator.readers.wireless.terminal.TRANSITIONS", table)


def signatures_are_not_verified(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("bifente.simulator.formats.jose.seal.jws.validate_compact", lambda *given, **more: True)


def any_algorithm_goes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Seal, "_check_header", lambda self, header: None)


def any_bearer_goes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Bearers, "verify", lambda self, token: "anyone")


def bombs_are_inflated(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("bifente.simulator.formats.jose.seal.LONGEST_CONTENT", 10_000_000)


def replays_pass(patch: pytest.MonkeyPatch) -> None:
    honest = Terminal._take

    def take(self: Terminal, claims: AccessClaims, event: SessionEvent) -> None:
        self._spent.clear()
        honest(self, claims, event)

    patch.setattr(Terminal, "_take", take)


def any_session_s_token_calls(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Terminal, "authorise", lambda self, token: None)


def revocation_is_not_heard(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Platform, "unpair", lambda self, terminal, revoked=False: None)


def the_link_is_always_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Terminal, "set_link", lambda self, link, weak=None, losses=0: None)


def the_battery_never_dies(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Terminal, "battery", property(lambda self: 100.0))


def the_code_is_never_lost(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Terminal, "forget_code", lambda self: None)


def the_clock_of_the_terminal_is_never_wrong(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Terminal, "skew", property(lambda self: 0.0, lambda self, value: None), raising=False)


def a_link_lost_costs_no_power(patch: pytest.MonkeyPatch) -> None:
    honest = Terminal._settle

    def settle(self: Terminal) -> None:
        if self.link is not RadioLink.LOST:
            honest(self)

    patch.setattr(Terminal, "_settle", settle)


def data_leave_without_a_professional_in_turbo_mode(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("bifente.simulator.services.cloudfsv.request.TURBO", "never")


def refusals_of_the_library_are_hidden(patch: pytest.MonkeyPatch) -> None:
    honest = CloudFsv._read

    def read(self: CloudFsv, *asked: Any) -> FsvAnswer:
        return FsvAnswer(SsvCode.OK, honest(self, *asked).zone)

    patch.setattr(CloudFsv, "_read", read)


MUTATIONS: Mapping[Mutation, str] = {
    tokens_never_expire: "wireless.session/renewed-at-121-seconds-is-too-late",
    sessions_never_lapse: "wireless.session/terminal-clock-ahead",
    a_lapsed_session_is_renewed: "wireless.session/terminal-clock-ahead",
    signatures_are_not_verified: "wireless.cloud/forged-access-tokens",
    any_algorithm_goes: "wireless.cloud/confused-algorithms",
    any_bearer_goes: "wireless.cloud/forged-bearers",
    bombs_are_inflated: "wireless.cloud/compression-bomb",
    replays_pass: "wireless.session/replayed-token",
    any_session_s_token_calls: "wireless.session/closed-then-reopened",
    revocation_is_not_heard: "wireless.link/revoked-pairing",
    the_link_is_always_up: "wireless.link/link-lost",
    the_battery_never_dies: "wireless.link/battery-empty",
    the_code_is_never_lost: "wireless.cloud/code-lost",
    the_clock_of_the_terminal_is_never_wrong: "wireless.session/terminal-clock-behind",
    a_link_lost_costs_no_power: "wireless.link/link-back-in-time",
    data_leave_without_a_professional_in_turbo_mode: "wireless.cloud/no-professional-card-in-turbo",
    refusals_of_the_library_are_hidden: "wireless.cloud/wrong-code",
}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_wrong_terminal_makes_scenarios_fail(
    mutation: Mutation, plan: RunPlan, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutation(monkeypatch)
    (verdict,) = verdicts(run(only(plan, MUTATIONS[mutation]), workshop)).values()
    assert verdict is Verdict.FAILED
