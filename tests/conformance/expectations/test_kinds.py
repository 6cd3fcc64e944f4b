"""Every observation says what kind of value it is, and an expectation that nothing can meet is refused when read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conformance_bench import load, scenario_text, suite_text
from hypothesis import given
from hypothesis import strategies as st

from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.expectations.circumstances import COMMON_EXPECTATIONS
from bifente.conformance.expectations.groups import GroupsMatcher
from bifente.conformance.expectations.kinds import KindError, ObservationTable, table_of
from bifente.conformance.expectations.typed import ObservedKind, TypedMatcher
from bifente.conformance.loading import InputError
from bifente.conformance.scenario.step import expectable
from bifente.conformance.scenario.steps import steps

PLAIN = st.one_of(st.booleans(), st.integers(-9, 9), st.text(max_size=6), st.lists(st.integers(0, 3), max_size=2))


def test_every_observation_of_every_step_has_a_kind() -> None:
    unsaid = [
        f"{name}: {key}"
        for name, kind in steps().items()
        for key, m in expectable(kind).items()
        if type(m) is ValueMatcher
    ]
    assert unsaid == []


def test_no_table_speaks_of_what_no_step_observes() -> None:
    of: dict[str, set[str]] = {}
    for kind in steps().values():
        if (table := table_of(kind.__module__)) is not None:
            of.setdefault(table.package, set()).update(kind.observes)
            assert set(table.steps) <= set(steps())
    assert of
    for package, observed in of.items():
        table = table_of(f"{package}.x")
        assert table is not None
        assert {name for name in table.anywhere if "*" not in name} <= observed, package


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (
            "{terminal-state: , expect: {session: expired}}",
            "'expired' can never be observed; known: closed, lapsed, open",
        ),
        ("{terminal-state: , expect: {session: opne}}", "did you mean 'open'?"),
        ("{terminal-state: , expect: {session: {not: expired}}}", "'expired' can never be observed"),
        ("{terminal-state: , expect: {code-known: oui}}", "'oui' can never be observed: true or false is"),
        ("{terminal-state: , expect: {battery: pleine}}", "'pleine' can never be observed: a number, e.g. 3 is"),
        ("{terminal-state: , expect: {low: {at-least: 1}}}", "at-least does not go with true or false"),
        ("{get-challenge: 8, expect: {after: {pin-tries: trois}}}", "pin-tries: 'trois' can never be observed"),
        ("{get-challenge: 8, expect: {after: {pin-verified: 1}}}", "pin-verified: 1 can never be observed"),
        ("{get-challenge: 8, expect: {after: {hash: md5}}}", "hash: 'md5' can never be observed"),
        (
            "{call-cloud: LireConfig, expect: {groups: {contains: 106}}}",
            "present, absent and count are what can be asked",
        ),
        ("{call-cloud: LireConfig, expect: {groups: [9999]}}", "9999 is no group"),
        ("{read: CPS_NAME, expect: {family-name: true}}", "family-name: true can never be observed: a text is"),
    ],
)
def test_what_nothing_can_meet_is_refused_where_it_stands(tmp_path: Path, step: str, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)) as raised:
        load(tmp_path, suite_text(scenario_text(f"steps: [{step}]")))
    assert re.search(r"suite.yaml:9:\d+: ", str(raised.value))


@given(PLAIN)
def test_what_is_observed_can_be_expected(value: object) -> None:
    kinds = {bool: ObservedKind.TRUTH, int: ObservedKind.NUMBER, str: ObservedKind.TEXT, list: ObservedKind.LIST}
    matcher = TypedMatcher(kinds[type(value)])
    assert matcher.complaint(value) is None
    assert matcher.meets(value, value)
    assert TypedMatcher(ObservedKind.ANY).complaint(value) is None


@given(PLAIN)
def test_another_kind_is_refused(value: object) -> None:
    wrong = {bool: ObservedKind.NUMBER, int: ObservedKind.TRUTH, str: ObservedKind.LIST, list: ObservedKind.TEXT}[
        type(value)
    ]
    for written in (value, {"not": value}, {"one-of": [value]}):
        assert "can never be observed" in str(TypedMatcher(wrong).complaint(written))


def test_groups_that_do_not_come_are_named() -> None:
    matcher = GroupsMatcher()
    assert matcher.show_against([101, 104, 106], [101, 104, 107]) == "101, 104, 107; missing: 106; too many: 107"
    assert matcher.show_against({"present": [106], "absent": [101]}, [101]) == "101; missing: 106; too many: 101"


def test_a_state_tells_what_was_asked_of_it() -> None:
    state = {"pin-tries": 2, "pin-verified": False, "selected": "MF"}
    matcher = COMMON_EXPECTATIONS["after"]
    assert matcher.show_against({"pin-tries": 3}, state) == "pin-tries 2"  # type: ignore[attr-defined]


@pytest.mark.parametrize("said", ["nombre", {"of": "bifente.ground.text:Text"}])
def test_a_table_with_a_mistake_says_where(said: object) -> None:
    with pytest.raises(KindError, match=r"some\.package: step: key: "):
        ObservationTable("some.package", {"key": said}).matcher("step", "key")
