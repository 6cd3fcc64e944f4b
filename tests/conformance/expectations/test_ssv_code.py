"""What may be expected of the SSV functions: codes as people write them, groups, fields."""

from __future__ import annotations

from typing import Any

import pytest

from bifente.conformance.domains.vitale.ssv_code import FieldsMatcher, GroupsMatcher, SsvCodeMatcher, code_of, found_at
from bifente.simulator.zones import Group, unnamed

ZONE = (
    unnamed(101, {"card-type": "T", "nir": "1701975349001"}),
    unnamed(104, {"first-name": "PAUL"}),
    unnamed(104, {"first-name": "ANNE", "certified-nir": "2821975349003"}),
    Group(3600, (b"1099",)),
)


@pytest.mark.parametrize(
    ("word", "number"),
    [
        (0, 0),
        ("0", 0),
        ("0000", 0),
        (61457, 0xF011),
        ("61457", 0xF011),
        ("F011", 0xF011),
        ("f011", 0xF011),
        ("0xF011", 0xF011),
        ("-4079", 0xF011),
        ("vitale-absent", 0xF011),
        ("0x0004", 4),
        (4, 4),
        ("8001", 0x8001),
        (32769, 0x8001),
        ("FFFF", 0xFFFF),
    ],
)
def test_a_code_is_written_as_people_do(word: Any, number: int) -> None:
    assert code_of(word) == number
    assert SsvCodeMatcher().complaint(word) is None
    assert SsvCodeMatcher().meets(word, number)
    assert not SsvCodeMatcher().meets(word, number ^ 1)


@pytest.mark.parametrize("word", ["nonsense", "F0", "F0111", "FABC", 70000, True, None, 1.5, "", [], ["F011", "x"]])
def test_what_is_no_code_is_told_with_an_example(word: Any) -> None:
    complaint = SsvCodeMatcher().complaint(word)
    assert complaint is not None
    assert "code" in complaint or "nothing" in complaint


def test_a_mistyped_name_gets_the_nearest() -> None:
    assert "vitale-absent" in (SsvCodeMatcher().complaint("vitale-absnt") or "")


def test_one_of_several_codes_and_how_it_reads() -> None:
    matcher = SsvCodeMatcher()
    assert matcher.meets(["F001", "F011"], 0xF011)
    assert not matcher.meets(["F001", "F011"], 0)
    assert matcher.show(["F001", 0]) == "F001 ps-absent or 0000 ok"
    assert (matcher.show_observed(0xF015), matcher.show_observed(0x1234)) == ("F015 vitale-withdrawn", "1234")


@pytest.mark.parametrize(
    ("expected", "met"),
    [
        ([101, 104, 104, 3600], True),
        ([101, 104, 3600], False),
        ([104, 101, 104, 3600], False),
        ([], False),
        ({"present": [101, 104]}, True),
        ({"present": [106]}, False),
        ({"absent": [106]}, True),
        ({"absent": [104]}, False),
        ({"count": {104: 2}}, True),
        ({"count": {104: 1}}, False),
        ({"count": {106: 0}}, True),
        ({"present": [101], "absent": [101]}, False),
    ],
)
def test_groups(expected: Any, met: bool) -> None:
    matcher = GroupsMatcher()
    assert matcher.complaint(expected) is None
    assert matcher.meets(expected, [101, 104, 104, 3600]) is met
    assert not matcher.meets(expected, None)
    assert matcher.show(expected)


@pytest.mark.parametrize(
    "expected",
    [[9999], ["x"], {}, {"some": [101]}, {"present": 101}, {"count": {104: "two"}}, {"count": [104]}, 101, [True]],
)
def test_groups_that_cannot_be_asked_for(expected: Any) -> None:
    assert GroupsMatcher().complaint(expected)


@pytest.mark.parametrize(
    ("expected", "met"),
    [
        ({"101.nir": "1701975349001"}, True),
        ({"101.nir": 1701975349001}, True),
        ({"101.nir": "1701975349002"}, False),
        ({"101.ruf-1": ""}, True),
        ({"104.first-name": ["PAUL", "ANNE"]}, True),
        ({"104.first-name": "PAUL"}, False),
        ({"104.1.first-name": "PAUL", "104.2.first-name": "ANNE"}, True),
        ({"104.3.first-name": "PAUL"}, False),
        ({"106.start": {"not": "x"}}, False),
        ({"104.certified-nir": {"contains": "2821975349003"}}, True),
        ({"101.card-type": {"one-of": ["T", "R"]}}, True),
        ({"3600.field-1": "1099"}, True),
        ({"3600.field-2": "x"}, False),
    ],
)
def test_fields(expected: Any, met: bool) -> None:
    matcher = FieldsMatcher()
    assert matcher.complaint(expected) is None
    assert matcher.meets(expected, ZONE) is met
    assert not matcher.meets(expected, None)
    assert matcher.show(expected)


@pytest.mark.parametrize(
    "expected",
    [
        *({}, "x", {"101": "x"}, {"nir": "x"}, {"101.nothing": "x"}, {"999.nir": "x"}, {"104.0.quality": "0"}),
        *({"101.nir": None}, {"101.nir": {}}, {"a.b.c": 1}, {"101.nir.1": 1}, {"101.1.2.nir": 1}),
    ],
)
def test_fields_that_no_zone_has_are_refused_when_the_file_is_read(expected: Any) -> None:
    assert FieldsMatcher().complaint(expected)


def test_what_was_observed_leaves_empty_fields_out() -> None:
    shown = FieldsMatcher().show_observed(ZONE)
    assert shown.startswith("101.card-type T, 101.nir 1701975349001, 104.first-name PAUL")
    assert "ruf" not in shown
    assert FieldsMatcher().show_observed(None) == GroupsMatcher().show_observed(None) == "(no chain of groups)"
    assert found_at("106.start", ZONE) is None
