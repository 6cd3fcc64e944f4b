"""The canonical form: one form for a sheet, one sheet for a form, and a place for whatever is wrong."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from fse_samples import ACT, AMC, PRESCRIBER, TODAY, sample_invoice
from fse_strategies import invoices
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bifente.simulator.formats.fse.canonical import MAX_ACTS, MAX_FORM, MAX_PERIODS, canonical, parse
from bifente.simulator.formats.fse.catalogue import OURS, group_type
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import Invoice, PayerShare, SecuringMode, WorkAccident
from bifente.simulator.zones import GROUPS, Group, decode, encode

FULL = sample_invoice(
    beneficiary__complementary=AMC,
    beneficiary__certified_nir="180191305500155",
    beneficiary__rights=((date(2020, 1, 1), date(2021, 12, 31)), (date(2022, 1, 1), None)),
    prescriber=PRESCRIBER,
    prescribed_on=TODAY,
    substitute=PRESCRIBER,
    accident=WorkAccident(TODAY, "999000015"),
    pregnancy_on=TODAY,
    rectifies=7,
    acts=(ACT, replace(ACT, code="AMI", coefficient=Decimal("1.5"), base=315, amount=473)),
)


def ids(data: bytes) -> list[int]:
    return [group.id for group in decode(data)]


def with_groups(change: Callable[[list[Group]], object], invoice: Invoice = FULL) -> bytes:
    groups = list(decode(canonical(invoice)))
    change(groups)
    return encode(groups)


def with_field(number: int, name: str, value: bytes, invoice: Invoice = FULL) -> bytes:
    """The form with one field of the first group of a number changed."""
    groups = list(decode(canonical(invoice)))
    rank = next(rank for rank, group in enumerate(groups) if group.id == number)
    known = group_type(number)
    assert known is not None
    fields = list(groups[rank].fields)
    fields[known.positions[name]] = value
    groups[rank] = Group(number, tuple(fields))
    return encode(groups)


# -- one form, one sheet ----------------------------------------------------------------------------------------------


@given(invoices)
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_written_is_read_back_and_written_the_same(invoice: Invoice) -> None:
    data = canonical(invoice)
    assert parse(data) == invoice
    assert canonical(parse(data)) == data


@given(invoices, invoices)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_two_sheets_have_one_form_only_if_they_are_equal(one: Invoice, other: Invoice) -> None:
    assert (canonical(one) == canonical(other)) == (one == other)


@pytest.mark.parametrize("invoice", [sample_invoice(), FULL], ids=["plain", "full"])
def test_every_byte_changed_is_another_sheet_or_an_error(invoice: Invoice) -> None:
    data = canonical(invoice)
    refused = 0
    for at in range(len(data)):
        for bit in range(8):
            changed = data[:at] + bytes((data[at] ^ 1 << bit,)) + data[at + 1 :]
            try:
                other = parse(changed)
            except FseError:
                refused += 1
            else:
                assert other != invoice
                assert canonical(other) == changed
    assert refused > len(data) * 4


@given(st.binary(max_size=400))
def test_hostile_bytes_are_refused_with_a_place(data: bytes) -> None:
    with pytest.raises(FseError) as caught:
        parse(data)
    assert caught.value.place
    assert caught.value.reason
    assert caught.value.cure


WHOLE_GROUPS = [encode(decode(canonical(FULL))[:count]) for count in range(1, len(decode(canonical(FULL))))]
"""What is left of the form when it is cut between two groups."""


@given(st.data())
@settings(max_examples=200)
def test_a_form_cut_lengthened_or_mixed_is_refused(data: st.DataObject) -> None:
    form = canonical(FULL)
    kind = data.draw(st.sampled_from(["cut", "longer", "order"]))
    if kind == "cut":
        broken = form[: data.draw(st.integers(0, len(form) - 1))]
        if broken in WHOLE_GROUPS:
            # Without its last groups it may be another sheet, in its only form: that is what signatures are for.
            with suppress(FseError):
                other = parse(broken)
                assert other != FULL
                assert canonical(other) == broken
            return
    elif kind == "longer":
        broken = form + data.draw(st.binary(min_size=1, max_size=40))
    else:
        groups = list(decode(form))
        mixed = data.draw(st.permutations(groups))
        # Two acts, or two periods, that change places are another sheet.
        if [group.id for group in mixed] == [group.id for group in groups]:
            return
        broken = encode(mixed)
    with pytest.raises(FseError):
        parse(broken)


def test_equal_coefficients_have_one_form() -> None:
    one, other = (sample_invoice(acts=(replace(ACT, coefficient=Decimal(text)),)) for text in ("1.50", "1.5"))
    assert canonical(one) == canonical(other)


# -- the groups -------------------------------------------------------------------------------------------------------


def test_the_first_group_says_that_it_is_a_laboratory_format_and_its_version() -> None:
    assert decode(canonical(sample_invoice()))[0] == Group(9000, (b"BIFENTE LABORATOIRE", b"1"))


def test_known_groups_come_first_then_ours() -> None:
    assert ids(canonical(FULL)) == [
        *(9000, 1110, 1120, 1130, 1140, 1150, 1160, 1310, 1321),
        *(9001, 9002, 9003, 9004, 9004, 9005, 9006, 9007, 9008, 9009, 9010, 9010),
    ]


def test_what_is_not_told_takes_no_group() -> None:
    plain = sample_invoice(professional__structure=None)
    assert ids(canonical(plain)) == [9000, 1110, 1120, 1130, 1310, 9001, 9002, 9003, 9004, 9010]


def test_the_known_groups_hold_what_they_are_known_to_hold() -> None:
    groups = {group.id: group.fields for group in decode(canonical(FULL))}
    assert groups[1110] == (b"1", b"1", b"202603020000", b"1", b"7", b"")
    assert groups[1120] == (
        *(b"99100001", b"9", b"TESTMEDECIN", b"GENERALISTE", b"1", b"01", b"30", b"01", b"0", b"0", b"0", b"L"),
    )
    assert groups[1130] == (b"A", b"1801913055001", b"55", b"198001190000", b"1", b"0", b"00100", b"")
    assert groups[1140] == (b"4", b"99900000011008", b"", b"CABINET TEST MEDECIN")
    assert groups[1150] == (b"99100003", b"5", b"TESTPRESCRIPTEUR", b"JEAN", b"")
    assert groups[1160] == (b"1801913055001", b"55")
    assert groups[1310] == (b"01", b"349", b"0349", b"349", b"0349")
    assert groups[1321][1:3] == (b"99999349", b"99000001")
    assert groups[1321][9] == b"22"


def test_our_groups_are_all_marked_modelled_and_unknown_to_the_zones() -> None:
    assert OURS
    for number, group in OURS.items():
        assert number >= 9000
        assert number not in GROUPS
        assert group.fidelity == "modelled"
        assert group.source
        for label in (group.name, *(field.label for field in group.fields)):
            assert label.fr
            assert label.en


# -- what cannot be written -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"number": 0}, "number"),
        ({"number": 1_000_000_000}, "number"),
        ({"number": True}, "number"),
        ({"rectifies": 0}, "rectifies"),
        ({"on": datetime(2026, 3, 2)}, "on"),
        ({"body": "01349034"}, "body"),
        ({"body": "01349034A"}, "body"),
        ({"body": "٠13490349"}, "body"),
        ({"care_path": "TTT"}, "care-path"),
        ({"care_path": "t"}, "care-path"),
        ({"amo": PayerShare(-1)}, "amo.asked"),
        ({"amc": PayerShare(1_000_000_000)}, "amc.asked"),
        ({"mode": 3}, "mode"),
        ({"acts": (ACT,) * (MAX_ACTS + 1)}, "acts"),
        ({"acts": (replace(ACT, coefficient=Decimal("NaN")),)}, "act 1, coefficient"),
        ({"acts": (ACT, replace(ACT, coefficient=Decimal("-1")))}, "act 2, coefficient"),
        ({"acts": (replace(ACT, coefficient=Decimal("1.00001")),)}, "act 1, coefficient"),
        ({"acts": (replace(ACT, coefficient=Decimal("1E+999999")),)}, "act 1, coefficient"),
        ({"acts": (replace(ACT, coefficient=1.5),)}, "act 1, coefficient"),
        ({"acts": (replace(ACT, rate=101),)}, "act 1, rate"),
        ({"acts": (replace(ACT, quantity=100),)}, "act 1, quantity"),
        ({"acts": (replace(ACT, amount=30.0),)}, "act 1, amount"),
        ({"acts": (replace(ACT, code="é"),)}, "act 1, code"),
        ({"professional__billing_id": "12345678"}, "professional.billing_id"),
        ({"professional__name": "Médecin"}, "surname"),
        ({"professional__situation": 100}, "professional.situation"),
        ({"professional__agreements": ("0", "0")}, "professional.agreements"),
        ({"beneficiary__nir": "18019130550"}, "beneficiary.nir"),
        ({"beneficiary__nir": "180191305500155", "beneficiary__nir_key": ""}, "beneficiary.nir"),
        ({"beneficiary__birth": "1980011"}, "beneficiary.birth"),
        ({"beneficiary__quality": 10}, "beneficiary.quality"),
        ({"beneficiary__certified_nir": "1801913055001"}, "beneficiary.certified_nir"),
        ({"beneficiary__rights": ((TODAY, None),) * (MAX_PERIODS + 1)}, "beneficiary.rights"),
        ({"beneficiary__complementary": replace(AMC, id="")}, "beneficiary.complementary.id"),
        ({"prescriber": replace(PRESCRIBER, billing_id="")}, "prescriber.billing_id"),
    ],
)
def test_what_a_field_cannot_hold_is_refused_at_its_place(changes: dict[str, Any], place: str) -> None:
    settled = {"amo": PayerShare(0), "amc": PayerShare(0), **changes}
    with pytest.raises(FseError) as caught:
        canonical(sample_invoice(**settled))
    assert caught.value.place.endswith(place)


def test_a_sheet_too_long_for_its_form_is_refused() -> None:
    """Every bound of a field at once stays below that of the form; only names without a limit of their own reach it."""
    with pytest.raises(FseError, match=str(MAX_FORM)):
        canonical(sample_invoice(professional__name="X" * MAX_FORM))


# -- what cannot be read ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "name", "value", "place"),
    [
        (9000, "format-name", b"FSE", "format-name"),
        (9000, "format-version", b"2", "format-version"),
        (1110, "operation-nature", b"2", "operation-nature"),
        (1110, "invoice-number", b"01", "invoice-number"),
        (1110, "invoice-number", b"0", "number"),
        (1110, "invoice-number", b"", "invoice-number"),
        (1110, "invoice-number", "١".encode(), "invoice-number"),
        (1110, "invoice-number", b"9" * 5000, "invoice-number"),
        (1110, "date", b"202602300000", "date"),
        (1110, "date", b"202603020001", "date"),
        (1110, "rectified-date", b"202603020000", "rectified-date"),
        (1120, "practice-condition", b"X", "practice-condition"),
        (1130, "medical-booklet", b"O", "medical-booklet"),
        (1130, "id-type", b"B", "id-type"),
        (1130, "birth-date", b"1980", "birth-date"),
        (1150, "signature-indicator", b"1", "signature-indicator"),
        (1310, "destination-body", b"34", "body"),
        (1321, "contract-type", b"1", "contract-type"),
        (9001, "securing-mode", b"6", "securing-mode"),
        (9001, "insurance", b"", "insurance"),
        (9001, "payment", b"T", "payment"),
        (9001, "proof", b"3", "proof"),
        (9001, "amo-asked", b"-1", "amo-asked"),
        (9001, "amo-asked", b"007", "amo-asked"),
        (9002, "test-card", b"", "test-card"),
        (9003, "c2s", b"2", "c2s"),
        (9003, "surname", b"\xc9TE", "surname"),
        (9004, "start", b"", "start"),
        (9006, "surname", b"lower", "surname"),
        (9010, "nomenclature", b"BIO", "nomenclature"),
        (9010, "coefficient", b"1.0", "coefficient"),
        (9010, "coefficient", b"01", "coefficient"),
        (9010, "coefficient", b".5", "coefficient"),
        (9010, "coefficient", b"1E3", "coefficient"),
        (9010, "rate", b"101", "rate"),
    ],
)
def test_what_is_not_the_only_form_is_refused_at_its_place(number: int, name: str, value: bytes, place: str) -> None:
    with pytest.raises(FseError) as caught:
        parse(with_field(number, name, value))
    assert caught.value.place.endswith(place)


@pytest.mark.parametrize(
    "change",
    [
        lambda groups: groups.pop(0),
        lambda groups: groups.insert(1, groups[1]),
        lambda groups: groups.append(Group(9011, ())),
        lambda groups: groups.append(Group(1220, (b"3", b"202603050000"))),
        lambda groups: groups.reverse(),
        lambda groups: groups.clear(),
        lambda groups: groups.remove(next(group for group in groups if group.id == 9005)),
        lambda groups: groups.remove(next(group for group in groups if group.id == 1321)),
        lambda groups: groups.insert(9, groups.pop(10)),
        lambda groups: groups.extend([groups[-1]] * MAX_ACTS),
        lambda groups: groups.append(Group(9010, (b"NGAP", b"G"))),
    ],
)
def test_a_group_too_many_missing_or_misplaced_is_refused(change: Callable[[list[Group]], object]) -> None:
    with pytest.raises(FseError, match="group"):
        parse(with_groups(change))


@pytest.mark.parametrize("number", [9010, 1220, 9011])
def test_what_follows_the_last_group_is_told_at_its_rank(number: int) -> None:
    form = canonical(sample_invoice())
    count = len(decode(form))
    last = Group(number, decode(form)[-1].fields if number == 9010 else (b"", b"") if number == 1220 else ())
    places = {9010: count + MAX_ACTS, 1220: count + 1, 9011: count + 1}
    with pytest.raises(FseError, match="one too many") as caught:
        parse(form + encode([last] * (MAX_ACTS if number == 9010 else 1)))
    assert caught.value.place == f"group at rank {places[number]}"


def test_a_form_beyond_the_bound_is_not_even_read() -> None:
    with pytest.raises(FseError, match=f"byte {MAX_FORM}"):
        parse(b"\x23\x28" * MAX_FORM)


def test_the_error_says_where_what_and_how_to_cure_it() -> None:
    with pytest.raises(FseError) as caught:
        parse(with_field(9001, "securing-mode", b"6"))
    error = caught.value
    assert str(error) == f"{error.place}: {error.reason}; {error.cure}"
    assert error.cure == f"one of: {', '.join(str(int(mode)) for mode in SecuringMode)}"
