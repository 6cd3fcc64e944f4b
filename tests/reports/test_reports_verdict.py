from __future__ import annotations

import itertools

import pytest

from bifente.ground.fidelity import Fidelity
from bifente.ground.text import LANGS, Text
from bifente.reports.events import Expectation
from bifente.reports.verdict import WORST_FIRST, Verdict, verdict_of, verdict_of_phases


def test_the_seven_verdicts_are_those_of_the_design() -> None:
    assert {v.value for v in Verdict} == {
        "passed",
        "passed-with-remark",
        "failed",
        "blocked",
        "not-applicable",
        "not-run",
        "bench-error",
    }
    assert set(WORST_FIRST) == set(Verdict)


def test_each_verdict_is_told_apart_without_colour() -> None:
    assert len({v.symbol for v in Verdict}) == 7
    for lang in LANGS:
        assert len({v.label.get(lang) for v in Verdict}) == 7
        assert all(v.meaning.get(lang) for v in Verdict)
    assert Verdict.PASSED.say("en") == "✓ passed"
    assert Verdict.BENCH_ERROR.say("fr") == "⚠ erreur du banc"


def test_a_bench_error_is_neither_a_pass_nor_a_failure_of_the_product() -> None:
    assert Verdict.BENCH_ERROR.junit == "error"
    assert Verdict.BENCH_ERROR.ctrf == "other"
    assert not Verdict.BENCH_ERROR.good
    assert [v for v in Verdict if v.junit == "error"] == [Verdict.BENCH_ERROR]
    assert [v for v in Verdict if v.junit == "failure"] == [Verdict.FAILED]
    assert [v for v in Verdict if v.ctrf == "failed"] == [Verdict.FAILED]


def test_only_good_verdicts_are_called_passed_elsewhere() -> None:
    for verdict in Verdict:
        assert (verdict.junit == "passed") == (verdict.ctrf == "passed") == verdict.good


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        (Verdict.BENCH_ERROR, Verdict.FAILED),
        (Verdict.FAILED, Verdict.BLOCKED),
        (Verdict.BLOCKED, Verdict.NOT_RUN),
        (Verdict.NOT_RUN, Verdict.PASSED_WITH_REMARK),
        (Verdict.PASSED_WITH_REMARK, Verdict.PASSED),
        (Verdict.PASSED, Verdict.NOT_APPLICABLE),
    ],
)
def test_the_worst_wins(worse: Verdict, better: Verdict) -> None:
    assert Verdict.aggregate([better, worse, better]) is worse


def test_nothing_at_all_is_not_a_pass() -> None:
    assert Verdict.aggregate([]) is Verdict.NOT_RUN
    assert Verdict.aggregate([Verdict.NOT_APPLICABLE] * 3) is Verdict.NOT_APPLICABLE


def test_aggregation_does_not_depend_on_order_nor_grouping() -> None:
    for a, b, c in itertools.product(Verdict, repeat=3):
        whole = Verdict.aggregate([a, b, c])
        assert whole is Verdict.aggregate([c, a, b])
        assert whole is Verdict.aggregate([Verdict.aggregate([a, b]), c])


def test_the_weakest_ground_shows() -> None:
    assert Fidelity.weakest([Fidelity.DOCUMENTED, Fidelity.MODELLED, Fidelity.OBSERVED]) is Fidelity.MODELLED
    assert Fidelity.weakest([Fidelity.OBSERVED, Fidelity.DOCUMENTED]) is Fidelity.OBSERVED
    assert Fidelity.weakest([]) is Fidelity.DOCUMENTED
    assert all(f.label.get(lang) and f.meaning.get(lang) for f in Fidelity for lang in LANGS)


def test_a_text_falls_back_on_its_other_side() -> None:
    assert Text("oui", "yes").get("fr") == "oui"
    assert Text("oui", "yes").get("en") == "yes"
    assert Text("oui", "").get("en") == "oui"
    assert Text("", "yes").get("fr") == "yes"
    assert Text.same("9000").get("en") == "9000"


MET = Expectation(name="sw", expected="9000", observed="9000", ok=True)
TOLERATED = Expectation(name="length", expected="12", observed="13", ok=True, remark=True)
UNMET = Expectation(name="sw", expected="9000", observed="6982", ok=False)


def test_a_step_follows_from_its_expectations() -> None:
    assert verdict_of([]) is Verdict.PASSED
    assert verdict_of([MET, MET]) is Verdict.PASSED
    assert verdict_of([TOLERATED, MET]) is Verdict.PASSED_WITH_REMARK
    assert verdict_of([TOLERATED, UNMET, MET]) is Verdict.FAILED


P, R, F, N, NA, E = (
    Verdict.PASSED,
    Verdict.PASSED_WITH_REMARK,
    Verdict.FAILED,
    Verdict.NOT_RUN,
    Verdict.NOT_APPLICABLE,
    Verdict.BENCH_ERROR,
)


@pytest.mark.parametrize(
    ("setup", "steps", "teardown", "whole"),
    [
        ([P], [P, P], [P], P),
        ([P], [P, R], [P], R),
        ([P], [P, F, N], [P], F),
        ([F], [N, N], [N], Verdict.BLOCKED),
        ([N], [N], [], N),
        ([P], [P], [F], R),
        ([P], [P], [N], R),
        ([P], [F], [F], F),
        ([P], [P, NA, N], [], NA),
        ([P], [P], [NA], NA),
        ([P], [F, N], [NA], F),
        ([P], [P], [E], E),
        ([F], [E], [], E),
        ([], [], [], N),
    ],
)
def test_a_scenario_follows_from_its_steps(
    setup: list[Verdict], steps: list[Verdict], teardown: list[Verdict], whole: Verdict
) -> None:
    assert verdict_of_phases(setup, iter(steps), iter(teardown)) is whole
