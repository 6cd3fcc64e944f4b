from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zone_samples import ZONES

from bifente.simulator.zones import GROUPS, Group, bytes_of, make, named, text_of, unnamed


@settings(deadline=None)
@given(ZONES)
def test_names_lead_back_to_the_same_group(zone: list[Group]) -> None:
    for group in zone:
        assert unnamed(group.id, named(group)) == group


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_field_has_a_text_that_leads_back(field: bytes) -> None:
    assert bytes_of(text_of(field)) == field
    assert text_of(field).isprintable()
    assert text_of(field).isascii()


@pytest.mark.parametrize(
    ("field", "text"),
    [(b"", ""), (b"A B", "A B"), (b"\x00", "hex:00"), (b"\xc9", "hex:C9"), (b"hex:00", "hex:6865783A3030")],
)
def test_texts_of_fields(field: bytes, text: str) -> None:
    assert text_of(field) == text


@pytest.mark.parametrize("text", ["É", "hex:0", "hex:XY", "hex:é"])
def test_texts_that_are_no_field(text: str) -> None:
    with pytest.raises(ValueError, match="must be printable ASCII, or hex: and pairs of hex digits"):
        bytes_of(text)


def test_fields_not_given_are_empty() -> None:
    assert make(105, {"start": "202601010000"}) == Group(105, (b"202601010000", b""))
    assert unnamed(105, {"end": "X"}) == Group(105, (b"", b"X"))
    assert unnamed(0x7777, {"field-3": "X"}) == Group(0x7777, (b"", b"", b"X"))


@pytest.mark.parametrize("number", sorted(GROUPS))
def test_every_group_can_be_empty(number: int) -> None:
    group = make(number, {})
    assert named(group) == {field.name: "" for field in GROUPS[number].fields}


@pytest.mark.parametrize("value", ["", "000000000000", "202602280000", "202402292359"])
def test_dates(value: str) -> None:
    assert named(make(105, {"end": value}))["end"] == value


@pytest.mark.parametrize("value", ["195419140000", "195400000000", "195499990000", "195402300000"])
def test_a_birth_date_may_be_lunar_and_no_other_date(value: str) -> None:
    assert named(make(104, {"birth-date": value}))["birth-date"] == value
    with pytest.raises(ValueError, match="is no date"):
        make(104, {"certification-date": value})


@pytest.mark.parametrize(
    ("number", "values", "words"),
    [
        (999, {}, "no group 999 is known"),
        (105, {"begin": "202601010000"}, "group 105 .AMO right period. has no field 'begin'; its fields: start, end"),
        (105, {"field-1": ""}, "has no field 'field-1'"),
        (3600, {"version": "1"}, "its fields: none that is public"),
        (105, {"start": "20260101"}, "start '20260101' must be 12 digits"),
        (105, {"start": "202613010000"}, "is no date"),
        (105, {"start": "202602300000"}, "is no date"),
        (105, {"start": "202602282400"}, "is no date"),
        (105, {"start": "٢٠٢٦٠٢٢٨٠٠٠٠"}, "must be 12 digits"),
        (104, {"birth-date": "1954"}, "must be 12 digits"),
        (104, {"usual-name": "Dupont"}, "must be upper-case ASCII"),
        (104, {"usual-name": "ÉTÉ"}, "must be upper-case ASCII"),
        (104, {"birth-rank": "12"}, "at least 1 and at most 1 characters"),
        (101, {"nir": "142196296516"}, "at least 13 and at most 13 characters"),
        (101, {"nir-key": "9A"}, "must be digits"),
        (101, {"card-type": "t"}, "must be digits and upper-case letters"),
        (111, {"common-zone": "X" * 116}, "at least 1 and at most 115 characters"),
        (60, {"ssv-version": "a\n"}, "must be printable ASCII"),
    ],
)
def test_what_a_group_cannot_hold_is_refused_in_words(number: int, values: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make(number, values)


@pytest.mark.parametrize(
    ("number", "name"), [(105, "begin"), (105, "field-2"), (0x7777, "start"), (0x7777, "field-0"), (0x7777, "field-01")]
)
def test_names_that_no_field_has(number: int, name: str) -> None:
    with pytest.raises(ValueError, match=f"group {number} has no field '{name}'; its fields: "):
        unnamed(number, {name: ""})


def test_a_field_rank_is_bounded() -> None:
    with pytest.raises(ValueError, match="has no field"):
        unnamed(0x7777, {"field-999999999": "X"})
