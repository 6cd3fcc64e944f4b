"""The artefact of a step: judged instead of what is expected behind vpcd, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conformance_bench import Lab, Ran, complaints, steps_text

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.factory import BenchPool
from bifente.conformance.options import RunOptions, TargetKind
from bifente.reports.events import BenchChange, ScenarioFinished
from bifente.reports.verdict import Verdict
from bifente.simulator.pcsc.services import ServiceKind

WHY = "why: {fr: un octet tient lieu de réponse, en: one byte stands for the answer}"
MUTE = "- connect\n- inject-fault: {fault: answer-truncated, times: 1}\n- code-status:\n"
BOTH = f"{MUTE}  expect: {{error: NOT_TRANSACTED}}\n  artefact: {{expect: {{error: UNREADABLE_ANSWER}}, {WHY}}}"
FAITHFUL = f"- code-status:\n  expect: {{sw: [63C3, 6A88]}}\n  artefact: {{expect: {{sw: [63C3, 6A88]}}, {WHY}}}"


@pytest.fixture(scope="module")
def behind_vpcd(_chain: None) -> Iterator[Lab]:
    workshop = Workshop.default()
    options = RunOptions(paths=(), target=TargetKind.PCSC, service=ServiceKind.PCSCD)
    lab = Lab(workshop, BenchPool(options, workshop, ["readers/generic-bislot"]))
    yield lab
    lab.pool.close()


def test_in_process_the_plain_expectation_holds(run: Callable[..., Ran]) -> None:
    assert run(steps_text(BOTH)).verdict is Verdict.PASSED


def test_in_process_the_artefact_excuses_nothing(run: Callable[..., Ran]) -> None:
    wrong = BOTH.replace("error: NOT_TRANSACTED", "error: REMOVED_CARD")
    assert run(steps_text(wrong)).verdict is Verdict.FAILED
    assert run(steps_text(BOTH.replace("UNREADABLE_ANSWER", "NOT_TRANSACTED"))).verdict is Verdict.PASSED


def test_behind_vpcd_the_artefact_is_a_remark_with_its_reason(behind_vpcd: Lab, tmp_path: Path) -> None:
    ran = behind_vpcd.run(tmp_path, steps_text(BOTH))
    assert ran.verdict is Verdict.PASSED_WITH_REMARK, ran.told()
    assert ran.reason == "artefact of what shows the reader: one byte stands for the answer"
    (judged,) = ran.steps[2].expectations
    assert (judged.expected, judged.observed, judged.ok, judged.remark) == (
        "UNREADABLE_ANSWER (on a real reader: NOT_TRANSACTED)",
        "UNREADABLE_ANSWER",
        True,
        True,
    )
    assert ran.steps[2].reason is not None
    assert ran.steps[2].reason.fr == "un octet tient lieu de réponse"


@pytest.mark.parametrize("shown", ["NOT_TRANSACTED", "REMOVED_CARD"])
def test_behind_vpcd_another_artefact_fails(behind_vpcd: Lab, tmp_path: Path, shown: str) -> None:
    assert behind_vpcd.run(tmp_path, steps_text(BOTH.replace("UNREADABLE_ANSWER", shown))).verdict is Verdict.FAILED


def test_behind_vpcd_a_step_without_artefact_fails(behind_vpcd: Lab, tmp_path: Path) -> None:
    plain = BOTH.partition("\n  artefact")[0]
    assert behind_vpcd.run(tmp_path, steps_text(plain)).verdict is Verdict.FAILED


def test_behind_vpcd_what_a_real_reader_shows_is_no_remark(behind_vpcd: Lab, tmp_path: Path) -> None:
    ran = behind_vpcd.run(tmp_path, steps_text(FAITHFUL))
    assert ran.verdict is Verdict.PASSED, ran.told()
    assert ran.reason == ""


def test_behind_vpcd_the_next_scenario_finds_a_bench_that_works(behind_vpcd: Lab, tmp_path: Path) -> None:
    """The worst one: a card that pcscd gave up, since it failed to reset."""
    worst = "- inject-fault: card-mute-at-reset\n- connect:\n  expect: {error: UNPOWERED_CARD}"
    assert behind_vpcd.run(tmp_path, steps_text(worst)).verdict is Verdict.PASSED
    assert behind_vpcd.run(tmp_path, steps_text("- select-application: cpx-ias")).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("artefact", "said"),
    [
        ("{}", "the key 'expect' is missing"),
        ("5", "a mapping of keys to values is expected"),
        ("{expect: {}, why: {fr: a, en: b}}", "expect: at least 1 entries are expected"),
        ("{expect: {sw: 9000}}", "the key 'why' is missing"),
        ("{expect: {sw: 9000}, why: [a]}", "a title is a text, or one for each language"),
        ("{expect: {ws: 9000}, why: {fr: a, en: b}}", "code-status does not let one expect 'ws'"),
        ("{expect: {sw: xxxx}, why: {fr: a, en: b}}", "sw: xxxx would fit any answer"),
        ("{expect: {error: NOPE}, why: {fr: a, en: b}}", "error: 'NOPE' is unknown"),
        ("{expect: {sw: 9000}, why: {fr: a, en: b}, more: 1}", "unknown key 'more'"),
    ],
)
def test_a_wrong_artefact_is_refused_where_it_stands(tmp_path: Path, artefact: str, said: str) -> None:
    found = complaints(tmp_path, steps_text(f"- code-status:\n  artefact: {artefact}"))
    assert found
    assert said in found[0]


def test_a_step_that_captures_has_no_artefact(tmp_path: Path) -> None:
    text = steps_text(f"- code-status:\n  capture: {{x: sw}}\n  artefact: {{expect: {{sw: 9000}}, {WHY}}}")
    (found,) = complaints(tmp_path, text)
    assert "a step that captures has no artefact" in found


# -- the steps that make faults ----------------------------------------------------------------------------------------


def told(ran: Ran) -> list[str]:
    return [event.what.en for event in ran.events if isinstance(event, BenchChange)]


def test_the_record_names_the_fault_and_its_end(run: Callable[..., Ran]) -> None:
    ran = run(steps_text("- inject-fault: card-absent\n- clear-faults"))
    assert told(ran) == [
        "fault card-absent: the software asks for the card although it is in the reader",
        "fault taken away: card-absent",
    ]
    pictures = [event.picture["slot:cps"] for event in ran.events if isinstance(event, BenchChange)]
    assert pictures == ["", "medecin-generaliste"]


def test_one_fault_is_taken_away_by_its_name_the_other_stays(run: Callable[..., Ran]) -> None:
    steps = (
        "- connect\n- inject-fault: card-late\n- inject-fault: card-mute\n- clear-faults: card-late\n"
        "- code-status:\n  expect: {error: NOT_TRANSACTED}"
    )
    assert run(steps_text(steps)).verdict is Verdict.PASSED


def test_a_fault_ends_with_its_scenario(run: Callable[..., Ran]) -> None:
    for identifier in ("card-mute", "card-absent", "reader-lost", "exclusivity-held", "service-stopped"):
        assert run(steps_text(f"- inject-fault: {identifier}")).verdict is Verdict.PASSED
        assert run(steps_text("- select-application: cpx-ias")).verdict is Verdict.PASSED, identifier


def test_the_same_seed_gives_the_same_strikes(run: Callable[..., Ran]) -> None:
    reads = "\n".join("- get-challenge: 8\n  should: {sw: 9000}\n  expect: {sw: [9000, 6F00]}" for _ in range(12))
    text = steps_text(
        "- select-application: cpx-ias\n"
        f"- inject-fault: {{fault: wrong-status-word, percent: 50, times: always}}\n{reads}"
    )

    def struck(seed: int) -> list[str]:
        return [exchange.sw for exchange in run(text, seed=seed).exchanges[1:]]

    assert struck(3) == struck(3)
    assert len({tuple(struck(seed)) for seed in range(4)}) > 1
    assert {"6F00", "9000"} <= set(struck(3))


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("inject-fault: card-mutt", "no fault is named 'card-mutt', did you mean 'card-mute'?"),
        ("inject-fault: {fault: card-mute, at: B}", "an instruction is two hexadecimal digits"),
        ("inject-fault: {fault: card-mute, at: nope}", "an instruction is two hexadecimal digits"),
        ("inject-fault: {fault: card-mute, command: 0}", "command: a number of at least 1 is expected"),
        ("inject-fault: {fault: card-mute, times: never}", "times: a whole number is expected, not 'never'"),
        ("inject-fault: {fault: card-mute, percent: 101}", "percent: a number of at most 100 is expected"),
        ("inject-fault: {fault: card-mute, byte: -1}", "byte: a number of at least 0 is expected"),
        ("inject-fault:", "the key 'fault' is missing"),
        ("clear-faults: nope", "no fault is named 'nope'"),
    ],
)
def test_a_wrong_injection_is_refused_when_read(tmp_path: Path, step: str, said: str) -> None:
    found = complaints(tmp_path, steps_text(f"- {step}"))
    assert found
    assert said in found[0]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("{fault: card-absent, command: 2}", "card-absent strikes no command"),
        ("{fault: galss-ini-missing, command: 2}", "galss-ini-missing strikes no command"),
        ("{fault: card-late, byte: 2}", "card-late leaves the bytes of the answer alone"),
        ("terminal-out-of-range", "terminal-out-of-range needs a wireless terminal"),
        ("slots-swapped", "slots-swapped needs two cards in the device"),
    ],
)
def test_what_cannot_be_made_here_is_not_run_with_the_reason(run: Callable[..., Ran], step: str, said: str) -> None:
    ran = run(steps_text(f"- inject-fault: {step}"))
    assert ran.verdict is Verdict.NOT_RUN
    finished = [event for event in ran.events if isinstance(event, ScenarioFinished)]
    assert said in (finished[0].reason.en if finished[0].reason else "")
