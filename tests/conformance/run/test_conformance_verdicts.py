"""Each of the seven verdicts from a tiny scenario, and above all what must never be one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from conformance_bench import CARD, Lab, Ran, scenario_text, steps_text, suite_text

from bifente.conformance.bench.facets import Destructive, Insertion, Inspection, Personalisation
from bifente.conformance.bench.factory import BenchPool
from bifente.conformance.bench.scene import Act
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.options import RunOptions
from bifente.conformance.scenario.step import ANSWER, STEPS, CardStep, Observation, Observes, Step
from bifente.conformance.targets.base import GuardRefusalError, PcscCode, ScardError
from bifente.conformance.targets.facets import Facet, Facets, PrivateClock
from bifente.ground.text import Text
from bifente.reports.events import BenchChange, Phase
from bifente.reports.verdict import Verdict

Run = Callable[..., Ran]
EAR = "- verify-code: '0000'\n  expect: {sw: 63C2}\n"


@pytest.fixture
def odd_steps() -> Iterator[None]:
    """Steps that go wrong in every way, registered for one test."""
    before = set(STEPS)

    class Explodes(CardStep):
        name: ClassVar[str] = "explode"
        title: ClassVar[Text] = Text("Exploser", "Explode")
        observes: ClassVar[Observes] = ANSWER

        def run(self, act: Act) -> Observation:
            raise RuntimeError("boom")

    class Refuses(CardStep):
        name: ClassVar[str] = "refuse"
        title: ClassVar[Text] = Text("Refuser", "Refuse")

        def run(self, act: Act) -> Observation:
            raise GuardRefusalError(Text("trop précieux", "too precious"))

    class Fails(Step):
        name: ClassVar[str] = "lose-the-reader"
        title: ClassVar[Text] = Text("Perdre le lecteur", "Lose the reader")

        def run(self, act: Act) -> Observation:
            raise ScardError(PcscCode.READER_UNAVAILABLE)

    class Sees(CardStep):
        name: ClassVar[str] = "see"
        title: ClassVar[Text] = Text("Voir", "See")
        shorthand: ClassVar[str] = "value"
        observes: ClassVar[Observes] = {"value": ValueMatcher(), "other": ValueMatcher()}

        value: str | int | None = None

        def run(self, act: Act) -> Observation:
            return Observation({"value": self.value})

    class Stutters(CardStep):
        name: ClassVar[str] = "hear-one-byte"
        title: ClassVar[Text] = Text("Entendre un octet", "Hear one byte")
        observes: ClassVar[Observes] = ANSWER

        def run(self, act: Act) -> Observation:
            from bifente.simulator.iso7816.apdu import Response

            return Observation.of(Response.parse(b"\x90"))

    yield
    for name in set(STEPS) - before:
        del STEPS[name]


@pytest.mark.usefixtures("odd_steps")
@pytest.mark.parametrize(
    ("expected", "verdict"),
    [
        ("{value: {present: false}}", Verdict.PASSED),
        ("{other: {present: false}}", Verdict.PASSED),
        ("{other: {present: true}}", Verdict.FAILED),
        ("{other: {not: 3}}", Verdict.FAILED),
    ],
)
def test_that_there_is_none_is_an_expectation(run: Run, expected: str, verdict: Verdict) -> None:
    assert run(steps_text(f"- see:\n  expect: {expected}")).verdict is verdict


@pytest.mark.usefixtures("odd_steps")
def test_what_was_to_be_absent_fails_where_it_is_seen(run: Run) -> None:
    assert run(steps_text("- see: 0\n  expect: {value: {present: false}}")).verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        ("- code-status:\n  expect: {sw: 63C3}", Verdict.PASSED),
        ("- get-challenge: 8", Verdict.PASSED),  # 9000 when nothing is said
        ("- code-status", Verdict.FAILED),  # 63C3 is no 9000
        ("- code-status:\n  expect: {sw: 63C2}", Verdict.FAILED),
        ("- code-status:\n  should: {sw: 63C2}", Verdict.PASSED_WITH_REMARK),
        ("- code-status:\n  should: {sw: 63C3}", Verdict.PASSED),
        ("- get-challenge: 8\n  should: {data: '00*'}", Verdict.PASSED_WITH_REMARK),
        ("- code-status:\n  should: {after: {pin-tries: 1}}", Verdict.FAILED),  # still no 9000
        ("- get-challenge: 8\n  expect: {data: {length: 8}}", Verdict.PASSED),
        ("- get-challenge: 8\n  expect: {data: {length: 9}}", Verdict.FAILED),
        ("- get-challenge: 8\n  expect: {sw: [6A82, 9000]}", Verdict.PASSED),
        (EAR, Verdict.PASSED),
        ("- verify-code: '0000'\n  expect: {sw: 63C2, before: {pin-tries: 3}, after: {pin-tries: 2}}", Verdict.PASSED),
        ("- verify-code: '0000'\n  expect: {sw: 63C2, before: {pin-tries: 2}}", Verdict.FAILED),
        ("- verify-code: '0000'\n  expect: {sw: 63C2, after: {pin-tries: 3}}", Verdict.FAILED),
        ("- verify-code: $card.code\n  expect: {after: {pin-verified: true}}", Verdict.PASSED),
        ("- remove-card\n- code-status:\n  expect: {error: REMOVED_CARD}", Verdict.FAILED),  # never connected
        ("- remove-card\n- code-status:\n  expect: {error: NO_SMARTCARD}", Verdict.PASSED),
        ("- connect\n- remove-card\n- code-status:\n  expect: {error: REMOVED_CARD}", Verdict.PASSED),
        ("- connect\n- remove-card\n- code-status:\n  expect: {error: [RESET_CARD, REMOVED_CARD]}", Verdict.PASSED),
        ("- connect\n- remove-card\n- code-status:\n  expect: {sw: 63C3}", Verdict.FAILED),
        ("- connect\n- remove-card\n- code-status", Verdict.FAILED),
        ("- connect\n- remove-card\n- code-status:\n  should: {error: REMOVED_CARD}", Verdict.PASSED),
        ("- connect\n- remove-card\n- code-status:\n  should: {error: RESET_CARD}", Verdict.PASSED_WITH_REMARK),
        ("- code-status:\n  expect: {error: REMOVED_CARD}", Verdict.FAILED),
        ("- connect\n- reset-by-another-application\n- code-status:\n  expect: {error: RESET_CARD}", Verdict.PASSED),
        ("- read: EF.SN\n  expect: {sector: SA07}", Verdict.FAILED),  # a value that is not observed
    ],
)
def test_steps_pass_pass_with_a_remark_or_fail(run: Run, steps: str, verdict: Verdict) -> None:
    ran = run(steps_text(steps))
    assert ran.verdict is verdict, ran.told()


def test_too_slow_is_a_remark_since_the_machine_may_be_at_fault(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from bifente.conformance.expectations import circumstances

    monkeypatch.setitem(circumstances.DURATIONS, "instant", -1.0)
    ran = run(steps_text("- get-challenge: 8\n  expect: {within: instant}"))
    assert ran.verdict is Verdict.PASSED_WITH_REMARK
    assert run(steps_text("- get-challenge: 8\n  expect: {within: patient}")).verdict is Verdict.PASSED


REAL_SPEED = "bench: {profile: readers/generic-real-speed, cards: {cps: medecin-generaliste}}"


@pytest.mark.parametrize(
    ("head", "expected", "verdict"),
    [
        (REAL_SPEED, "{at-least: 4000, at-most: 5000}", Verdict.PASSED),
        (REAL_SPEED, "{at-most: 4000}", Verdict.FAILED),
        (REAL_SPEED, "0", Verdict.FAILED),
        (CARD, "0", Verdict.PASSED),
        (CARD, "{at-least: 1}", Verdict.FAILED),
    ],
)
def test_how_long_a_step_lasts_is_told_by_the_clock_of_the_bench(
    run: Run, head: str, expected: str, verdict: Verdict
) -> None:
    text = steps_text(f"- connect\n- read: CPS_DATA\n  expect: {{lasts-ms: {expected}}}", head=head)
    assert run(text).verdict is verdict


def test_time_on_a_clock_that_is_not_the_bench_s_is_not_judged(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a bench behind a PC/SC service is: its clock is the machine's.
    monkeypatch.setattr("bifente.conformance.bench.virtual.VirtualClock", type(None))
    with BenchPool(RunOptions(paths=()), lab.workshop) as pool:
        other = Lab(lab.workshop, pool)
        timed = other.run(tmp_path, steps_text("- read: EF.SN\n  expect: {lasts-ms: 0}"))
        assert timed.verdict is Verdict.NOT_RUN
        assert other.run(tmp_path, steps_text("- read: EF.SN")).verdict is Verdict.PASSED


PHASES = """
setup:
  - code-status:
    expect: {{sw: {setup}}}
steps:
  - code-status:
    expect: {{sw: {first}}}
  - code-status:
    expect: {{sw: 63C3}}
teardown:
  - code-status:
    expect: {{sw: {teardown}}}
  - code-status:
    expect: {{sw: 63C3}}
"""


@pytest.mark.parametrize(
    ("setup", "first", "teardown", "verdict", "steps"),
    [
        ("63C3", "63C3", "63C3", Verdict.PASSED, "passed passed passed passed passed"),
        ("63C2", "63C3", "63C3", Verdict.BLOCKED, "failed not-run not-run passed passed"),
        ("63C3", "63C2", "63C3", Verdict.FAILED, "passed failed not-run passed passed"),
        ("63C3", "63C3", "63C2", Verdict.PASSED_WITH_REMARK, "passed passed passed failed passed"),
        ("63C3", "63C2", "63C2", Verdict.FAILED, "passed failed not-run failed passed"),
        ("63C2", "63C3", "63C2", Verdict.BLOCKED, "failed not-run not-run failed passed"),
    ],
)
def test_after_a_failure_nothing_is_done_but_the_teardown(
    run: Run, setup: str, first: str, teardown: str, verdict: Verdict, steps: str
) -> None:
    body = PHASES.format(setup=setup, first=first, teardown=teardown)
    ran = run(suite_text(scenario_text(body)))
    assert ran.verdict is verdict
    assert ran.step_verdicts == steps.split()
    for step in ran.steps:
        if step.verdict is Verdict.NOT_RUN:
            assert step.reason is not None
            assert step.reason.en == "an earlier step did not succeed"
            assert not step.expectations


def test_reasons_are_given_in_words(run: Run) -> None:
    assert run(suite_text(scenario_text(PHASES.format(setup="63C2", first=9000, teardown=9000)))).reason == (
        "the setup failed"
    )
    assert run(suite_text(scenario_text(PHASES.format(setup="63C3", first="63C3", teardown=9000)))).reason == (
        "the teardown did not succeed"
    )


def test_what_the_profile_lacks_is_not_applicable(run: Run) -> None:
    ran = run(suite_text(scenario_text("requires: [contactless]\nsteps: [get-challenge: 8]")))
    assert ran.verdict is Verdict.NOT_APPLICABLE
    assert ran.reason == "the reader is not contactless"
    assert not ran.steps
    assert run(suite_text(scenario_text("requires: [contact, second-slot]\nsteps: [get-challenge: 8]"))).verdict.good
    # What a suite requires, each of its scenarios does.
    suite = suite_text(scenario_text("steps: [get-challenge: 8]"), head=f"requires: [contactless]\n{CARD}")
    assert run(suite).verdict is Verdict.NOT_APPLICABLE
    one_slot = run(
        suite_text(scenario_text("requires: [second-slot]\nsteps: [get-challenge: 8]")),
        profile="readers/generic-contactless",
    )
    assert one_slot.verdict is Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("capability", "body"),
    [
        (Insertion, "steps: [remove-card, insert-card]"),
        (PrivateClock, "steps: [advance-clock: 5]"),
        (Destructive, "destructive: true\nsteps: [get-challenge: 8]"),
        (Inspection, "steps:\n  - get-challenge: 8\n    expect: {before: {pin-tries: 3}}"),
        (Inspection, "steps:\n  - get-challenge: 8\n    should: {after: {pin-tries: 3}}"),
        (
            Personalisation,
            "bench: {cards: {cps: {template: cpa, lifecycle: updated}}}\nsteps: [get-challenge: 8]",
        ),
        (PrivateClock, "bench: {day: 2027-07-13}\nsteps: [get-challenge: 8]"),
    ],
)
def test_what_the_target_lacks_is_not_run_with_the_reason(
    run: Run, lab: Lab, capability: type[Facet], body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = suite_text(scenario_text(body))
    assert run(text).verdict.good
    bench = lab.pool.get("readers/generic-bislot")
    without = Facets({kind: one for kind, one in bench.facets.items() if kind is not capability})
    monkeypatch.setattr(type(bench), "facets", without)
    ran = run(text)
    assert ran.verdict is Verdict.NOT_RUN
    assert ran.reason == capability.lacking.en
    assert not ran.steps
    assert not ran.exchanges


def test_a_slot_that_the_chosen_profile_lacks_is_not_run(run: Run) -> None:
    text = steps_text("- get-challenge: 8", head="bench: {cards: {cps: cpa, vitale: infirmier}}")
    assert run(text).verdict is Verdict.PASSED
    ran = run(text, profile="readers/generic-contactless")
    assert ran.verdict is Verdict.NOT_RUN
    assert ran.reason == "the reader readers/generic-contactless has no slot vitale"


# -- bench errors -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ("- insert-card", "suite.yaml:10: slot 'Bifente Bi-Slot Reader 00 00' already holds a card: remove it first"),
        ("- remove-card\n- remove-card", "suite.yaml:11: slot 'Bifente Bi-Slot Reader 00 00' is empty"),
    ],
)
def test_a_movement_that_cannot_be_is_the_scenario_s_mistake_with_its_place(run: Run, steps: str, reason: str) -> None:
    ran = run(steps_text(steps))
    assert ran.verdict is Verdict.FAILED
    assert reason in ran.told()


@pytest.mark.usefixtures("odd_steps")
@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ("- explode", "RuntimeError: boom (run, line "),
        ("- explode:\n  expect: {error: RESET_CARD}", "RuntimeError: boom"),
        ("- explode:\n  should: {sw: 9000}", "RuntimeError: boom"),
        ("- lose-the-reader", "ScardError: READER_UNAVAILABLE (80100017)"),
    ],
)
def test_our_own_mistake_is_a_bench_error_with_its_place(run: Run, steps: str, reason: str) -> None:
    ran = run(steps_text(steps))
    assert ran.verdict is Verdict.BENCH_ERROR, ran.told()
    assert ran.reason == "the bench went wrong"
    bad = next(step for step in ran.steps if step.verdict is Verdict.BENCH_ERROR)
    assert bad.reason is not None
    assert reason in bad.reason.en


@pytest.mark.usefixtures("odd_steps")
@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ("- verify-code: $card.cod", "suite.yaml:10: $card.cod leads nowhere: 'cod' is unknown (did you mean 'code'?)"),
        ("- get-challenge: $card.holder", "suite.yaml:10: "),
        ("- get-challenge: 8\n  expect: {sw: $card.code-x}", "suite.yaml:10: $card.code-x leads nowhere"),
        ("- get-challenge: 8\n  expect: {sw: $card.activities}", "suite.yaml:10: sw: "),
        ("- get-challenge: 8\n  expect: {data: {length: $card.code}}", "suite.yaml:10: data: length: '1234' is no"),
        ("- sign: x\n  expect: {sw: 6982, valid-under: $card.code}", "suite.yaml:10: valid-under: a certificate is"),
        ("- get-challenge: 8\n  capture: {got: data}\n- verify-code: $got.x", "suite.yaml:12: $got.x leads nowhere"),
        ("- see:\n  capture: {got: value}\n- get-challenge: 8\n  expect: {data: $got}", None),
    ],
)
def test_a_slip_that_only_running_shows_is_the_scenario_s_with_its_place(
    run: Run, steps: str, reason: str | None
) -> None:
    ran = run(steps_text(steps))
    assert ran.verdict is Verdict.FAILED, ran.told()
    if reason is not None:
        bad = next(step for step in ran.steps if step.verdict is Verdict.FAILED)
        assert bad.reason is not None
        assert reason in bad.reason.en


@pytest.mark.usefixtures("odd_steps")
@pytest.mark.parametrize("phase", list(Phase))
def test_a_bench_error_in_any_phase_is_never_a_pass_nor_a_failure(run: Run, phase: Phase) -> None:
    fails = "code-status: {}, expect: {sw: 9000}"
    parts = dict.fromkeys(Phase, "get-challenge: 8") | {Phase.STEPS: fails} | {phase: "explode: "}
    body = "\n".join(f"{name.value}: [{{{part}}}]" for name, part in parts.items())
    assert run(suite_text(scenario_text(body))).verdict is Verdict.BENCH_ERROR


def test_a_fault_of_the_bench_during_a_scenario_spoils_its_verdict(
    run: Run, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = lab.pool.get("readers/generic-bislot")
    calls = iter([["old"], ["old", "the slot thread died"]])
    monkeypatch.setattr(bench, "faults", lambda: next(calls))
    ran = run(steps_text("- code-status:\n  expect: {sw: 6A82}"))
    assert ran.verdict is Verdict.BENCH_ERROR
    assert ran.reason == "the slot thread died"
    calls = iter([["old"], ["old"]])
    assert run(steps_text("- get-challenge: 8")).verdict is Verdict.PASSED


@pytest.mark.parametrize("error", [ScardError(PcscCode.NO_SMARTCARD), OSError("disk"), KeyError("x"), LookupError()])
def test_a_bench_that_cannot_be_set_is_a_bench_error(
    run: Run, lab: Lab, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seat(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(lab.pool.get("readers/generic-bislot"), "seat", seat)
    ran = run(steps_text("- get-challenge: 8"))
    assert ran.verdict is Verdict.BENCH_ERROR
    assert type(error).__name__ in ran.reason or "the bench could not be set: NO_SMARTCARD" in ran.reason


@pytest.mark.usefixtures("odd_steps")
def test_an_unreadable_answer_is_the_product_s(run: Run) -> None:
    ran = run(steps_text("- hear-one-byte"))
    assert ran.verdict is Verdict.FAILED
    assert ran.steps[0].reason is not None
    assert ran.steps[0].reason.en == "unreadable response: a response has at least 2 bytes, this one 1"


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("odd_steps")
def test_a_refusal_of_the_guard_is_not_run_with_its_reason(run: Run) -> None:
    ran = run(steps_text("- get-challenge: 8\n- refuse\n- get-challenge: 8"))
    assert ran.verdict is Verdict.NOT_RUN
    assert ran.reason == "too precious"
    assert ran.step_verdicts == ["passed", "not-run", "not-run"]
    in_setup = run(suite_text(scenario_text("setup: [refuse]\nsteps: [get-challenge: 8]")))
    assert (in_setup.verdict, in_setup.reason) == (Verdict.NOT_RUN, "too precious")
    failed = run(steps_text("- code-status:\n  expect: {sw: 9000}\n- refuse"))
    assert failed.verdict is Verdict.FAILED


@pytest.mark.usefixtures("odd_steps")
def test_a_teardown_that_was_refused_shows(run: Run) -> None:
    ran = run(suite_text(scenario_text("steps: [get-challenge: 8]\nteardown: [refuse, get-challenge: 8]")))
    assert (ran.verdict, ran.reason) == (Verdict.PASSED_WITH_REMARK, "the teardown did not succeed")
    assert ran.step_verdicts == ["passed", "not-run", "passed"]


# -- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("odd_steps")
def test_a_captured_value_serves_in_later_steps_and_stages(run: Run) -> None:
    stage = "stages:\n  again:\n    parameters: [size, old]\n    steps:\n      - get-challenge: $size\n"
    stage += "        expect: {data: {differs-from: $old}}\n        capture: {new: data}\n"
    steps = "- get-challenge: 8\n  capture: {old: data, word: sw}\n- use: again\n  with: {size: 4, old: $old}\n"
    steps += (
        "- see: x${word}\n  expect: {value: x36864}\n- transmit: 0084000008\n  expect: {data: {differs-from: $new}}\n"
    )
    ran = run(steps_text(steps, head=f"{CARD}\n{stage}"))
    assert ran.verdict is Verdict.PASSED, ran.told()
    assert ran.started[1].via == "again"
    same = steps.replace("data: {differs-from: $new}", "data: $new")
    assert run(steps_text(same, head=f"{CARD}\n{stage}")).verdict is Verdict.FAILED


@pytest.mark.usefixtures("odd_steps")
def test_a_value_to_capture_that_is_not_observed_fails_the_step(run: Run) -> None:
    ran = run(steps_text("- see: 5\n  capture: {a: value, b: other}"))
    assert ran.verdict is Verdict.FAILED
    (bad,) = [expectation for expectation in ran.steps[0].expectations if not expectation.ok]
    assert (bad.name, bad.expected, bad.observed) == ("other", "a value for $b", "(absent)")


def test_the_main_card_is_the_one_steps_speak_to(run: Run) -> None:
    head = "bench: {cards: {vitale: {template: infirmier, codes: {pin: '9876'}}, cps: medecin-generaliste}}"
    steps = "- verify-code: $card.code\n- verify-code: $cards.cps.code\n"
    steps += "- verify-code: '9876'\n  slot: vitale\n- verify-code: $cards.vitale.code\n  slot: vitale"
    ran = run(steps_text(steps, head=head))
    assert ran.verdict is Verdict.PASSED, ran.told()
    assert [exchange.slot for exchange in ran.exchanges] == ["cps", "cps", "vitale", "vitale"]
    only = run(steps_text("- verify-code: $card.code", head="bench: {cards: {vitale: infirmier}}"))
    assert only.verdict is Verdict.PASSED
    assert only.exchanges[0].slot == "vitale"


def test_scenarios_do_not_inherit_what_others_did_to_the_card(run: Run) -> None:
    block = "\n".join([EAR, EAR.replace("63C2", "63C1"), EAR.replace("63C2", "63C0")])
    text = suite_text(
        scenario_text("steps:\n" + "".join(f"  {line}\n" for line in block.splitlines()), "blocks"),
        scenario_text("steps: [remove-card]", "removes"),
        scenario_text("steps:\n  - verify-code: $card.code", "verifies"),
        scenario_text("steps:\n  - read: CPS_ACTIVITY_01_PS\n    expect: {sw: 6982}", "reads"),
    )
    ran = run(text)
    assert set(ran.verdicts.values()) == {Verdict.PASSED}, ran.told()


def test_a_run_repeats_with_its_seed_whatever_ran_before(run: Run) -> None:
    first = scenario_text("steps: [get-challenge: 16]", "first")
    second = scenario_text("steps: [get-challenge: 16]", "second")

    def drawn(text: str, seed: int) -> dict[str | None, str]:
        ran = run(text, seed=seed)
        return {exchange.scenario: exchange.response for exchange in ran.exchanges}

    both = drawn(suite_text(first, second), 7)
    assert both["t.one/first"] != both["t.one/second"]
    assert drawn(suite_text(second, first), 7) == both
    assert drawn(suite_text(second), 7) == {"t.one/second": both["t.one/second"]}
    assert drawn(suite_text(second), 8) != {"t.one/second": both["t.one/second"]}


# -- what the record says ---------------------------------------------------------------------------------------------


def test_codes_are_masked_before_they_leave_the_runner(run: Run) -> None:
    steps = "- verify-code: '9731'\n  expect: {sw: 63C2}\n- verify-code: $card.code\n"
    steps += "- change-code: {old: $card.code, new: '8642'}\n- transmit: 00200001 04 37353331\n  expect: {sw: 63C2}"
    ran = run(steps_text(steps))
    assert ran.verdict is Verdict.PASSED, ran.told()
    told = repr(ran.events)
    for secret in ("9731", "8642", "39 37 33 31", "38 36 34 32", "31 32 33 34"):
        assert secret not in told, secret
    assert "$card.code" in told


def test_part_of_a_code_beside_a_reference_is_masked_too(run: Run) -> None:
    text = steps_text("- verify-code: '77${card.code}88'\n  expect: {sw: '6xxx'}")
    assert "77${card" not in repr(run(text).events)


def test_every_event_knows_its_step(run: Run) -> None:
    ran = run(steps_text("- connect\n- remove-card\n- insert-card\n- get-challenge: 4"))
    assert [event.index for event in ran.started] == [0, 1, 2, 3]
    assert [event.line for event in ran.started] == [10, 11, 12, 13]
    changes = [event for event in ran.events if isinstance(event, BenchChange)]
    assert [(change.index, change.slot, change.what.en) for change in changes] == [
        (1, "cps", "card removed from slot cps"),
        (2, "cps", "card inserted in slot cps"),
    ]
    # The dialogue does not outlive the card it was opened with.
    assert ran.verdict is Verdict.FAILED
    assert {exchange.index for exchange in ran.exchanges} <= {0, 3}


def test_what_a_step_changed_in_the_state_of_the_card_stands_beside_it(run: Run) -> None:
    ran = run(steps_text(EAR))
    (step,) = ran.steps
    assert step.state_before is not None
    assert step.state_after is not None
    assert (step.state_before["pin-tries"], step.state_after["pin-tries"]) == ("3", "2")
    assert "pin-verified" not in step.state_after


TWO_CARDS = "bench: {cards: {cps: medecin-generaliste, vitale: infirmier}}"
STAGE = """
stages:
  ask:
    steps:
      - code-status: pin
        expect: {sw: 63C3}
"""


def test_a_stage_speaks_to_the_slot_its_caller_names(run: Run) -> None:
    steps = "steps:\n  - use: status\n    slot: vitale\n  - use: status"
    ran = run(suite_text(scenario_text(steps.replace("use: status", "use: ask")), head=TWO_CARDS + STAGE))
    assert [exchange.slot for exchange in ran.exchanges] == ["vitale", "cps"]


def test_time_that_one_scenario_lets_pass_does_not_age_the_cards_of_the_next(run: Run) -> None:
    later = scenario_text("steps: [advance-clock: 94608000]", "ages")
    check = scenario_text("steps:\n  - check-certificate: signature\n    expect: {trust: trusted}", "young")
    assert run(suite_text(later, check)).verdicts == {"ages": Verdict.PASSED, "young": Verdict.PASSED}
    old = scenario_text(
        "steps:\n  - advance-clock: 94608000\n  - check-certificate: signature\n    expect: {trust: expired}", "old"
    )
    assert run(suite_text(old)).verdict is Verdict.PASSED


def test_a_scenario_begins_on_its_day_with_cards_of_that_day_and_the_next_one_today(run: Run, lab: Lab) -> None:
    bench = lab.pool.get("readers/generic-bislot")
    check = "steps:\n  - check-certificate: signature\n    expect: {trust: trusted}"
    run(suite_text(scenario_text(check)))
    today = bench.now()
    # Ten years from now no card made today is in force.
    day = today.date().replace(year=today.year + 10, day=1)
    ran = run(suite_text(scenario_text(f"bench: {{day: {day}}}\n{check}")))
    assert ran.verdict is Verdict.PASSED
    assert bench.now().date() == day
    (told,) = [event for event in ran.events if isinstance(event, BenchChange)]
    assert told.what.en == f"the scenario begins on {day}"
    run(suite_text(scenario_text(check)))
    assert bench.now() == today
