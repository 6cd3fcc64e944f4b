"""Rules of the card whose loss one suite must notice: each is taken away, and the scenario named turns red."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.options import RunOptions
from bifente.conformance.run.plan import RunPlan
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.conformance.run.suites import default_paths
from bifente.reports.events import Event, ScenarioFinished
from bifente.reports.verdict import Verdict
from bifente.simulator.cards.cps3 import operations
from bifente.simulator.iso7816 import engine, hashing, trust
from bifente.simulator.iso7816.access import Condition
from bifente.simulator.iso7816.apdu import Command
from bifente.simulator.iso7816.channel import Chain
from bifente.simulator.iso7816.engine import SmartCard
from bifente.simulator.iso7816.image import Digest
from bifente.simulator.readers import Slot

Mutation = Callable[[pytest.MonkeyPatch], None]
SUITE = default_paths()[0] / "card" / "security-rules.yaml"


class _Anything:
    """Equal to whatever it is compared with."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


def a_chain_goes_on_anywhere(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(engine, "Chain", lambda owner, *rest: Chain(_Anything(), *rest))  # type: ignore[arg-type]


def a_chain_goes_on_under_any_parameters(patch: pytest.MonkeyPatch) -> None:
    def chain(owner: Any, ins: int, p1: Any, p2: Any, body: bytes) -> Chain:
        return Chain(owner, ins, _Anything(), _Anything(), body)  # type: ignore[arg-type]

    patch.setattr(engine, "Chain", chain)


def consent_forgets_every_code(patch: pytest.MonkeyPatch) -> None:
    def spend(self: SmartCard, operation: Any, key: Any) -> None:
        if key.consent:
            self.secrets.verified.clear()

    patch.setattr(SmartCard, "spend_consent", spend)


def environments_end_at_seven(patch: pytest.MonkeyPatch) -> None:
    honest = Condition.parse

    def parse(byte: int) -> Condition:
        found = honest(byte)
        return replace(found, environment=found.environment & 7)

    patch.setattr(Condition, "parse", parse)


def consent_looks_at_seven_environments(patch: pytest.MonkeyPatch) -> None:
    honest = SmartCard.spend_consent

    def spend(self: SmartCard, operation: Any, key: Any) -> None:
        rules = self._key_rules
        short = SimpleNamespace(condition=lambda asked: rules[key.name].condition(asked) & 7)
        self._key_rules = {**rules, key.name: short}  # type: ignore[dict-item]
        honest(self, operation, key)
        self._key_rules = rules

    patch.setattr(SmartCard, "spend_consent", spend)


def a_long_zero_le_is_none(patch: pytest.MonkeyPatch) -> None:
    honest = Command.parse

    def parse(raw: bytes) -> Command:
        command = honest(raw)
        return replace(command, ne=None) if command.extended and raw.endswith(b"\0\0") else command

    patch.setattr(Command, "parse", parse)


def any_count_of_bits_will_do(patch: pytest.MonkeyPatch) -> None:
    def finish(digest: Digest, state: bytes, bits: int, rest: bytes) -> bytes:
        return hashing.finish(digest, state, max(512, bits // 512 * 512) if state else 0, rest)

    patch.setattr(operations, "hashing", SimpleNamespace(**{**vars(hashing), "finish": finish}))


def any_key_size_is_believed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(trust, "_SIZES", range(1 << 16))


def a_card_taken_out_keeps_its_power(patch: pytest.MonkeyPatch) -> None:
    honest = Slot.remove

    def remove(self: Slot) -> Any:
        card = self.card
        assert isinstance(card, SmartCard)
        with patch.context() as within:
            within.setattr(SmartCard, "power_off", lambda self: None)
            return honest(self)

    patch.setattr(Slot, "remove", remove)


MUTATIONS: Mapping[Mutation, str] = {
    a_chain_goes_on_anywhere: "chain-goes-on-where-it-began",
    a_chain_goes_on_under_any_parameters: "chain-goes-on-as-it-began",
    consent_forgets_every_code: "signature-spends-one-code-only",
    environments_end_at_seven: "environment-above-seven",
    consent_looks_at_seven_environments: "signature-under-an-environment-above-seven",
    a_long_zero_le_is_none: "long-command",
    any_count_of_bits_will_do: "count-of-hashed-bits",
    any_key_size_is_believed: "key-size-of-a-party",
    a_card_taken_out_keeps_its_power: "card-taken-out-has-no-power[medecin-generaliste]",
}
"""What may be taken away from a card, and the scenario that must notice."""


@pytest.fixture(scope="module")
def plan(workshop: Workshop) -> RunPlan:
    return prepare(RunOptions(paths=(SUITE,)), workshop)


def _verdicts(plan: RunPlan, workshop: Workshop) -> dict[str, Verdict]:
    events: list[Event] = []
    execute(plan, workshop, run_id="20250101-000000-000000", command=("bifente", "run"), emit=events.append)
    return {event.scenario: event.verdict for event in events if isinstance(event, ScenarioFinished)}


def test_an_honest_card_passes(plan: RunPlan, workshop: Workshop) -> None:
    assert set(_verdicts(plan, workshop).values()) == {Verdict.PASSED}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_rule_taken_away_is_noticed(
    mutation: Mutation, plan: RunPlan, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutation(monkeypatch)
    found = _verdicts(plan, workshop)
    assert found[f"card.security-rules/{MUTATIONS[mutation]}"] is Verdict.FAILED
    assert Verdict.BENCH_ERROR not in found.values()
    assert Verdict.PASSED in found.values()
