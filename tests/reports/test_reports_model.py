from __future__ import annotations

import random

import pytest
import sample

from bifente.ground.fidelity import Fidelity
from bifente.ground.text import Text
from bifente.reports.events import Event, Exchange, Note, RunFinished, ScenarioFinished, ScenarioStarted, Suite
from bifente.reports.model import Fold, Run, ScenarioResult, fold
from bifente.reports.verdict import Verdict
from bifente.reports.words import INTERRUPTED


@pytest.fixture(scope="module")
def run() -> Run:
    return fold(sample.recorded(sample.full_run()))


def _scenario(run: Run, name: str) -> ScenarioResult:
    return next(item for item in run.scenarios if item.id.endswith(name))


def test_a_whole_run(run: Run) -> None:
    assert not run.interrupted
    assert run.missing == 0
    assert run.verdict is Verdict.BENCH_ERROR
    assert run.fidelity is Fidelity.MODELLED
    assert run.duration_us == 1_234_567
    assert list(run.counts) == list(Verdict)
    assert sum(run.counts.values()) == len(run.scenarios) == 8
    assert all(run.counts[verdict] for verdict in Verdict)


def test_suites_hold_their_scenarios_in_order(run: Run) -> None:
    assert [suite.suite.id for suite in run.suites] == [sample.SUITE, sample.OTHER]
    assert [len(suite.scenarios) for suite in run.suites] == [5, 3]
    assert [suite.verdict for suite in run.suites] == [Verdict.FAILED, Verdict.BENCH_ERROR]
    assert run.suites[0].duration_us == 5 * 12_400


def test_steps_hold_what_happened_in_order(run: Run) -> None:
    failed = _scenario(run, "three-wrong-codes-block")
    assert [step.start.name for step in failed.steps] == ["select-application", "verify-code", "reset-card"]
    assert [len(step.exchanges) for step in failed.steps] == [1, 1, 0]
    assert len(failed.steps[2].happenings) == 1
    assert [item.name for item in failed.steps[1].unmet] == ["sw", "meaning"]
    assert failed.telling_steps == (failed.steps[1],)
    remarked = _scenario(run, "tries-left-are-readable")
    assert [item.name for item in remarked.steps[0].remarks] == ["length"]
    assert remarked.telling_steps == remarked.steps


def test_the_worst_comes_first_among_what_to_look_at(run: Run) -> None:
    assert [item.verdict for item in run.to_look_at] == [
        Verdict.BENCH_ERROR,
        Verdict.FAILED,
        Verdict.FAILED,
        Verdict.BLOCKED,
    ]


def test_the_matrix_has_a_row_for_each_cited_requirement(run: Run) -> None:
    rows = {row.requirement.id: row for row in run.requirements}
    assert {name: row.verdict for name, row in rows.items()} == {
        "CARD-CPS3-16": Verdict.BLOCKED,
        "CARD-CPS3-17": Verdict.FAILED,
        "SEED-CPS-03": Verdict.PASSED_WITH_REMARK,
        "RDR-04": Verdict.BENCH_ERROR,
        "RDR-09": Verdict.NOT_RUN,
    }
    assert len(rows["CARD-CPS3-16"].scenarios) == 2


def test_coverage_is_honest(run: Run) -> None:
    coverage = run.coverage
    assert (coverage.total, coverage.cited, coverage.judged, coverage.met) == (64, 5, 2, 1)
    assert coverage.percent(coverage.cited) == pytest.approx(7.8125)
    assert fold([]).coverage.percent(0) == 0


def test_a_bench_error_gives_no_verdict_on_a_requirement() -> None:
    events = sample.scenario("x", Text("x", "x"), Verdict.BENCH_ERROR, requirements=("CARD-CPS3-16",))
    coverage = fold([sample.run_started(), *events]).coverage
    assert (coverage.judged, coverage.met) == (0, 0)


def test_a_requirement_out_of_the_catalogue_shows_and_covers_nothing() -> None:
    events = sample.scenario("x", Text("x", "x"), Verdict.PASSED, requirements=("NOWHERE-1",))
    run = fold([sample.run_started(requirements=(), requirements_total=3), *events])
    assert [(row.requirement.id, row.requirement.set) for row in run.requirements] == [("NOWHERE-1", "?")]
    assert (run.coverage.total, run.coverage.cited, run.coverage.met) == (3, 0, 0)


def test_an_interrupted_run_says_where_it_stopped() -> None:
    run = fold(sample.recorded(sample.cut_run()))
    assert run.interrupted
    assert run.missing == 6
    assert run.verdict is Verdict.NOT_RUN
    done, cut = run.scenarios
    assert done.verdict is Verdict.PASSED
    assert (cut.verdict, cut.reason, cut.complete) == (Verdict.NOT_RUN, INTERRUPTED, False)
    assert [step.verdict for step in cut.steps] == [Verdict.PASSED, Verdict.NOT_RUN]
    assert cut.steps[1].exchanges
    assert run.requirements[3].scenarios == ()
    assert run.requirements[3].verdict is Verdict.NOT_RUN
    assert run.ended == sample.recorded(sample.cut_run())[-1].time


def test_a_run_stopped_by_its_operator_is_interrupted() -> None:
    assert fold([sample.run_started(suites=()), RunFinished(interrupted=True)]).interrupted


def test_a_run_that_claims_to_be_finished_with_scenarios_missing_has_not_passed() -> None:
    run = fold([sample.run_started(), *sample.wrong_code(), RunFinished()])
    assert run.missing == 7
    assert [suite.verdict for suite in run.suites] == [Verdict.NOT_RUN, Verdict.NOT_RUN]
    assert run.verdict is Verdict.NOT_RUN


@pytest.mark.parametrize("count", range(len(sample.full_run()) + 1))
def test_a_journal_cut_after_any_event_folds(count: int) -> None:
    events = sample.recorded(sample.full_run())
    run = fold(events[:count], truncated=True)
    assert run.truncated
    assert run.interrupted == (count < len(events))
    assert not (run.interrupted and run.verdict.good)
    begun = sum(isinstance(event, ScenarioStarted) for event in events[:count])
    assert len(run.scenarios) == begun
    assert run.missing == (8 - begun if count else 0)


def test_scenarios_may_interleave() -> None:
    one, two = sample.recorded(sample.wrong_code()), sample.recorded(sample.blocked_code())
    mixed: list[Event] = []
    chance = random.Random(1)
    while one or two:
        mixed.append((one if one and (not two or chance.random() < 0.5) else two).pop(0))
    apart = fold([sample.run_started(), *sample.recorded(sample.wrong_code()), *sample.recorded(sample.blocked_code())])
    both = fold([sample.run_started(), *mixed])
    assert {item.id: item for item in both.scenarios} == {item.id: item for item in apart.scenarios}


def test_evidence_without_a_beginning_is_kept() -> None:
    orphan = Exchange(scenario="s/x", index=4, slot="cps", command="00", response="9000")
    run = fold([sample.run_started(suites=()), orphan, ScenarioFinished(scenario="s/y", verdict=Verdict.FAILED)])
    assert [item.id for item in run.scenarios] == ["s/x", "s/y"]
    assert run.scenarios[0].steps[0].exchanges == (orphan,)
    assert run.suites[0].suite == Suite(id="s", title=Text("s", "s"), file="", scenarios=0)


def test_one_scenario_can_be_had_while_the_run_goes_on() -> None:
    folding = Fold()
    for event in sample.recorded(sample.cut_run()):
        folding.add(event)
    assert folding.scenario(f"{sample.SUITE}/wrong-code-is-counted").verdict is Verdict.PASSED
    with pytest.raises(KeyError):
        folding.scenario("nobody")


def test_notes_and_changes_between_steps_are_kept(run: Run) -> None:
    assert [type(note) for note in run.notes] == [Note]
    events = sample.wrong_code()
    from bifente.reports.events import BenchChange

    change = BenchChange(scenario=events[0].scenario, what=Text("a", "b"))  # type: ignore[union-attr]
    assert fold([*events[:-1], change, events[-1]]).scenarios[0].changes == (change,)
