"""Lots: grouped, numbered, put into bytes, read strictly, signed by the card, and the series that breaks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from fse_samples import AMC, TODAY
from hypothesis import given, settings
from hypothesis import strategies as st
from lot_samples import CNAM, MSA, SENDER, dre, fse_lots, one_lot, secured
from securing_bench import PIN, Practice, signature_holds

from bifente.simulator.formats.fse.canonical import parse
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.frames import frame, group_of, summed
from bifente.simulator.formats.fse.lots import (
    SIGNATURE_GROUP,
    LotError,
    LotLimits,
    decode_lot,
    encode_lot,
    make_dre_lots,
    next_number,
    numbers,
    read_lot,
    understand,
)
from bifente.simulator.formats.fse.model import CardSignature, Lot, LotKind, SecuredInvoice, Signer
from bifente.simulator.software.billing.series import LotSeries

# -- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "last", "expected"),
    [
        (LotKind.FSE, None, "000"),
        (LotKind.FSE, "000", "001"),
        (LotKind.FSE, "999", "000"),
        (LotKind.DRE, None, "ZZZ"),
        (LotKind.DRE, "ZZZ", "ZZY"),
        (LotKind.DRE, "ZZA", "ZZ9"),
        (LotKind.DRE, "ZZ0", "ZYZ"),
        (LotKind.DRE, "A00", "9ZZ"),
        (LotKind.DRE, "000", "ZZZ"),
    ],
)
def test_the_number_that_follows(kind: LotKind, last: str | None, expected: str) -> None:
    assert next_number(kind, last) == expected


@pytest.mark.parametrize("kind", list(LotKind))
def test_no_number_comes_back_before_the_count_is_used_up(kind: LotKind) -> None:
    size = {LotKind.FSE: 1000, LotKind.DRE: 36**3}[kind]
    counter = numbers(kind)
    seen = [next(counter) for _ in range(size)]
    assert len(set(seen)) == size
    assert next(counter) == seen[0]


@pytest.mark.parametrize("last", ["", "0", "ZZZ", "0000", "-01", "٠٠٠"])
def test_what_is_no_number_is_refused(last: str) -> None:
    with pytest.raises(FseError, match="is none"):
        next_number(LotKind.FSE, last)
    with pytest.raises(FseError, match="is none"):
        next_number(LotKind.DRE, "zzz")


# -- grouping ---------------------------------------------------------------------------------------------------------


def test_one_lot_for_each_body_and_sender() -> None:
    other = {"professional__billing_id": "992000018"}
    lots = fse_lots(secured(3, body=MSA), secured(1), secured(2, **other), secured(2), secured(9, body=MSA, **other))
    found = [(lot.sender, lot.body, lot.number, [parse(one.content).number for one in lot.invoices]) for lot in lots]
    assert found == [
        (SENDER, CNAM, "000", [1, 2]),
        (SENDER, MSA, "001", [3]),
        ("992000018", CNAM, "002", [2]),
        ("992000018", MSA, "003", [9]),
    ]
    assert all(lot.kind is LotKind.FSE and lot.on == TODAY and lot.signature is None for lot in lots)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 30), st.sampled_from([CNAM, MSA])), unique_by=lambda it: it[0], max_size=12),
    st.integers(1, 4),
)
def test_every_sheet_is_in_one_lot_of_its_body(sheets: list[tuple[int, str]], most: int) -> None:
    lots = fse_lots(*(secured(number, body=body) for number, body in sheets), limits=LotLimits(items=most))
    placed = [(parse(one.content).number, lot.body) for lot in lots for one in lot.invoices]
    assert sorted(placed) == sorted(sheets)
    assert all(1 <= len(lot.invoices) <= most for lot in lots)
    assert len({lot.number for lot in lots}) == len(lots)
    for lot in lots:
        inside = [parse(one.content).number for one in lot.invoices]
        assert inside == sorted(inside)


def test_no_sheet_no_lot() -> None:
    assert fse_lots() == ()


def test_a_lot_is_cut_at_its_size() -> None:
    size = len(encode_lot(one_lot(1, 2)))
    sheets = [secured(number) for number in range(1, 6)]
    lots = fse_lots(*sheets, limits=LotLimits(size=size))
    assert [len(lot.invoices) for lot in lots] == [2, 2, 1]
    with pytest.raises(LotError, match="raise the limit") as caught:
        fse_lots(*sheets, limits=LotLimits(size=100))
    assert caught.value.item == 1


def test_the_same_sheet_twice_is_refused() -> None:
    with pytest.raises(LotError, match="twice") as caught:
        fse_lots(secured(4), secured(4, body=MSA))
    assert caught.value.item == 4


@pytest.mark.parametrize(("items", "size"), [(0, 1), (-1, 1), (1, 0), (100_001, 1)])
def test_limits_that_are_none(items: int, size: int) -> None:
    with pytest.raises(ValueError, match="a lot holds"):
        LotLimits(items, size)


def test_claims_go_by_complementary_and_count_down() -> None:
    made = make_dre_lots(
        [dre(3, "99999350"), dre(2), dre(1)], sender=SENDER, on=TODAY, numbers=numbers(LotKind.DRE, "ZZA")
    )
    found = [(lot.kind, lot.number, lot.body, [one.number for one in lot.dres]) for lot in made]
    assert found == [(LotKind.DRE, "ZZ9", AMC.id, [1, 2]), (LotKind.DRE, "ZZ8", "99999350", [3])]
    with pytest.raises(LotError, match="twice"):
        make_dre_lots([dre(1), dre(1)], sender=SENDER, on=TODAY, numbers=numbers(LotKind.DRE))


# -- bytes ------------------------------------------------------------------------------------------------------------


signatures = st.none() | st.builds(
    CardSignature,
    st.just(Signer.PROFESSIONAL),
    st.binary(max_size=40),
    st.binary(max_size=40),
    st.text("0123456789", min_size=14, max_size=14),
)
days = st.dates(date(1, 1, 1), date(9999, 12, 31))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 999_999_999), min_size=1, max_size=4),
    st.from_regex("[0-9]{3}", fullmatch=True),
    signatures,
    days,
)
def test_a_lot_comes_back_from_its_bytes(
    which: list[int], number: str, signature: CardSignature | None, on: date
) -> None:
    lot = Lot(LotKind.FSE, number, SENDER, CNAM, on, tuple(map(secured, which)), signature=signature)
    assert decode_lot(encode_lot(lot)) == lot


@given(st.lists(st.integers(1, 999), min_size=1, max_size=4), st.from_regex("[0-9A-Z]{3}", fullmatch=True), signatures)
def test_a_lot_of_claims_comes_back(which: list[int], number: str, signature: CardSignature | None) -> None:
    lot = Lot(LotKind.DRE, number, SENDER, AMC.id, TODAY, dres=tuple(map(dre, which)), signature=signature)
    assert decode_lot(encode_lot(lot)) == lot


@pytest.fixture(scope="module")
def signed() -> Lot:
    practice = Practice()
    sheets = (practice.secured(number=number) for number in (1, 2))
    return LotSeries.on(_cps(practice), practice.clock).format(fse_lots(*sheets)[0], PIN)


def _cps(practice: Practice):  # type: ignore[no-untyped-def]
    return practice.access.connect("Bench TL 1 0")


def test_one_changed_byte_anywhere_is_refused_or_breaks_the_signature(signed: Lot) -> None:
    data = encode_lot(signed)
    assert signature_holds(signed)
    assert signature_holds(read_lot(data))
    for at in range(len(data)):
        for bits in (0x01, 0x80):  # 01 makes another digit of a digit
            changed = bytearray(data)
            changed[at] ^= bits
            try:
                raw = read_lot(bytes(changed))
            except LotError:
                continue
            assert not signature_holds(raw), at


def test_another_moment_of_a_signature_is_noticed(signed: Lot) -> None:
    data = encode_lot(signed)
    assert signed.signature is not None
    then = signed.signature.moment.encode()
    assert data.count(then) == 1 + 2 * len(signed.invoices)  # of the lot, and of each sheet twice
    at = data.rindex(then)
    for moment in (b"20260303090001", b"20250303090000", b"              "):
        with pytest.raises(LotError, match="its signature: its bytes are not those that were written"):
            read_lot(data[:at] + moment + data[at + 14 :])


@pytest.mark.parametrize("cut", [1, 32, 33, 40, 200])
def test_a_signature_without_its_whole_checksum_is_none(signed: Lot, cut: int) -> None:
    data = encode_lot(signed)
    assert signed.signature is not None
    start = len(encode_lot(replace(signed, signature=None))) - 4
    with pytest.raises(LotError, match="its signature"):
        read_lot(data[:start] + frame(data[start + 4 : -cut]))


def test_a_changed_sheet_is_named(signed: Lot) -> None:
    data = encode_lot(signed)
    for rank, sheet in enumerate(signed.invoices):
        start = data.index(sheet.content)
        for at in (start, start + len(sheet.content) // 2, start + len(sheet.content) - 1):
            changed = bytearray(data)
            changed[at] ^= 0x20
            with pytest.raises(LotError) as caught:
                decode_lot(bytes(changed))
            assert caught.value.item == rank + 1
            assert [item.whole for item in read_lot(bytes(changed)).items].count(False) == 1


def test_a_changed_number_of_the_frame_is_not_believed(signed: Lot) -> None:
    data = encode_lot(signed)
    first = 4 + int.from_bytes(data[:4], "big")
    changed = bytearray(data)
    changed[first + 3] = 9
    with pytest.raises(LotError, match="it says that it is 1") as caught:
        decode_lot(bytes(changed))
    assert caught.value.item == 1


@given(st.data())
def test_a_cut_lot_is_refused(data: st.DataObject) -> None:
    raw = encode_lot(one_lot(1, 2))
    with pytest.raises(LotError):
        decode_lot(raw[: data.draw(st.integers(0, len(raw) - 1))])


def test_what_follows_a_lot_is_refused() -> None:
    with pytest.raises(LotError, match="follow the end"):
        decode_lot(encode_lot(one_lot()) + b"\0")


@given(st.binary(max_size=200))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(LotError):
        decode_lot(data)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"BIFENTE LABORATOIRE\x011", b"BIFENTE LABORATOIRE\x012"),
        (b"BIFENTE", b"SESAM-V"),
        (b"\x03fse", b"\x03xyz"),
        (b"\x03000", b"\x0300A"),
        (b"20260302", b"20260230"),
        (b"20260302\x013", b"20260302\x010"),
        (b"20260302\x013", b"20260302\x014"),
        (b"20260302\x013", b"20260302\x012"),
        (b"20260302\x013", b"20260302\x01x"),
    ],
)
def test_a_header_that_is_not_ours(old: bytes, new: bytes) -> None:
    data = encode_lot(one_lot())
    assert old in data
    with pytest.raises(LotError):
        decode_lot(data.replace(old, new, 1))


def test_a_lot_announces_no_more_than_is_read() -> None:
    data = encode_lot(one_lot(1))
    header = data[: 4 + int.from_bytes(data[:4], "big")]
    huge = header[4:].replace(b"\x011", b"\x0999999999", 2)
    with pytest.raises(LotError):
        decode_lot(frame(huge))


@pytest.mark.parametrize(
    "changes",
    [
        {"number": "00"},
        {"number": "ZZZ"},
        {"sender": "99100001"},
        {"sender": "٠٩٩١٠٠٠٠١"},
        {"body": "01349034"},
        {"invoices": ()},
        {"dres": (dre(1),)},
        {"kind": LotKind.DRE},
        {"signature": CardSignature(Signer.PROFESSIONAL, b"", b"", "now")},
    ],
)
def test_what_is_no_lot_is_not_written(changes: dict[str, object]) -> None:
    with pytest.raises(LotError):
        encode_lot(replace(one_lot(), **changes))  # type: ignore[arg-type]


def test_a_claim_in_the_lot_of_another_insurer() -> None:
    lot = make_dre_lots([dre(1)], sender=SENDER, on=TODAY, numbers=numbers(LotKind.DRE))[0]
    with pytest.raises(LotError, match="the lot for 99999350"):
        encode_lot(replace(lot, body="99999350"))


def test_the_insured_signs_no_lot() -> None:
    lot = replace(one_lot(), signature=CardSignature(Signer.PROFESSIONAL, b"c", b"v", "20260302000000"))
    with pytest.raises(LotError, match="have the professional sign"):
        encode_lot(replace(lot, signature=CardSignature(Signer.INSURED, b"c", b"v", "20260302000000")))
    unsigned = encode_lot(replace(lot, signature=None))[:-4]
    other = unsigned + frame(summed(group_of(SIGNATURE_GROUP, "insured", b"c", b"v", "20260302000000")))
    with pytest.raises(LotError, match="professional signs"):
        decode_lot(other)


def test_a_lot_is_read_even_if_a_sheet_is_not() -> None:
    lot = replace(one_lot(), invoices=(secured(1), SecuredInvoice(b"no sheet")))
    with pytest.raises(FseError):
        encode_lot(lot)
    data = encode_lot(one_lot(1, 2))
    sheet = read_lot(data).items[1].data
    changed = bytearray(data)
    changed[data.index(sheet) + 30] ^= 1
    raw = read_lot(bytes(changed))
    assert [(item.number, item.whole) for item in raw.items] == [(1, True), (2, False)]
    with pytest.raises(LotError) as caught:
        understand(raw)
    assert caught.value.item == 2


def test_a_digest_that_is_not_that_of_its_sheet_is_refused(signed: Lot) -> None:
    data = bytearray(encode_lot(signed))
    first = 4 + int.from_bytes(data[:4], "big")
    data[first + 10] ^= 1
    assert [item.whole for item in read_lot(bytes(data)).items] == [False, True]
    assert not signature_holds(read_lot(bytes(data)))
    with pytest.raises(LotError, match="has changed") as caught:
        decode_lot(bytes(data))
    assert caught.value.item == 1
