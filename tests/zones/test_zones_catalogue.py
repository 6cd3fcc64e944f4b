from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bifente.simulator.zones import GROUPS, ORDERS, FieldKind, GroupType

#: How many fields each group has (sources#zone-professional to sources#zone-invoice), the least for open ones.
COUNTS = {
    1: 7,
    2: 21,
    40: 9,
    41: 20,
    60: 3,
    61: 9,
    62: 6,
    63: 4,
    64: 3,
    67: 2,
    101: 14,
    102: 3,
    103: 9,
    104: 18,
    105: 2,
    106: 4,
    107: 6,
    108: 2,
    109: 12,
    111: 1,
    1110: 6,
    1120: 12,
    1130: 8,
    1140: 4,
    1150: 5,
    1160: 2,
    1220: 2,
    1310: 5,
    1321: 13,
    3600: 0,
    3780: 0,
}


def test_every_group_of_the_facts_is_there_with_its_fields() -> None:
    assert {number: len(group.fields) for number, group in GROUPS.items()} == COUNTS


@pytest.mark.parametrize("group", GROUPS.values(), ids=str)
def test_each_is_named_in_two_languages_and_says_what_it_rests_on(group: GroupType) -> None:
    assert group.name.fr
    assert group.name.en
    assert len(group.source) > 20
    for field in group.fields:
        assert field.label.fr
        assert field.label.en
        assert field.max is None or field.min <= field.max


@pytest.mark.parametrize("group", GROUPS.values(), ids=str)
def test_known_values_fit_their_field(group: GroupType) -> None:
    for field in group.fields:
        assert not field.values or field.kind is FieldKind.CODE
        assert not field.lunar or field.kind is FieldKind.DATE
        for value in field.values:
            assert field.min <= len(value) <= (field.max or 99)


def test_nothing_of_the_invoice_is_said_to_be_observed() -> None:
    assert {group.fidelity for number, group in GROUPS.items() if 1110 <= number <= 1321} == {"modelled"}


def test_orders_name_known_groups() -> None:
    assert {place.group for places in ORDERS.values() for place in places} <= set(GROUPS)


@pytest.mark.parametrize(
    "change",
    [
        {"id": 0x10000},
        {"fidelity": "certain"},
        {"unknown": 1},
        {"fields": [{"name": "a", "fr": "A", "en": "A", "kind": "text"}] * 2},
        {"fields": [{"name": "A field", "fr": "A", "en": "A", "kind": "text"}]},
        {"fields": [{"name": "a", "fr": "A", "kind": "text"}]},
        {"fields": [{"name": "a", "fr": "A", "en": "A", "kind": "colour"}]},
    ],
)
def test_a_wrong_catalogue_is_refused(change: dict[str, Any]) -> None:
    right = {"id": 9, "name": {"fr": "A", "en": "A"}, "fields": [], "fidelity": "modelled", "source": "here"}
    assert GroupType.model_validate(right)
    with pytest.raises(ValidationError):
        GroupType.model_validate({**right, **change})
