"""The suites of the Vitale as a card: all passing, repeatable, and each thing they promise able to fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from msgspec import structs

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.options import RunOptions
from bifente.conformance.run.plan import RunPlan
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.conformance.run.suites import default_paths
from bifente.conformance.scenario.plan import PlannedScenario
from bifente.reports.events import Event, ScenarioFinished
from bifente.reports.verdict import Verdict
from bifente.simulator.cards.vitale import contents
from bifente.simulator.cards.vitale.opposition import OppositionList
from bifente.simulator.cards.vitale1 import memory
from bifente.simulator.cards.vitale2 import contents as files
from bifente.simulator.iso7816 import tlv, trust
from bifente.simulator.iso7816.access import AccessRule
from bifente.simulator.iso7816.engine import SmartCard
from bifente.simulator.iso7816.rsa import RsaKey
from bifente.simulator.iso7816.trust import Party, Trust
from bifente.simulator.zones import encode

FOLDER = default_paths()[0] / "vitale"
SUITES = tuple(FOLDER / f"{name}.yaml" for name in ("card", "presence", "templates", "vitale-1"))
LEAST = 25


@pytest.fixture(scope="module")
def plan(workshop: Workshop) -> RunPlan:
    return prepare(RunOptions(paths=SUITES), workshop)


def run(plan: RunPlan, workshop: Workshop) -> list[Event]:
    events: list[Event] = []
    execute(plan, workshop, run_id="20250101-000000-000000", command=("bifente", "run"), emit=events.append)
    return events


def verdicts(events: list[Event]) -> dict[str, Verdict]:
    return {event.scenario: event.verdict for event in events if isinstance(event, ScenarioFinished)}


def negative(scenario: PlannedScenario) -> bool:
    """Whether something must be refused for it to pass."""
    wanted = [str(step.expect.get("sw", "")) for step in scenario.steps]
    opposed = any(step.expect.get("opposed") for step in scenario.steps)
    return opposed or any(word.startswith("6") and word[1] not in "1C" for word in wanted)


def test_every_scenario_passes_and_most_expect_a_refusal(plan: RunPlan, workshop: Workshop) -> None:
    found = verdicts(run(plan, workshop))
    assert {name: verdict for name, verdict in found.items() if verdict is not Verdict.PASSED} == {}
    once = {(scenario.suite, scenario.model.id): scenario for scenario in plan.scenarios}
    refusing = [scenario for scenario in once.values() if negative(scenario)]
    print(f"{len(once)} scenarios, {len(refusing)} of them negative, {len(plan.scenarios)} with every card")
    assert len(once) >= LEAST
    assert len(refusing) > len(once) / 2


def test_the_same_seed_gives_the_same_journal(plan: RunPlan, workshop: Workshop) -> None:
    one, other = (
        [
            structs.replace(event, time="", **({"duration_us": 0} if hasattr(event, "duration_us") else {}))
            for event in run(plan, workshop)
        ]
        for _ in range(2)
    )
    assert one == other


Mutation = Callable[[pytest.MonkeyPatch], None]


def everything_is_allowed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(AccessRule, "allows", lambda self, operation, *means: True)


def any_signature_is_right(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Party, "signed", lambda self, data, signature: True)


def any_issuer_s_signature_is_right(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(trust, "_has_signed", lambda anchor, data, signature: True)


def any_card_type_will_do(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(trust, "_fits", lambda extensions, required: True)


def the_types_are_not_a_parameter(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("bifente.simulator.cards.vitale2.image.card_type", lambda code: tlv.Tlv(0x02, b"\x02\x01\x00"))


def a_challenge_serves_for_ever(patch: pytest.MonkeyPatch) -> None:
    honest = Trust.settle

    def settle(self: Trust, signature: bytes) -> bool:
        kept = self.challenge
        proved = honest(self, signature)
        self.challenge = kept
        return proved

    patch.setattr(Trust, "settle", settle)


def a_failure_leaves_the_card_open(patch: pytest.MonkeyPatch) -> None:
    honest = Trust.settle

    def settle(self: Trust, signature: bytes) -> bool:
        kept = self.proved
        proved = honest(self, signature)
        self.proved = self.proved or kept
        return proved

    patch.setattr(Trust, "settle", settle)


def a_proof_needs_no_challenge(patch: pytest.MonkeyPatch) -> None:
    def settle(self: Trust, signature: bytes) -> bool:
        self.proved = {"professional": "anybody"}
        return True

    patch.setattr(Trust, "settle", settle)


def a_reset_forgets_nothing(patch: pytest.MonkeyPatch) -> None:
    honest = SmartCard.power_on

    def power_on(self: SmartCard) -> bytes:
        before = self._volatile.trust if self._volatile else None
        atr = honest(self)
        if before is not None and self._volatile is not None:
            self._volatile.trust = before
        return atr

    patch.setattr(SmartCard, "power_on", power_on)
    patch.setattr(SmartCard, "power_off", lambda self: None)


def challenges_are_all_alike(patch: pytest.MonkeyPatch) -> None:
    honest = SmartCard.__init__

    def start(self: SmartCard, *arguments: object, **more: object) -> None:
        honest(self, *arguments, **more)  # type: ignore[arg-type]
        self.random = bytes

    patch.setattr(SmartCard, "__init__", start)


def the_coverage_lies_with_the_rest(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(files, "rights", lambda groups: encode(groups))


def the_card_signs_nothing(patch: pytest.MonkeyPatch) -> None:
    honest = RsaKey.sign_hash
    patch.setattr(
        RsaKey, "sign_hash", lambda self, digest, value, *rest: honest(self, digest, bytes(len(value)), *rest)
    )


def nobody_is_opposed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OppositionList, "holds", lambda self, serial: False)


def everybody_is_opposed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OppositionList, "holds", lambda self, serial: True)


def numbers_come_in_another_order(patch: pytest.MonkeyPatch) -> None:
    honest = files.numbers
    patch.setattr(files, "numbers", lambda nirs: honest(sorted(nirs)))


def children_have_the_insured_s_certified_number(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(contents, "nir_of", lambda person, insured: insured.nir + "00")


def the_secret_area_is_read(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(memory, "FREE", memory.FIRST)


MUTATIONS: Mapping[Mutation, str] = {
    everything_is_allowed: "vitale.card/free-rights",
    any_signature_is_right: "vitale.presence/signed-by-another-key",
    any_issuer_s_signature_is_right: "vitale.presence/spoilt-certificate",
    any_card_type_will_do: "vitale.presence/employees-are-refused[cpe-nominative]",
    the_types_are_not_a_parameter: "vitale.presence/employees-where-the-card-says-so",
    a_challenge_serves_for_ever: "vitale.presence/replay",
    a_failure_leaves_the_card_open: "vitale.presence/replay",
    a_proof_needs_no_challenge: "vitale.presence/proof-before-anything",
    a_reset_forgets_nothing: "vitale.presence/reset-shuts",
    challenges_are_all_alike: "vitale.presence/replay",
    the_coverage_lies_with_the_rest: "vitale.templates/exoneration-only-with-a-cps",
    the_card_signs_nothing: "vitale.presence/the-vitale-proves-itself",
    nobody_is_opposed: "vitale.templates/opposed-card",
    everybody_is_opposed: "vitale.templates/expired-card",
    numbers_come_in_another_order: "vitale.card/numbers-in-the-order-of-the-holders",
    children_have_the_insured_s_certified_number: "vitale.templates/corsican-number",
    the_secret_area_is_read: "vitale.vitale-1/everything-else-is-refused",
}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_wrong_card_makes_scenarios_fail(mutation: Mutation, plan: RunPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = MUTATIONS[mutation]
    chosen = tuple(scenario for scenario in plan.scenarios if scenario.id == wanted)
    assert chosen, wanted
    mutation(monkeypatch)
    # A workshop of its own: the cards made so far are right.
    found = verdicts(run(replace(plan, scenarios=chosen), Workshop.default()))
    assert found[wanted] is Verdict.FAILED
