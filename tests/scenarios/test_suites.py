"""The suites that come with the bench: well made, all passing, repeatable, and able to fail when a card is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from timeless import timeless

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.options import RunOptions
from bifente.conformance.requirements import load_catalogue
from bifente.conformance.run.plan import RunPlan
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.conformance.run.suites import default_paths
from bifente.conformance.scenario.plan import PlannedScenario, PlannedStep
from bifente.reports.events import Event, RunStarted, ScenarioFinished
from bifente.reports.verdict import Verdict
from bifente.simulator.cards.cps3 import operations
from bifente.simulator.iso7816 import hashing
from bifente.simulator.iso7816.access import AccessRule
from bifente.simulator.iso7816.applications import Applications
from bifente.simulator.iso7816.engine import SmartCard
from bifente.simulator.iso7816.image import ApplicationLife
from bifente.simulator.iso7816.rsa import RsaKey
from bifente.simulator.iso7816.secrets import CardSecrets
from bifente.simulator.iso7816.status import StatusError

pytestmark = pytest.mark.long

ROOT = default_paths()[0]
CARD_ALONE = ("certificates", "challenge", "decipher", "internal-authenticate", "signature")
"""Suites of ``authentication`` that speak to the card alone: those with a service are in test_authentication_suites."""
FOLDERS = (ROOT / "card", *(ROOT / "authentication" / f"{name}.yaml" for name in CARD_ALONE), ROOT / "cps4")
LEAST = 180


@pytest.fixture(scope="module")
def plan(workshop: Workshop) -> RunPlan:
    return prepare(RunOptions(paths=FOLDERS), workshop)


@pytest.fixture(scope="module")
def scenarios(plan: RunPlan) -> tuple[PlannedScenario, ...]:
    """Each scenario once, however many cards its matrix names."""
    once = {(scenario.suite, scenario.model.id): scenario for scenario in plan.scenarios}
    return tuple(once.values())


def run(plan: RunPlan, workshop: Workshop) -> list[Event]:
    events: list[Event] = []
    execute(plan, workshop, run_id="20250101-000000-000000", command=("bifente", "run"), emit=events.append)
    return events


def verdicts(events: list[Event]) -> dict[str, Verdict]:
    return {event.scenario: event.verdict for event in events if isinstance(event, ScenarioFinished)}


# -- well made --------------------------------------------------------------------------------------------------------


def expects_a_refusal(step: PlannedStep) -> bool:
    """Whether a step can only pass if something is refused: by the card, by PC/SC, or by who verifies."""
    expect = step.expect
    if "error" in expect or "not-valid-under" in expect:
        return True
    if expect.get("trust", "trusted") != "trusted":
        return True
    words = expect.get("sw", "9000")
    words = [str(word).upper() for word in (words if isinstance(words, list) else [words])]
    if any(word.startswith("$") for word in words):
        return False
    # 61xx and 9Fxx announce data, 6Cxx corrects a length; 63Cx to a question is an answer.
    fine = re.compile(r"9000|61..|9F..|6C.." + ("|63C." if step.kind.name == "code-status" else ""))
    return not any(fine.fullmatch(word) for word in words)


def test_there_are_enough_scenarios_and_most_expect_a_refusal(scenarios: tuple[PlannedScenario, ...]) -> None:
    negative = [scenario for scenario in scenarios if any(map(expects_a_refusal, scenario.steps))]
    print(f"{len(scenarios)} scenarios, {len(negative)} of them negative")
    assert len(scenarios) >= LEAST
    assert len(negative) > len(scenarios) / 2


def test_every_scenario_cites_known_requirements_once_each(scenarios: tuple[PlannedScenario, ...]) -> None:
    catalogue = load_catalogue()
    for scenario in scenarios:
        cited = scenario.model.requirements
        assert cited, scenario.id
        assert len(set(cited)) == len(cited), scenario.id
        assert all(requirement in catalogue for requirement in cited), scenario.id


def test_every_identifier_is_unique(plan: RunPlan) -> None:
    identifiers = [scenario.id for scenario in plan.scenarios]
    assert len(set(identifiers)) == len(identifiers)
    names = [suite.model.suite for suite in plan.suites]
    assert len(set(names)) == len(names)


def titles(plan: RunPlan) -> Iterator[tuple[str, Any]]:
    for suite in plan.suites:
        yield suite.model.suite, suite.model.title
        for name, stage in suite.model.stages.items():
            if stage.title:
                yield f"{suite.model.suite} {name}", stage.title
    for scenario in plan.scenarios:
        yield scenario.id, scenario.model.title
        yield from ((f"{scenario.id} line {step.line}", step.title) for step in scenario.steps if step.title)


def test_every_title_says_something_in_both_languages(plan: RunPlan) -> None:
    for where, title in titles(plan):
        assert title.fr.strip(), where
        assert title.en.strip(), where
        assert title.fr != title.en, where


def test_no_two_scenarios_share_a_title(scenarios: tuple[PlannedScenario, ...]) -> None:
    for language in ("fr", "en"):
        found = [getattr(scenario.model.title, language) for scenario in scenarios]
        assert sorted(set(found)) == sorted(found)


def test_no_scenario_is_a_copy_of_another(scenarios: tuple[PlannedScenario, ...]) -> None:
    done: dict[str, str] = {}
    for scenario in scenarios:
        what = repr(
            (
                scenario.bench.profile,
                sorted((role, repr(choice)) for role, choice in scenario.bench.cards.items()),
                [(step.kind.name, step.raw, step.expect, step.slot, step.bindings) for step in scenario.steps],
            )
        )
        assert what not in done, f"{scenario.id} does what {done.get(what)} does"
        done[what] = scenario.id


CHANGING = {"change-code", "reset-code", "update-binary"}
VERIFY, WITH_CODES, WRITES = 0x20, {0x24, 0x2C}, {0xD6}


def spends_or_changes(scenario: PlannedScenario, step: PlannedStep) -> bool:
    """Whether a step may use up a try or a use, change a code, or write."""
    arguments = step.kind.arguments(step.raw)
    if step.kind.name in CHANGING:
        return True
    if step.kind.name == "verify-code":
        slot = step.slot or "cps"
        own = {f"$cards.{slot}.code", *({"$card.code"} if slot == next(iter(scenario.bench.cards)) else ())}
        return arguments.get("which", "pin") != "pin" or arguments["code"] not in own
    if step.kind.name == "transmit":
        command = bytes.fromhex(str(arguments["command"]))
        instruction = command[1] if len(command) > 1 else None  # a lone byte asks for nothing
        return instruction in WITH_CODES | WRITES or (instruction == VERIFY and len(command) > 5)
    return False


def test_what_may_harm_a_card_is_marked_destructive(scenarios: tuple[PlannedScenario, ...]) -> None:
    for scenario in scenarios:
        harmful = any(spends_or_changes(scenario, step) for step in scenario.steps)
        assert scenario.model.destructive is harmful, scenario.id


# -- passing, and always the same -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def first_run(plan: RunPlan, workshop: Workshop) -> list[Event]:
    return run(plan, workshop)


def test_every_scenario_passes_on_the_embedded_bench(plan: RunPlan, first_run: list[Event]) -> None:
    found = verdicts(first_run)
    assert set(found) == {scenario.id for scenario in plan.scenarios}
    assert {name: verdict for name, verdict in found.items() if verdict is not Verdict.PASSED} == {}


def test_the_same_seed_gives_the_same_journal(plan: RunPlan, workshop: Workshop, first_run: list[Event]) -> None:
    again = run(plan, workshop)
    assert timeless(again) == timeless(first_run)


def test_another_seed_changes_random_bytes_only(plan: RunPlan, workshop: Workshop, first_run: list[Event]) -> None:
    other = run(replace(plan, options=replace(plan.options, seed=2)), workshop)
    assert verdicts(other) == verdicts(first_run)
    assert timeless(other[1:]) != timeless(first_run[1:])
    assert isinstance(other[0], RunStarted)
    assert other[0].seed == 2


# -- able to fail -----------------------------------------------------------------------------------------------------

Mutation = Callable[[pytest.MonkeyPatch], None]


def any_code_is_right(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("bifente.simulator.iso7816.secrets.hmac", SimpleNamespace(compare_digest=lambda given, right: True))


def everything_is_allowed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(AccessRule, "allows", lambda self, operation, *means: True)


def files_are_always_allowed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SmartCard, "require_file", lambda self, operation, node: None)


def keys_are_always_allowed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SmartCard, "require_key", lambda self, operation, key: None)


def codes_are_always_allowed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SmartCard, "require_secret", lambda self, operation, secret: None)


def wrong_tries_are_not_counted(patch: pytest.MonkeyPatch) -> None:
    honest = CardSecrets._present

    def present(self: CardSecrets, rule: Any, value: bytes, *, fits: bool) -> None:
        before = self._memory.state
        try:
            honest(self, rule, value, fits=fits)
        except StatusError:
            self._memory.commit(before)
            raise

    patch.setattr(CardSecrets, "_present", present)


def right_code_gives_no_try_back(patch: pytest.MonkeyPatch) -> None:
    honest = CardSecrets._present

    def present(self: CardSecrets, rule: Any, value: bytes, *, fits: bool) -> None:
        left = self.state(rule).tries_left
        honest(self, rule, value, fits=fits)
        kept = replace(self.state(rule), tries_left=left)
        self._memory.commit(self._memory.state.with_secret(rule.name, kept))

    patch.setattr(CardSecrets, "_present", present)


def asking_uses_a_try(patch: pytest.MonkeyPatch) -> None:
    honest = CardSecrets.status

    def status(self: CardSecrets, rule: Any) -> int:
        answer = honest(self, rule)
        state = self.state(rule)
        if rule.name not in self.verified and state.tries_left > 1:
            spent = replace(state, tries_left=state.tries_left - 1)
            self._memory.commit(self._memory.state.with_secret(rule.name, spent))
        return answer

    patch.setattr(CardSecrets, "status", status)


def a_changed_code_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    honest = CardSecrets.change

    def change(self: CardSecrets, rule: Any, values: bytes) -> None:
        former = self.state(rule).value
        honest(self, rule, values)
        kept = replace(self.state(rule), value=former)
        self._memory.commit(self._memory.state.with_secret(rule.name, kept))

    patch.setattr(CardSecrets, "change", change)


def reset_keeps_the_code(patch: pytest.MonkeyPatch) -> None:
    honest = SmartCard.power_on

    def power_on(self: SmartCard) -> bytes:
        verified = set(self.secrets.verified)
        atr = honest(self)
        self.secrets.verified |= verified
        return atr

    patch.setattr(SmartCard, "power_on", power_on)


def warm_reset_clears_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SmartCard, "reset", lambda self: self.image.atr)


def removal_keeps_the_work(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SmartCard, "power_off", lambda self: None)
    honest = SmartCard.power_on
    patch.setattr(SmartCard, "power_on", lambda self: honest(self) if self._volatile is None else self.image.atr)


def answering(patch: pytest.MonkeyPatch, answer: Callable[[SmartCard, bytes, Callable[[bytes], bytes]], bytes]) -> None:
    """Put ``answer`` between the client and every card; it gets the card, the command and the honest card's way.

    What is too short to be a command (a suite sends such) is the honest card's: ``answer`` may look at a whole header.
    """
    honest = SmartCard.transmit

    def transmit(card: SmartCard, raw: bytes) -> bytes:
        return honest(card, raw) if len(raw) < 4 else answer(card, raw, lambda sent: honest(card, sent))

    patch.setattr(SmartCard, "transmit", transmit)


def hash_is_dropped_by_a_refusal(patch: pytest.MonkeyPatch) -> None:
    def answer(card: SmartCard, raw: bytes, honest: Callable[[bytes], bytes]) -> bytes:
        response = honest(raw)
        if raw[1] == 0x2A and response == b"\x69\x82" and card._volatile is not None:
            for channel in card._volatile.channels.values():
                channel.hash = None
        return response

    answering(patch, answer)


def only_the_last_block_is_hashed(patch: pytest.MonkeyPatch) -> None:
    honest = hashing.finish
    patch.setattr(hashing, "finish", lambda digest, state, bits, rest: honest(digest, b"", 0, rest))


def one_key_does_everything(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SmartCard, "rsa", lambda self, key: self._rsa["authentication"])


def authentication_data_have_no_limit(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(operations, "_AUTHENTICATE_PERCENT", 90)


def decipher_keeps_the_padding(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RsaKey, "decipher", RsaKey.raw)


def random_bytes_never_change(patch: pytest.MonkeyPatch) -> None:
    fixed = bytes(8) + b"\x90\x00"
    answering(patch, lambda card, raw, honest: fixed if raw == bytes.fromhex("0084000008") else honest(raw))


def any_application_name_will_do(patch: pytest.MonkeyPatch) -> None:
    root = bytes.fromhex("00A4040C088025000001FF0100")
    answering(patch, lambda card, raw, honest: honest(root if raw[1:3] == b"\xa4\x04" else raw))


def every_offset_is_the_beginning(patch: pytest.MonkeyPatch) -> None:
    answering(
        patch,
        lambda card, raw, honest: honest(raw[:2] + b"\0\0" + raw[4:] if raw[1] == 0xB0 and raw[2] < 0x80 else raw),
    )


def missing_files_are_empty_answers(patch: pytest.MonkeyPatch) -> None:
    def answer(card: SmartCard, raw: bytes, honest: Callable[[bytes], bytes]) -> bytes:
        response = honest(raw)
        return b"\x90\x00" if response in (b"\x6a\x82", b"\x94\x04") else response

    answering(patch, answer)


def cards_share_what_was_verified(patch: pytest.MonkeyPatch) -> None:
    honest = CardSecrets.__init__
    shared: set[str] = set()

    def start(self: CardSecrets, *arguments: Any) -> None:
        honest(self, *arguments)
        self.verified = shared

    patch.setattr(CardSecrets, "__init__", start)


def selecting_forgets_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Applications, "_of", lambda self, name: ApplicationLife(exclusive=True, forgets=False))


def applications_are_shared(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Applications, "_of", lambda self, name: ApplicationLife(exclusive=False, forgets=True))


def channels_are_never_closed(patch: pytest.MonkeyPatch) -> None:
    def answer(card: SmartCard, raw: bytes, honest: Callable[[bytes], bytes]) -> bytes:
        response = honest(raw)
        if response == b"\x68\x81" and raw[0] & 3 == 1:
            honest(bytes.fromhex("01A4040C088025000001FF0100"))
            return honest(raw)
        return response

    answering(patch, answer)


def asking_tells_what_is_verified(patch: pytest.MonkeyPatch) -> None:
    honest = CardSecrets.status
    patch.setattr(
        CardSecrets, "status", lambda self, rule: 0x9000 if rule.name in self.verified else honest(self, rule)
    )


def the_signature_scheme_is_ignored(patch: pytest.MonkeyPatch) -> None:
    honest = RsaKey.sign_hash
    patch.setattr(RsaKey, "sign_hash", lambda self, digest, value, scheme, random: honest(self, digest, value))


MUTATIONS: Mapping[Mutation, str] = {
    any_code_is_right: "card.code-porteur/wrong-code-is-counted[medecin-generaliste]",
    everything_is_allowed: "card.protected-objects/every-situation-wants-the-code[medecin-generaliste]",
    files_are_always_allowed: "card.cps-data/no-writing-without-code[medecin-generaliste]",
    keys_are_always_allowed: "authentication.signature/no-signature-after-reset[medecin-generaliste]",
    codes_are_always_allowed: "card.code-deblocage/no-unblocking-without-the-code[medecin-generaliste]",
    wrong_tries_are_not_counted: "card.code-porteur/third-wrong-code-blocks[medecin-generaliste]",
    right_code_gives_no_try_back: "card.code-porteur/right-code-gives-the-tries-back",
    asking_uses_a_try: "card.code-porteur/asking-uses-no-try[medecin-generaliste]",
    a_changed_code_is_forgotten: "card.code-porteur/holder-changes-code",
    reset_keeps_the_code: "card.reset/reset-by-another-application[medecin-generaliste]",
    warm_reset_clears_nothing: "card.reset/warm-reset",
    removal_keeps_the_work: "card.reset/removal",
    hash_is_dropped_by_a_refusal: "authentication.signature/hash-survives-refused-signature",
    only_the_last_block_is_hashed: "authentication.signature/sha1-of-every-length",
    one_key_does_everything: "authentication.signature/altered-message",
    authentication_data_have_no_limit: "authentication.internal-authenticate/longest-data",
    decipher_keeps_the_padding: "authentication.decipher/shortest-and-longest-text[medecin-generaliste]",
    random_bytes_never_change: "authentication.challenge/eight-random-bytes[medecin-generaliste]",
    any_application_name_will_do: "card.selection/unknown-application",
    every_offset_is_the_beginning: "card.files/file-longer-than-a-piece",
    missing_files_are_empty_answers: "card.business-objects/situations-with-holes[medecin-generaliste]",
    selecting_forgets_nothing: "cps4.channels/selecting-again-closes",
    applications_are_shared: "cps4.channels/application-held-by-another-program",
    channels_are_never_closed: "cps4.channels/unknown-application-opens-nothing",
    asking_tells_what_is_verified: "cps4.codes/asking-tells-the-tries-always",
    the_signature_scheme_is_ignored: "cps4.keys/four-algorithms",
    cards_share_what_was_verified: "card.code-porteur/two-cards-do-not-share-a-code[pharmacien+family=cps4]",
}
"""What may be wrong with a card, and a scenario that must notice."""


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_wrong_card_makes_scenarios_fail(
    mutation: Mutation,
    plan: RunPlan,
    scenarios: tuple[PlannedScenario, ...],
    workshop: Workshop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (noticing,) = [scenario for scenario in plan.scenarios if scenario.id == MUTATIONS[mutation]]
    # All of its suite, and of every other one scenario: more of them would say the same.
    others = {scenario.suite: scenario for scenario in reversed(scenarios)}.values()
    same = [scenario for scenario in scenarios if scenario.suite == noticing.suite]
    chosen = {scenario.id: scenario for scenario in (*others, *same, noticing)}
    mutation(monkeypatch)
    found = verdicts(run(replace(plan, scenarios=tuple(chosen.values())), workshop))
    failed = [name for name, verdict in found.items() if verdict is Verdict.FAILED]
    print(f"{len(failed)} failed: {', '.join(failed)}")
    assert found[MUTATIONS[mutation]] is Verdict.FAILED
    assert Verdict.BENCH_ERROR not in found.values()
    # A wrong card is not wrong in everything: what it does not touch still passes.
    assert Verdict.PASSED in found.values()
