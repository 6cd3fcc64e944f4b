"""The SSV suites: enough of them, mostly refusals, all passing in process, able to fail when the library is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from selecting import only

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.options import RunOptions
from bifente.conformance.requirements import load_catalogue
from bifente.conformance.run.plan import RunPlan
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.conformance.run.suites import default_paths
from bifente.conformance.scenario.plan import PlannedScenario
from bifente.reports.events import Event, ScenarioFinished
from bifente.reports.verdict import Verdict
from bifente.simulator.middleware import full_pcsc
from bifente.simulator.middleware.ssv import library, professional
from bifente.simulator.middleware.ssv.professional import ProfessionalCard
from bifente.simulator.middleware.ssv.vitale2 import Vitale2

FILES = tuple(sorted((default_paths()[0] / "vitale").glob("ssv-*.yaml")))
LEAST = 60


@pytest.fixture(scope="module")
def plan(workshop: Workshop) -> RunPlan:
    return prepare(RunOptions(paths=FILES), workshop)


@pytest.fixture(scope="module")
def scenarios(plan: RunPlan) -> tuple[PlannedScenario, ...]:
    """Each scenario once, however many cards its matrix names."""
    return tuple({(scenario.suite, scenario.model.id): scenario for scenario in plan.scenarios}.values())


def verdicts(plan: RunPlan, workshop: Workshop) -> dict[str, Verdict]:
    events: list[Event] = []
    execute(plan, workshop, run_id="20250101-000000-000000", command=("bifente", "run"), emit=events.append)
    return {event.scenario: event.verdict for event in events if isinstance(event, ScenarioFinished)}


def test_there_are_enough_and_most_expect_a_refusal(scenarios: tuple[PlannedScenario, ...]) -> None:
    refusing = [
        scenario
        for scenario in scenarios
        if any(str(step.expect.get("code", 0)) not in ("0", "0000") for step in scenario.steps)
    ]
    print(f"{len(scenarios)} scenarios, {len(refusing)} of them expect a refusal")
    assert len(scenarios) >= LEAST
    assert len(refusing) > len(scenarios) / 2


def test_they_cite_known_requirements(scenarios: tuple[PlannedScenario, ...]) -> None:
    catalogue = load_catalogue()
    cited = {requirement for scenario in scenarios for requirement in scenario.model.requirements}
    assert all(requirement in catalogue for requirement in cited)
    wanted = {f"SV-SSV-0{n}" for n in (1, 2, 3)} | {f"SV-ERR-0{n}" for n in range(1, 10)} | {"SV-ERR-11"}
    wanted |= {f"SV-PCSC-0{n}" for n in range(1, 5)} | {f"SV-VITALE-0{n}" for n in (1, 5, 6, 7, 8)}
    wanted |= {f"SEED-VITALE-0{n}" for n in (1, 2, 3, 7)}
    assert wanted <= cited


def test_all_pass_in_process(plan: RunPlan, workshop: Workshop) -> None:
    found = verdicts(plan, workshop)
    assert {name: verdict.value for name, verdict in found.items() if verdict is not Verdict.PASSED} == {}
    assert len(found) > 100


# -- and they fail when the library is wrong --------------------------------------------------------------------------


def _coverage_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library.Ssv, "_professional_if_there", lambda self, pair: None)


def _wrong_code_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    once = ProfessionalCard.present

    def twice(self: ProfessionalCard, code: str) -> None:
        try:
            once(self, code)
        except professional.SsvError:
            once(self, code)

    monkeypatch.setattr(ProfessionalCard, "present", twice)


def _first_hole_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(professional, "MAX_ACTIVITIES", 2)


def _test_and_real_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Vitale2, "test", True)


def _vitale_left_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Vitale2, "open_to", lambda self, card: None)


def _first_of_two_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_pcsc.FoundPair, "_check_single", lambda self: None)


def _expired_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProfessionalCard, "check_in_force", lambda self, today: None)


def _no_domain_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProfessionalCard, "check_domain", lambda self: None)


def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_pcsc.FoundPair, "_insist", lambda self, action: action())


def _any_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "_parsed", lambda text, digits, form: None)


@pytest.mark.parametrize(
    ("mutate", "caught"),
    [
        (_coverage_for_all, "every-vitale-2-with-a-cps"),
        (_wrong_code_twice, "wrong-code"),
        (_first_hole_ends, "three-situations-with-a-hole"),
        (_test_and_real_together, "test-and-real"),
        (_vitale_left_closed, "every-vitale-2-with-a-cps"),
        (_first_of_two_cards, "two-professional-cards"),
        (_expired_will_do, "expired-c"),
        (_no_domain_will_do, "no-health-insurance-domain"),
        (_impatient, "held-for-two-seconds"),
        (_any_date, "bad-date"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_wrong_library_is_caught(
    plan: RunPlan, workshop: Workshop, monkeypatch: pytest.MonkeyPatch, mutate: Callable[[Any], None], caught: str
) -> None:
    mutate(monkeypatch)
    found = verdicts(only(plan, f"*{caught}*"), workshop)
    assert any(verdict is Verdict.FAILED for verdict in found.values()), found
