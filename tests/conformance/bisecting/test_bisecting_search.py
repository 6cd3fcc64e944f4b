"""The differences that carry a failure: found, needed each, all of them, in few runs; and never a wrong end."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from math import ceil, log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifente.conformance.bisecting.chances import FailureRate
from bifente.conformance.bisecting.search import Bisection, bisect
from bifente.conformance.bisecting.trials import Label, Limits

TWELVE = tuple("abcdefghijkl")


def failing(*causes: str, label: str = "777") -> Callable[[frozenset[str], int], Label]:
    """Fails with any of these sets of differences."""
    return lambda mix, number: label if any(mix >= set(cause) for cause in causes) else None


def found(bisection: Bisection[str]) -> list[str]:
    return ["".join(culprit.differences) for culprit in bisection.culprits]


@pytest.mark.parametrize("culprit", TWELVE)
def test_one_of_twelve_in_twelve_runs_at_most(culprit: str) -> None:
    done = bisect(TWELVE, failing(culprit))
    assert found(done) == [culprit]
    assert done.explains
    assert done.culprits[0].without == {culprit: None}
    assert done.runs <= 12, done.runs


@pytest.mark.parametrize("pair", ["ab", "al", "kl", "fg", "ci"])
def test_two_that_need_each_other_in_forty_runs_at_most(pair: str) -> None:
    done = bisect(TWELVE, failing(pair))
    assert found(done) == [pair]
    assert done.culprits[0].without == dict.fromkeys(pair)
    assert done.runs <= 40, done.runs


def test_no_mix_is_run_twice_where_everything_is_steady() -> None:
    seen: list[tuple[frozenset[str], int]] = []

    def attempt(mix: frozenset[str], number: int) -> Label:
        seen.append((mix, number))
        return failing("ch")(mix, number)

    done = bisect(TWELVE, attempt)
    assert len(seen) == len(set(seen)) == done.runs
    assert done.mixes == len({mix for mix, _number in seen})


def test_two_causes_of_which_each_is_enough() -> None:
    done = bisect(TWELVE, failing("c", "gj"))
    assert sorted(found(done)) == ["c", "gj"]
    assert done.explains


def test_a_failure_that_another_one_hides() -> None:
    def attempt(mix: frozenset[str], number: int) -> Label:
        return "server" if "b" in mix else "777" if "k" in mix else None

    done = bisect(TWELVE, attempt)
    assert [(culprit.label, found(done)[place]) for place, culprit in enumerate(done.culprits)] == [
        ("server", "b"),
        ("777", "k"),
    ]
    assert done.explains
    assert done.culprits[0].without == {"b": None}  # alone; that 777 shows then is the second culprit


def test_what_appears_when_one_of_two_is_not_there() -> None:
    def attempt(mix: frozenset[str], number: int) -> Label:
        return "777" if mix >= {"c", "d"} else "other" if "d" in mix else None

    done = bisect(TWELVE, attempt)
    assert done.culprits[0].without == {"c": "other", "d": None}
    # With both gone nothing is wrong any more, and the cure is told whole.
    assert done.explains


def test_a_difference_that_undoes_the_failure_is_no_matter() -> None:
    def attempt(mix: frozenset[str], number: int) -> Label:
        return "777" if "e" in mix and ("f" not in mix or "g" in mix) else None

    done = bisect(TWELVE, attempt)
    assert found(done)[0] == "e"
    assert done.explains


@pytest.mark.parametrize("always", [lambda mix, number: "777", lambda mix, number: None if mix else "777"])
def test_what_is_said_to_work_fails_too(always: Callable[[frozenset[str], int], Label]) -> None:
    done = bisect(TWELVE, always)
    assert not done.explains
    assert not done.culprits
    assert not done.comparable


def test_another_failure_of_what_is_said_to_work_is_no_working_end() -> None:
    done = bisect(TWELVE, lambda mix, number: "777" if "c" in mix else "other")
    assert done.working == "other"
    assert not done.comparable
    assert not done.culprits


def test_nothing_fails() -> None:
    done = bisect(TWELVE, lambda mix, number: None)
    assert done.failing is None
    assert not done.explains
    assert done.runs == Limits().patience


def test_no_difference_at_all() -> None:
    done: Bisection[str] = bisect((), lambda mix, number: "777")
    assert not done.comparable
    assert not done.explains


def test_a_difference_told_twice() -> None:
    with pytest.raises(ValueError, match="twice"):
        bisect(("a", "a"), failing("a"))


@pytest.mark.parametrize("most", range(1, 12))
def test_runs_spent_are_no_answer(most: int) -> None:
    done = bisect(TWELVE, failing("fg"), Limits(most_runs=most))
    assert done.runs <= most
    assert not done.complete
    assert not done.explains
    assert not done.narrowed or set(done.narrowed) >= {"f", "g"}


def flaky(seed: int, rate: float, *causes: str) -> Callable[[frozenset[str], int], Label]:
    chance = random.Random(seed)
    always = failing(*causes)

    def attempt(mix: frozenset[str], number: int) -> Label:
        return always(mix, number) if chance.random() < rate else None

    return attempt


def test_a_failure_that_comes_one_time_in_three() -> None:
    good = 0
    for seed in range(40):
        done = bisect(TWELVE, flaky(seed, 1 / 3, "h"))
        # An end that is not the right one is never told as one that explains everything with too little.
        good += found(done) == ["h"] and done.explains
        assert done.complete
        assert done.rest_runs >= done.repeats > 1
        assert not done.rate.steady
    assert good >= 39


def test_two_together_that_fail_one_time_in_three() -> None:
    good = sum(found(bisect(TWELVE, flaky(seed, 1 / 3, "dk"))) == ["dk"] for seed in range(20))
    assert good >= 19


def test_draws_that_a_number_stands_for_are_made_use_of() -> None:
    """A bench draws the same for the same number: the numbers with which the whole failed tell at once."""
    draws = [random.Random(number).random() < 1 / 3 for number in range(200)]

    def attempt(mix: frozenset[str], number: int) -> Label:
        return "777" if draws[number] and "h" in mix else None

    done = bisect(TWELVE, attempt)
    assert found(done) == ["h"]
    assert done.explains


def test_one_that_only_seems_steady() -> None:
    """The whole fails always, the culprit alone does not: seen when it is run once more, and looked at again."""

    def attempt(mix: frozenset[str], number: int) -> Label:
        return "777" if "h" in mix and ("a" in mix or number % 2 == 0) else None

    done = bisect(TWELVE, attempt)
    assert found(done) == ["h"]
    assert done.repeats > 1
    assert done.explains


@pytest.mark.parametrize(
    ("failures", "runs", "least"), [(5, 15, 0.171), (1, 1, 0.1), (3, 3, 0.464), (0, 9, 0.0), (10, 10, 0.794)]
)
def test_the_rate_is_at_least(failures: int, runs: int, least: float) -> None:
    assert FailureRate(failures, runs).at_least == pytest.approx(least, abs=0.002)


def test_how_many_runs_show_that_it_does_not_fail() -> None:
    assert FailureRate(5, 15).repeats(0.01, 100) == 25
    assert FailureRate(5, 15).repeats(0.01, 10) == 10
    assert FailureRate(0, 15).repeats(0.01, 100) == 100
    assert 0.83**25 < 0.01 < 0.83**24


CAUSES = st.integers(1, 20).flatmap(
    lambda count: st.tuples(
        st.just(count),
        st.lists(st.sets(st.integers(0, count - 1), min_size=1, max_size=3), min_size=1, max_size=2),
    )
)


@settings(max_examples=150, deadline=None)
@given(CAUSES)
def test_any_culprits_of_any_number_of_differences(drawn: tuple[int, list[set[int]]]) -> None:
    count, causes = drawn

    def attempt(mix: Collection[int], number: int) -> Label:
        return "777" if any(cause <= set(mix) for cause in causes) else None

    done = bisect(range(count), attempt)
    assert done.explains
    for culprit in done.culprits:
        members = set(culprit.differences)
        assert attempt(members, 0) == "777"
        assert all(attempt(members - {one}, 0) is None for one in members)  # none can be left out
    gone = {one for culprit in done.culprits for one in culprit.differences}
    assert attempt(set(range(count)) - gone, 0) is None
    if len(causes) == 1:
        assert [set(culprit.differences) for culprit in done.culprits] == causes
        size = len(causes[0])
        assert done.runs <= 7 + size * (ceil(log2(count + 1)) + 2)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 8))
def test_failures_without_rhyme_or_reason_end_in_nothing_false(seed: int, count: int) -> None:
    """Any function of the mix, monotone or not: what is told holds of it."""
    labels: dict[frozenset[int], Label] = {}

    def attempt(mix: frozenset[int], number: int) -> Label:
        return labels.setdefault(mix, random.Random(f"{seed}{sorted(mix)}").choice([None, None, "777", "other"]))

    done = bisect(range(count), attempt)
    assert done.complete
    for culprit in done.culprits:
        members = frozenset(culprit.differences)
        assert attempt(members, 0) == culprit.label
        assert all(attempt(members - {one}, 0) == shown != culprit.label for one, shown in culprit.without.items())
    if done.explains:
        gone = {one for culprit in done.culprits for one in culprit.differences}
        assert attempt(frozenset(range(count)) - gone, 0) is None
        assert attempt(frozenset(), 0) is None
