"""Lots: grouped, numbered, put into bytes, read strictly, signed by the card, and the series that breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from fse_samples import AMC, PROFESSIONAL, TODAY, sample_invoice
from hypothesis import given, settings
from hypothesis import strategies as st
from securing_bench import CPS_SLOT, PIN, Practice, card_of, cps_data, signature_holds

from bifente.simulator.formats.fse.canonical import canonical, parse
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.frames import frame, group_of, summed
from bifente.simulator.formats.fse.lots import (
    SIGNATURE_GROUP,
    LotError,
    LotLimits,
    decode_lot,
    encode_lot,
    make_dre_lots,
    make_lots,
    next_number,
    numbers,
    read_lot,
    signed_content,
    understand,
)
from bifente.simulator.formats.fse.model import CardSignature, Dre, Lot, LotKind, SecuredInvoice, Signer
from bifente.simulator.formats.fse.securing.verifying import Verifier
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.readers import ScardError
from bifente.simulator.software.billing.securing.refusals import SecuringError
from bifente.simulator.software.billing.series import LotSeries

MSA = "023490349"
CNAM = "013490349"
SENDER = PROFESSIONAL.billing_id


def secured(number: int = 1, **changes: object) -> SecuredInvoice:
    return SecuredInvoice(canonical(sample_invoice(number=number, **changes)))


def fse_lots(*sheets: SecuredInvoice, **options: object) -> tuple[Lot, ...]:
    return make_lots(sheets, on=TODAY, numbers=numbers(LotKind.FSE), **options)


def dre(number: int, amc: str = AMC.id) -> Dre:
    return Dre(number, number, TODAY, replace(AMC, id=amc), 900)


def one_lot(*which: int) -> Lot:
    return fse_lots(*(secured(number) for number in which or (1, 2, 3)))[0]


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


# -- signing ----------------------------------------------------------------------------------------------------------


def test_the_card_signs_a_lot_and_the_authority_knows_it(signed: Lot) -> None:
    from securing_bench import LATER, anchors

    assert signed.signature is not None
    assert list(Verifier(anchors()).signature_reasons(signed_content(signed), signed.signature, LATER)) == []
    other = replace(signed, number="001")
    assert not signature_holds(other)
    assert not signature_holds(replace(signed, signature=None))
    codes = [
        item.code for item in Verifier(anchors()).signature_reasons(signed_content(other), signed.signature, LATER)
    ]
    assert codes == ["content-altered"]


def lot_of(billing_id: str) -> Lot:
    return fse_lots(secured(1, professional__billing_id=billing_id))[0]


def test_a_card_without_the_right_signs_no_lot() -> None:
    practice = Practice(cps=cps_data("medecin-remplacant"))
    with pytest.raises(SecuringError, match="right: lot") as caught:
        LotSeries.on(_cps(practice), practice.clock).format(lot_of("991000043"), PIN)
    assert caught.value.code == SsvCode.PS_INVALID


def test_the_right_is_that_of_the_situation_that_bills() -> None:
    data = cps_data()
    practice = Practice(cps=data)
    for item in data.template.billing:
        assert item.billing_id is not None
        assert signature_holds(LotSeries.on(_cps(practice), practice.clock).format(lot_of(item.billing_id), PIN))


def test_a_card_signs_no_lot_of_another() -> None:
    practice = Practice()
    with pytest.raises(SecuringError, match="bills as 992000018"):
        LotSeries.on(_cps(practice), practice.clock).format(lot_of("992000018"), PIN)


def test_a_wrong_code_costs_one_try_and_a_lot_nothing() -> None:
    practice = Practice()
    with pytest.raises(SsvError) as caught:
        LotSeries.on(_cps(practice), practice.clock).format(one_lot(), "9999")
    assert caught.value.code == SsvCode.WRONG_CODE
    assert practice.tries() == 2


# -- series -----------------------------------------------------------------------------------------------------------


class FakeSession:
    """Signs nothing: fails at the lots whose numbers it is told."""

    def __init__(self, card: CardInReader) -> None:
        self._card = card

    def check_lot(self, lot: Lot) -> None:
        self._card.lot = lot.number
        if error := self._card.fails.pop(lot.number, None):
            raise error

    def sign(self, content: bytes) -> tuple[bytes, bytes]:
        return self._card.sign(content)

    def pause(self) -> None:
        self._card.paused += 1


class CardInReader:
    """A real card behind sessions that fail on demand; counts how often the code was presented."""

    def __init__(self, fails: dict[str, SsvError] | None = None) -> None:
        self.fails = dict(fails or {})
        self.codes: list[str] = []
        self.lot = ""
        self.paused = 0
        self.practice = Practice()
        self.sign: Callable[[bytes], tuple[bytes, bytes]]

    def open(self, code: str) -> FakeSession:
        from bifente.simulator.software.billing.series import CardLotSession

        self.codes.append(code)
        self.sign = CardLotSession(_cps(self.practice), code, self.practice.clock).sign
        return FakeSession(self)

    def series(self) -> LotSeries:
        return LotSeries(self.open, self.practice.clock)


def five() -> tuple[Lot, ...]:
    return fse_lots(*(secured(number) for number in range(1, 6)), limits=LotLimits(items=1))


def test_the_code_is_asked_for_the_first_lot_only() -> None:
    card = CardInReader()
    series = card.series()
    assert not series.started
    report = series.run(five(), PIN)
    assert card.codes == [PIN]
    assert all(map(signature_holds, report.formatted))
    assert [lot.number for lot in report.formatted] == ["000", "001", "002", "003", "004"]
    assert report.unformatted == ()
    assert series.started
    assert signature_holds(series.format(one_lot(9)))
    assert card.codes == [PIN]
    assert report.sentence.en == "5 lot(s) formatted"


def test_the_first_lot_needs_the_code() -> None:
    card = CardInReader()
    with pytest.raises(SsvError, match="first lot") as caught:
        card.series().format(one_lot())
    assert caught.value.code == SsvCode.CODE_LOST
    assert card.codes == []


@pytest.mark.parametrize(
    "code", [SsvCode.GALSS_PROTOCOL, SsvCode.INCONSISTENT_MESSAGE, SsvCode.READER_SYNCHRONISATION, SsvCode.PS_ABSENT]
)
def test_these_errors_break_the_series(code: SsvCode) -> None:
    card = CardInReader({"002": SsvError(code)})
    series = card.series()
    report = series.run(five(), PIN)
    assert [lot.number for lot in report.formatted] == ["000", "001"]
    assert [lot.number for lot in report.unformatted] == ["002", "003", "004"]
    assert report.error is not None
    assert report.error.code == code
    assert report.broken
    assert not series.started
    assert f"{code:04X}" in report.sentence.fr
    assert "002, 003, 004" in report.sentence.en
    assert "with the code" in report.sentence.en
    with pytest.raises(SsvError, match="first lot"):
        series.format(report.unformatted[0])
    rest = series.run(report.unformatted, PIN)
    assert card.codes == [PIN, PIN]
    assert [lot.number for lot in rest.formatted] == ["002", "003", "004"]


def test_an_unknown_resource_does_not_break_it() -> None:
    card = CardInReader({"002": SsvError(SsvCode.UNKNOWN_RESOURCE)})
    series = card.series()
    report = series.run(five(), PIN)
    assert [lot.number for lot in report.unformatted] == ["002", "003", "004"]
    assert not report.broken
    assert series.started
    assert "without the code" in report.sentence.en
    rest = series.run(report.unformatted)
    assert card.codes == [PIN]
    assert all(map(signature_holds, rest.formatted))


def test_the_lot_of_another_does_not_break_it() -> None:
    practice = Practice()
    series = LotSeries.on(_cps(practice), practice.clock)
    series.format(one_lot(), PIN)
    report = series.run([lot_of("992000018")])
    assert report.error is not None
    assert not report.broken
    assert signature_holds(series.format(one_lot(9)))


def test_a_withdrawn_card_breaks_the_series_of_a_real_reader() -> None:
    practice = Practice()
    series = LotSeries.on(_cps(practice), practice.clock)
    assert signature_holds(series.format(one_lot(), PIN))
    practice.cps_slot.remove()
    report = series.run([one_lot(5)])
    assert report.error is not None
    assert report.error.code == SsvCode.PS_ABSENT
    assert report.broken


def test_a_wrong_code_opens_no_series() -> None:
    practice = Practice()
    series = LotSeries.on(_cps(practice), practice.clock)
    report = series.run([one_lot()], "0000")
    assert report.error is not None
    assert report.error.code == SsvCode.WRONG_CODE
    assert not series.started
    assert practice.tries() == 2


@pytest.mark.parametrize("family", ["cps3", "cps4"])
def test_a_series_on_each_family_of_card(family: str) -> None:
    practice = Practice(cps=cps_data(family=family) if family == "cps4" else None)
    report = LotSeries.on(_cps(practice), practice.clock).run(five(), PIN)
    assert len(report.formatted) == 5
    assert all(map(signature_holds, report.formatted))


def test_a_digest_that_is_not_that_of_its_sheet_is_refused(signed: Lot) -> None:
    data = bytearray(encode_lot(signed))
    first = 4 + int.from_bytes(data[:4], "big")
    data[first + 10] ^= 1
    assert [item.whole for item in read_lot(bytes(data)).items] == [False, True]
    assert not signature_holds(read_lot(bytes(data)))
    with pytest.raises(LotError, match="has changed") as caught:
        decode_lot(bytes(data))
    assert caught.value.item == 1


def test_a_break_lets_the_reader_go() -> None:
    card = CardInReader({"001": SsvError(SsvCode.READER_SYNCHRONISATION)})
    series = card.series()
    series.run(five(), PIN)
    assert card.paused == 1
    series.pause()
    series.end()
    assert card.paused == 1


# -- a series at the desk of a workstation ----------------------------------------------------------------------------


def by_itself(practice: Practice) -> bool:
    """Whether another software finds the professional's card free."""
    try:
        other = practice.service.establish().connect(CPS_SLOT)
    except ScardError:
        return False
    other.disconnect()
    return True


@pytest.mark.parametrize("family", [{}, {"family": "cps4"}], ids=["cps3", "cps4"])
def test_the_desk_holds_the_reader_for_the_series(family: dict[str, str]) -> None:
    practice = Practice(cps=cps_data(**family))
    series = LotSeries.at(practice.desk)
    assert by_itself(practice)
    report = series.run(five(), PIN)
    assert all(map(signature_holds, report.formatted))
    assert not by_itself(practice)
    series.pause()
    assert by_itself(practice)
    assert series.started
    assert signature_holds(series.format(one_lot(9)))
    series.end()
    assert by_itself(practice)
    assert not series.started


def test_a_refused_code_lets_the_reader_go() -> None:
    practice = Practice()
    report = LotSeries.at(practice.desk).run(five(), "9999")
    assert report.error is not None
    assert report.error.code == SsvCode.WRONG_CODE
    assert practice.tries() == 2
    assert by_itself(practice)


def test_after_a_pause_another_card_gets_no_code() -> None:
    practice = Practice()
    series = LotSeries.at(practice.desk)
    series.format(one_lot(), PIN)
    series.pause()
    other = card_of(cps_data("infirmier"))
    practice.cps_slot.remove()
    practice.cps_slot.insert(other)
    with pytest.raises(SsvError, match="another card") as caught:
        series.format(one_lot(9), PIN)
    assert caught.value.code == SsvCode.CODE_LOST
    assert not series.started
    assert other.state().secrets["pin"].tries_left == 3  # type: ignore[attr-defined]
    assert by_itself(practice)


@pytest.mark.parametrize("family", [{}, {"family": "cps4"}], ids=["cps3", "cps4"])
def test_after_a_pause_a_card_that_lost_its_code_breaks_the_series(family: dict[str, str]) -> None:
    practice = Practice(cps=cps_data(**family))
    series = LotSeries.at(practice.desk)
    series.format(one_lot(), PIN)
    series.pause()
    practice.cps_slot.remove()
    with pytest.raises(SsvError) as caught:
        series.format(one_lot(9))
    assert caught.value.code == SsvCode.PS_ABSENT
    assert not series.started


def test_after_a_pause_the_card_that_was_out_has_no_code() -> None:
    practice = Practice()
    series = LotSeries.at(practice.desk)
    series.format(one_lot(), PIN)
    series.pause()
    practice.cps_slot.remove()
    practice.cps_slot.insert(practice.cps_card)
    with pytest.raises(SsvError, match="no longer has its code") as caught:
        series.format(one_lot(9))
    assert caught.value.code == SsvCode.CODE_LOST
    assert not series.started
    assert by_itself(practice)
