"""The matrix of a scenario: axes, combinations, what is left out, and the values in bench and steps."""

from __future__ import annotations

import itertools
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from conformance_bench import complaints, load, scenario_text, steps_text, suite_text, write
from hypothesis import given, settings
from hypothesis import strategies as st

from bifente.conformance.bench.profiles import load_profile
from bifente.conformance.loading import InputError
from bifente.conformance.model import BenchModel, CardChoice, Combine, Matrix
from bifente.conformance.requirements import load_catalogue
from bifente.conformance.scenario.loader import load_suite
from bifente.conformance.scenario.matrix import MOST, MatrixError, spread
from bifente.conformance.scenario.references import substitute
from bifente.simulator.faults import catalogue

BENCH = BenchModel(profile="readers/generic-bislot", cards={"cps": "infirmier"})


def matrix(combine: str = "all", without: list[dict[str, Any]] | None = None, **axes: list[Any]) -> Matrix:
    return Matrix(axes=axes, combine=Combine(combine), without=without or [])


def rows(given: Matrix | None, bench: BenchModel = BENCH, seed: str = "1", profile: str | None = None) -> list[Any]:
    return spread(bench, given, default="readers/generic-bislot", profile=profile, seed=seed)


def pairs(found: list[Any], names: tuple[str, ...]) -> set[Any]:
    return {
        ((one, row.values[one]), (other, row.values[other]))
        for row in found
        for one, other in itertools.combinations(names, 2)
    }


def test_all_combinations_in_the_order_of_the_axes() -> None:
    found = rows(matrix(a=[1, 2], b=["x", "y"]))
    assert [row.label for row in found] == ["[1,x]", "[1,y]", "[2,x]", "[2,y]"]
    assert found[2].values == {"a": 2, "b": "x"}


def test_an_axis_of_one_value_is_not_in_the_id() -> None:
    assert [row.label for row in rows(matrix(a=[1], b=["x", "y"]))] == ["[x]", "[y]"]
    assert [row.label for row in rows(matrix(a=[1]))] == [""]


def test_lists_of_the_bench_are_axes_too() -> None:
    bench = BenchModel(
        profile=["readers/generic-bislot", "readers/olaqin-vitalact"], cards={"cps": ["cpa", "infirmier"]}
    )
    found = rows(matrix(a=[1, 2]), bench)
    assert len(found) == 8
    assert found[-1].label == "[readers/olaqin-vitalact,infirmier,2]"
    assert [row.label for row in rows(None, bench)][:2] == [
        "[readers/generic-bislot,cpa]",
        "[readers/generic-bislot,infirmier]",
    ]


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    seed=st.text(max_size=5),
)
def test_pairwise_meets_every_pair_and_is_never_more_than_all(sizes: list[int], seed: str) -> None:
    names = tuple("abcd"[: len(sizes)])
    axes = {name: list(range(size)) for name, size in zip(names, sizes, strict=True)}
    everything, found = rows(matrix(**axes)), rows(matrix("pairwise", **axes), seed=seed)
    assert pairs(found, names) == pairs(everything, names)
    assert len(found) <= len(everything)
    assert len({row.label for row in found}) == len(found)
    assert rows(matrix("pairwise", **axes), seed=seed) == found, "the same seed gives the same rows"


def test_another_seed_is_another_choice() -> None:
    axes: dict[str, list[Any]] = {name: list(range(4)) for name in "abc"}
    chosen = {tuple(row.label for row in rows(matrix("pairwise", **axes), seed=str(seed))) for seed in range(5)}
    assert len(chosen) > 1


@settings(max_examples=40, deadline=None)
@given(excluded=st.sets(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=6), seed=st.integers(0, 99))
def test_pairwise_leaves_out_what_is_excluded_and_nothing_else(excluded: set[tuple[int, int]], seed: int) -> None:
    without = [{"a": a, "b": b} for a, b in sorted(excluded)]
    axes: dict[str, list[Any]] = {"a": [0, 1, 2], "b": [0, 1, 2], "c": [0, 1]}
    found = rows(matrix("pairwise", without, **axes), seed=str(seed))
    met = {(row.values["a"], row.values["b"]) for row in found}
    assert met == set(itertools.product(range(3), range(3))) - excluded


def test_an_exclusion_takes_lists_and_the_ids_of_mappings() -> None:
    faults = [{"id": "one", "code": 1}, {"id": "two", "code": 2}]
    found = rows(matrix(f=faults, b=[1, 2, 3], without=[{"f": "one", "b": [2, 3]}]))
    assert [row.label for row in found] == ["[one,1]", "[two,1]", "[two,2]", "[two,3]"]


@pytest.mark.parametrize("combine", ["all", "pairwise"])
def test_a_fault_that_the_profile_cannot_have_is_not_generated(combine: str) -> None:
    profiles = ["readers/generic-bislot", "readers/olaqin-like-wireless"]
    bench = BenchModel(profile="$matrix.profile", cards={"cps": "infirmier"})
    given = matrix(
        combine, profile=profiles, fault=["terminal-out-of-range", {"id": "card-mute"}, "terminal-link-weak"]
    )
    found = rows(given, bench)
    assert len(found) == 4
    for row in found:
        fault = row.values["fault"]
        needs = catalogue()[fault["id"] if isinstance(fault, dict) else fault].needs
        assert needs <= load_profile(row.bench.profile)[0].capabilities


def test_a_profile_chosen_for_the_run_replaces_the_axis() -> None:
    bench = BenchModel(profile="$matrix.profile", cards={"cps": "infirmier"})
    given = matrix(profile=["readers/generic-bislot", "readers/olaqin-vitalact"], a=[1, 2])
    found = rows(given, bench, profile="readers/olaqin-telium")
    assert [(row.label, row.bench.profile) for row in found] == [
        ("[1]", "readers/olaqin-telium"),
        ("[2]", "readers/olaqin-telium"),
    ]


def test_a_card_may_come_from_the_matrix() -> None:
    bench = BenchModel(cards={"cps": CardChoice.model_validate({"template": "$matrix.who", "family": "cps4"})})
    found = rows(matrix(who=["cpa", "infirmier"]), bench)
    assert [row.bench.cards["cps"].template for row in found] == ["cpa", "infirmier"]
    assert found[0].bench.cards["cps"].parameters == {"family": "cps4"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (matrix(a=[1, 1]), "the matrix has '1' twice"),
        (matrix(a=[1, 2], without=[{"a": [1, 2]}]), "the matrix leaves nothing to run"),
        (matrix(a=list(range(100)), b=list(range(100))), f"the matrix gives more than {MOST} scenarios"),
    ],
)
def test_a_matrix_that_cannot_be_spread_is_refused(given: Matrix, said: str) -> None:
    with pytest.raises(MatrixError, match=said):
        rows(given)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("matrix: {axes: {}}\nsteps: [code-status]", "axes: at least 1 entries are expected"),
        ("matrix: {axes: {a: []}}\nsteps: [code-status]", "axes.a: at least 1 entries are expected"),
        (
            "matrix: {axes: {a: [1]}, combine: some}\nsteps: [code-status]",
            "combine: one of all, pairwise is expected, not 'some'",
        ),
        ("matrix: {axes: {a: [1]}, without: [{b: 1}]}\nsteps: [code-status]", "without names 'b', which is no axis"),
        ("matrix: {axes: {a: [1]}}\nsteps: [{verify-code: $matrix.b}]", "$matrix.b leads nowhere"),
        ("steps: [{verify-code: $matrix.b}]", "$matrix is not known here"),
        ("matrix: {axes: {a: [zzz]}}\nsteps: [{use: $matrix.a}]", "unknown stage 'zzz'"),
        ("matrix: {axes: {a: [zzz]}}\nsteps: [{inject-fault: $matrix.a}]", "no fault is named 'zzz'"),
        ("matrix: {axes: {a: [xxxx]}}\nsteps: [{code-status: , expect: {sw: $matrix.a}}]", "xxxx would fit any answer"),
        ("bench: {profile: $matrix.b}\nmatrix: {axes: {a: [1]}}\nsteps: [code-status]", "$matrix.b leads nowhere"),
    ],
)
def test_a_mistake_in_a_matrix_has_its_place(tmp_path: Path, body: str, said: str) -> None:
    found = complaints(tmp_path, suite_text(scenario_text(body)))
    assert len(found) == 1, found
    assert said in found[0]


def test_values_reach_steps_stages_and_expectations(tmp_path: Path) -> None:
    text = suite_text(
        scenario_text(
            "matrix: {axes: {way: [one, two], sw: ['63C3', '9000']}, without: [{way: two, sw: '63C3'}]}\n"
            "steps: [{use: $matrix.way}]"
        ),
        head="bench: {cards: {cps: infirmier}}\nstages:\n"
        "  one: {steps: [{code-status: pin, expect: {sw: $matrix.sw}}]}\n"
        "  two: {steps: [{verify-code: '1${matrix.sw}'}]}",
    )
    found = load(tmp_path, text).scenarios
    assert [scenario.id for scenario in found] == [
        "t.one/only[one,63C3]",
        "t.one/only[one,9000]",
        "t.one/only[two,9000]",
    ]
    assert [dict(scenario.steps[0].expect) for scenario in found] == [{"sw": "63C3"}, {"sw": "9000"}, {}]
    assert found[2].steps[0].raw == "19000"
    assert [scenario.generated for scenario in found] == [False, True, True]


def test_the_seed_of_the_run_chooses_the_rows(tmp_path: Path) -> None:
    axes = "{a: [1, 2, 3, 4], b: [1, 2, 3, 4], c: [1, 2, 3, 4]}"
    path = write(
        tmp_path, suite_text(scenario_text(f"matrix: {{combine: pairwise, axes: {axes}}}\nsteps: [code-status]"))
    )

    def ids(seed: int) -> list[str]:
        return [scenario.id for scenario in load_suite(path, load_catalogue(), seed=seed).scenarios]

    assert ids(1) == ids(1)
    assert len({tuple(ids(seed)) for seed in range(4)}) > 1
    assert 16 <= len(ids(1)) < 30


def test_other_references_are_left_alone() -> None:
    written = {"a": "$card.code", "b": "x${matrix.v}y$$", "c": ["$matrix.v", "$v"], "d": "${other}${matrix.v}"}
    given = {"v": 5}
    assert substitute(written, "matrix", given) == {
        "a": "$card.code",
        "b": "x5y$$",
        "c": [5, "$v"],
        "d": "${other}5",
    }


def test_a_suite_without_matrix_is_read_as_before(tmp_path: Path) -> None:
    (scenario,) = load(tmp_path, steps_text("- code-status")).scenarios
    assert (scenario.id, scenario.generated) == ("t.one/only", False)


def test_the_shipped_matrix_is_the_same_for_the_same_seed_and_meets_every_pair() -> None:
    path = Path(__file__).resolve().parents[3] / "scenarios" / "faults" / "matrix.yaml"
    suite = load_suite(path, load_catalogue(), seed=7)
    assert [one.id for one in suite.scenarios] == [
        one.id for one in load_suite(path, load_catalogue(), seed=7).scenarios
    ]
    met = {tuple(one.id.partition("[")[2][:-1].split(",")) for one in suite.scenarios if "in-the-middle" in one.id}
    journeys, faults, profiles = ({row[index] for row in met} for index in range(3))
    assert {row[:2] for row in met} == set(itertools.product(journeys, faults))
    everything = set(itertools.product(faults, profiles))
    assert {row[1:] for row in met} == everything - {("usb-suspend", "readers/olaqin-like-wireless")}


def test_a_matrix_of_a_bad_file_gives_no_more_than_its_complaint(tmp_path: Path) -> None:
    path = write(tmp_path, suite_text(scenario_text("matrix: 5\nsteps: [code-status]")))
    with pytest.raises(InputError, match="matrix"):
        load_suite(path, load_catalogue())


def test_the_day_of_a_bench_may_be_a_value_of_the_matrix() -> None:
    bench = BENCH.model_copy(update={"day": "$matrix.begin.day"})
    found = rows(matrix(begin=[{"id": "one", "day": "2027-07-13"}, {"id": "other", "day": "2028-02-29"}]), bench)
    assert [(row.label, row.bench.day) for row in found] == [
        ("[one]", date(2027, 7, 13)),
        ("[other]", date(2028, 2, 29)),
    ]


def test_a_bench_without_a_day_begins_today() -> None:
    assert [row.bench.day for row in rows(None)] == [None]


@pytest.mark.parametrize("day", ["2027-02-29", "2027-13-01", "tomorrow", 20270713, None, {"day": "2027-07-13"}])
def test_a_value_that_is_no_day_is_refused(day: object) -> None:
    bench = BENCH.model_copy(update={"day": "$matrix.day"})
    if day is None:
        assert rows(matrix(day=[day]), bench)[0].bench.day is None
        return
    with pytest.raises(MatrixError, match="a day is written YYYY-MM-DD"):
        rows(matrix(day=[day]), bench)


@pytest.mark.parametrize("day", ["13/07/2027", "2027-7-13", "'20270713'", "''"])
def test_a_day_written_otherwise_is_refused_in_its_place(tmp_path: Path, day: str) -> None:
    head = f"bench: {{day: {day}, cards: {{cps: infirmier}}}}"
    (said,) = complaints(tmp_path, steps_text("- get-challenge: 8", head=head))
    assert "day" in said


def test_the_day_of_a_scenario_replaces_that_of_its_suite(tmp_path: Path) -> None:
    own = scenario_text("bench: {day: 2028-02-29}\nsteps: [get-challenge: 8]", "own")
    usual = scenario_text("steps: [get-challenge: 8]", "usual")
    suite = load(tmp_path, suite_text(own, usual, head="bench: {day: 2027-07-13, cards: {cps: infirmier}}"))
    assert [one.bench.day for one in suite.scenarios] == [date(2028, 2, 29), date(2027, 7, 13)]
