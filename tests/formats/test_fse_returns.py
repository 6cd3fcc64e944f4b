"""Returns as bytes: one form, nothing lost, totals that close, a seal; hostile bytes refused with the place."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.formats.fse.entities import read, types
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import Arl, ArlKind, LotKind, PaymentOutcome, Rejection, Rsp, RspLine
from bifente.simulator.formats.fse.returns import MARK, decode_return, encode_return

WIDTH = 256
ON = date(2026, 3, 4)

letters = st.characters(codec="iso-8859-1", exclude_categories=["Cc"], exclude_characters="\xa0")


def words(longest: int) -> st.SearchStrategy[str]:
    return st.text(letters, max_size=longest).map(lambda text: text.rstrip(" "))


days = st.dates(date(1, 1, 1), date(9999, 12, 31))
reasons = st.builds(
    Rejection,
    code=words(8),
    label=words(128),
    invoice=st.none() | st.integers(1, 999_999_999),
    place=words(100),
)
heads = {"sender": words(14), "body": words(9), "return_id": words(20), "on": days}


@st.composite
def arls(draw: st.DrawFn) -> Arl:
    rejections = tuple(draw(st.lists(reasons, max_size=5)))
    kind = ArlKind.NEGATIVE if rejections else ArlKind.POSITIVE
    return draw(
        st.builds(
            Arl,
            kind=st.just(kind),
            file=words(64),
            received=st.binary(min_size=32, max_size=32).map(bytes.hex),
            lot_kind=st.sampled_from(LotKind),
            lot=words(3),
            lot_on=days,
            rejections=st.just(rejections),
            **heads,
        )
    )


@st.composite
def lines(draw: st.DrawFn) -> RspLine:
    asked = draw(st.integers(0, 10**11))
    paid = draw(st.sampled_from([0, asked]) | st.integers(0, asked))
    whole = paid == asked and draw(st.booleans() | st.just(asked > 0))
    outcome = (
        PaymentOutcome.PAID if whole else PaymentOutcome.PARTLY_PAID if 0 < paid < asked else PaymentOutcome.REJECTED
    )
    if outcome is PaymentOutcome.REJECTED:
        paid = 0
    reason = None if outcome is PaymentOutcome.PAID else draw(reasons)
    return RspLine(draw(st.integers(0, 5)), draw(words(14)), outcome, asked, paid, reason)


@st.composite
def rsps(draw: st.DrawFn) -> Rsp:
    some = tuple(draw(st.lists(lines(), max_size=8)))
    total = sum(line.paid for line in some)
    return draw(st.builds(Rsp, transfer=words(32), lines=st.just(some), total=st.just(total), **heads))


REASON = Rejection("BL301", "feuille altérée depuis sa signature", 7, "signature de l'assuré")
ARL = Arl(
    kind=ArlKind.NEGATIVE,
    file="F001",
    received="0123456789abcdef" * 4,
    sender="00000991129768",
    body="013490349",
    lot_kind=LotKind.FSE,
    lot="004",
    return_id="013490349-000001",
    lot_on=ON,
    on=ON,
    rejections=(REASON,),
)
RSP = Rsp(
    sender="00000991129768",
    body="013490349",
    return_id="013490349-000002",
    on=ON,
    transfer="VIREMENT 000002",
    lines=(
        RspLine(7, "amo", PaymentOutcome.PAID, 1855, 1855),
        RspLine(7, "amc", PaymentOutcome.REJECTED, 795, 0, replace(REASON, place="")),
        RspLine(8, "amo", PaymentOutcome.PARTLY_PAID, 1855, 1755, replace(REASON, invoice=8)),
    ),
    total=3610,
)


def records(data: bytes) -> list[bytes]:
    return [data[at : at + WIDTH] for at in range(0, len(data), WIDTH)]


def shape(data: bytes) -> list[str]:
    return [record[:4].decode() for record in records(data)]


CLAIMED = replace(RSP, lines=(RspLine(1, "amc", PaymentOutcome.PAID, 900, 900),), total=900)


class TestForm:
    def test_an_arl_is_a_header_its_lot_its_reasons_two_closings_and_a_seal(self) -> None:
        assert shape(encode_return(ARL)) == ["0000", "1001", "1102", "9901", "9900", "9950"]

    def test_an_rsp_closes_each_invoice_the_transfer_and_the_whole(self) -> None:
        told = ["0000", "2001", "2102", "2203", "2203", "2303", "9902", "2102", "2203", "2303", "9902", "9901", "9900"]
        assert shape(encode_return(RSP)) == [*told, "9950"]

    @pytest.mark.parametrize("answer", [ARL, RSP], ids=["arl", "rsp"])
    def test_the_seal_is_that_of_every_byte_before(self, answer: Arl | Rsp) -> None:
        data = encode_return(answer)
        assert data[-WIDTH:].decode() == f"9950{hashlib.sha256(data[:-WIDTH]).hexdigest()}".ljust(WIDTH)

    @pytest.mark.parametrize(
        ("answer", "reference"),
        [(replace(ARL, kind=ArlKind.POSITIVE, rejections=()), "930"), (ARL, "931"), (RSP, "576"), (CLAIMED, "580")],
    )
    def test_the_first_record_says_whose_it_is_and_which_return(self, answer: Arl | Rsp, reference: str) -> None:
        first = encode_return(answer)[:WIDTH].decode("iso-8859-1")
        assert first.startswith(f"0000{MARK}")
        assert first[28:31] == reference

    def test_every_closing_has_the_count_and_totals_of_its_level(self) -> None:
        closings = [entity for entity in read(encode_return(RSP)) if entity.code == "990"]
        told = [tuple(closing.values.values()) for closing in closings]
        assert told == [("210", 3, 2650, 1855), ("210", 2, 1855, 1755), ("200", 9, 4505, 3610), ("000", 11, 4505, 3610)]

    def test_only_what_is_public_calls_itself_documented(self) -> None:
        assert [kind.code for kind in types().values() if kind.fidelity != "modelled"] == ["990"]


class TestRoundTrip:
    @given(arls())
    def test_arl(self, arl: Arl) -> None:
        data = encode_return(arl)
        assert decode_return(data) == arl
        assert len(data) % WIDTH == 0

    @given(rsps())
    def test_rsp(self, rsp: Rsp) -> None:
        assert decode_return(encode_return(rsp)) == rsp

    @given(st.sampled_from([encode_return(ARL), encode_return(RSP)]), st.data())
    def test_a_changed_byte_is_refused(self, good: bytes, data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(good) - 1))
        byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != good[at]))
        with pytest.raises(FseError) as caught:
            decode_return(good[:at] + bytes([byte]) + good[at + 1 :])
        assert caught.value.place
        assert caught.value.cure

    @pytest.mark.parametrize("answer", [ARL, RSP], ids=["arl", "rsp"])
    def test_no_bit_of_any_byte_changes_unseen(self, answer: Arl | Rsp) -> None:
        good = encode_return(answer)
        unseen = [(at, bit) for at in range(len(good)) for bit in range(8) if self._reads(good, at, 1 << bit)]
        assert unseen == []

    @staticmethod
    def _reads(good: bytes, at: int, flip: int) -> bool:
        try:
            decode_return(good[:at] + bytes([good[at] ^ flip]) + good[at + 1 :])
        except FseError:
            return False
        return True

    @given(st.binary(max_size=4 * WIDTH))
    def test_bytes_of_anybody_are_refused(self, data: bytes) -> None:
        with pytest.raises(FseError):
            decode_return(data)

    @given(st.sampled_from([encode_return(ARL), encode_return(RSP)]), st.data())
    def test_records_moved_left_out_or_told_twice_are_refused(self, good: bytes, data: st.DataObject) -> None:
        parts = records(good)
        mixed = data.draw(st.lists(st.sampled_from(range(len(parts))), max_size=len(parts) + 2))
        bad = b"".join(parts[index] for index in mixed)
        try:
            decode_return(bad)
        except FseError:
            assert bad != good
        else:
            assert bad == good


def with_value(data: bytes, record: int, start: int, value: bytes) -> bytes:
    at = (record - 1) * WIDTH + start
    return data[:at] + value + data[at + len(value) :]


class TestRefusals:
    @pytest.mark.parametrize(
        ("record", "start", "value", "place", "reason"),
        [
            (7, 14, b"00000000002651", "record 7 (990 end of a level), field asked", "has 2650"),
            (7, 28, b"00000000001854", "record 7 (990 end of a level), field paid", "has 1855"),
            (7, 7, b"0000004", "record 7 (990 end of a level), field entities", "has 3"),
            (7, 4, b"200", "record 7 (990 end of a level), field closes", "has 210"),
            (7, 3, b"3", "record 7 (990 end of a level)", "level 3 is closed, 2 is open"),
            (12, 28, b"00000000003611", "record 12 (990 end of a level), field paid", "has 3610"),
            (13, 14, b"0000000 004505", "record 13 (990 end of a level), field asked", "is no number"),
            (4, 18, b"rejected    ", "record 4 (220 part of one payer)", "rejected with 1855 of 1855 cents"),
            (4, 18, b"forgotten   ", "record 4 (220 part of one payer), field outcome", "'forgotten' is not known"),
            (4, 30, b"00000000185 ", "record 4 (220 part of one payer), field asked", "is no number"),
            (1, 4, b"CAISSE NATIONALE   ", "record 1 (000 header), field mark", "is not 'BIFENTE LABORATOIRE'"),
            (1, 28, b"578", "record 1 (000 header), field reference", "578 is no reference"),
            (1, 74, b"20260230", "record 1 (000 header), field on", "is no date"),
            (3, 3, b"1", "record 3 (210 invoice)", "level '1'"),
            (3, 0, b"777", "record 3", "'777' is no entity"),
            (3, 255, b"x", "record 3 (210 invoice)", "characters after the last field"),
            (2, 4, b" \n", "record 2 (200 transfer), field transfer", "is no text"),
            (1, 40, b"9", "record 14 (995 seal), field sha256", "not that of what comes before"),
            (3, 12, b"9", "record 14 (995 seal), field sha256", "not that of what comes before"),
            (6, 41, b"F", "record 14 (995 seal), field sha256", "not that of what comes before"),
            (14, 4, b"g", "record 14 (995 seal), field sha256", "is no hex"),
            (14, 3, b"1", "record 14 (995 seal)", "level '1'"),
        ],
    )
    def test_what_is_wrong_is_told_with_its_place(
        self, record: int, start: int, value: bytes, place: str, reason: str
    ) -> None:
        with pytest.raises(FseError) as caught:
            decode_return(with_value(encode_return(RSP), record, start, value))
        assert caught.value.place.startswith(place)
        assert reason in caught.value.reason

    @pytest.mark.parametrize("value", [b" ", b"A", b"g", b"\xb2", b"\x00"])
    @pytest.mark.parametrize("at", [0, 31, 63])
    def test_the_bytes_that_an_arl_answers_are_told_in_one_form(self, at: int, value: bytes) -> None:
        bad = with_value(encode_return(ARL), 2, 84 + at, value)
        with pytest.raises(FseError, match="is no hex") as caught:
            decode_return(bad)
        assert caught.value.place == "record 2 (100 lot acknowledged), field received"

    @pytest.mark.parametrize("kept", range(14))
    def test_a_return_cut_short_says_what_is_missing(self, kept: int) -> None:
        last = kept if kept in (5, 9) else kept + 1  # a part whose reason is missing is wrong in itself
        with pytest.raises(FseError, match=f"record {last}"):
            decode_return(encode_return(RSP)[: kept * WIDTH])

    def test_a_record_more_is_refused(self) -> None:
        data = encode_return(RSP)
        with pytest.raises(FseError, match="record 15: a record after the last level"):
            decode_return(data + data[-WIDTH:])

    def test_half_a_record_is_refused(self) -> None:
        with pytest.raises(FseError, match="record 14: a return is records of 256 characters"):
            decode_return(encode_return(RSP)[:-1])

    def test_an_invoice_told_twice_in_a_row_is_refused(self) -> None:
        parts = records(encode_return(replace(RSP, lines=RSP.lines[:1], total=1855)))
        data = b"".join([*parts[:5], *parts[2:]])
        with pytest.raises(FseError, match="told twice in a row"):
            decode_return(data)

    def test_an_invoice_without_a_part_is_refused(self) -> None:
        parts = records(encode_return(replace(RSP, lines=RSP.lines[:1], total=1855)))
        with pytest.raises(FseError, match=r"record 4: 990 comes where 220 \(part of one payer\) must be"):
            decode_return(b"".join([*parts[:3], *parts[4:]]))

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (replace(RSP, total=1), "its total is 1, its lines pay 3610"),
            (replace(ARL, rejections=()), "a negative ARL with 0 reasons"),
            (replace(ARL, kind=ArlKind.POSITIVE), "a positive ARL with 1 reasons"),
            (replace(ARL, file="x" * 81), "does not fit 80 characters"),
            (replace(ARL, file="x "), "does not fit"),
            (replace(ARL, received=""), "field received: '' does not fit 64 characters of hex"),
            (replace(ARL, received="a" * 63), "does not fit 64 characters of hex"),
            (replace(ARL, received="a" * 65), "does not fit 64 characters of hex"),
            (replace(ARL, received="A" * 64), "does not fit 64 characters of hex"),
            (replace(ARL, received="g" + "a" * 63), "does not fit 64 characters of hex"),
            (replace(ARL, received="\N{FULLWIDTH DIGIT ONE}" + "1" * 63), "does not fit 64 characters of hex"),
            (replace(ARL, file="\N{EURO SIGN}"), "does not fit"),
            (replace(ARL, rejections=(replace(REASON, invoice=0),)), "invoice 0 is no invoice"),
            (replace(ARL, rejections=(replace(REASON, invoice=10**9),)), "does not fit 9 characters"),
            (
                replace(RSP, lines=(RspLine(7, "amo", PaymentOutcome.PAID, 1855, 1854),), total=1854),
                "paid with 1854 of 1855",
            ),
            (replace(RSP, lines=(RspLine(7, "amo", PaymentOutcome.PAID, 5, 5, REASON),), total=5), "and a reason"),
            (
                replace(RSP, lines=(RspLine(7, "amo", PaymentOutcome.PARTLY_PAID, 5, 6, REASON),), total=6),
                "with 6 of 5",
            ),
            (replace(RSP, lines=(RspLine(7, "amo", PaymentOutcome.PARTLY_PAID, 5, 4),), total=4), "and no reason"),
            (replace(RSP, lines=(RspLine(7, "amo", PaymentOutcome.REJECTED, 5, 0),), total=0), "and no reason"),
            (
                replace(RSP, lines=(RspLine(7, "amo", PaymentOutcome.PAID, -5, -5),), total=-5),
                "does not fit 12 characters",
            ),
        ],
    )
    def test_what_contradicts_itself_is_not_written(self, answer: Arl | Rsp, reason: str) -> None:
        with pytest.raises(FseError) as caught:
            encode_return(answer)
        assert reason in str(caught.value)
