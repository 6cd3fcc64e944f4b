"""Records of 128 characters: their layouts as data, written, read back, and every figure that must agree."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from fse_samples import ACT, AMC, BENEFICIARY, PRESCRIBER, PROFESSIONAL, TODAY, sample_invoice
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.formats.fse.amounts import reimbursable
from bifente.simulator.formats.fse.canonical import canonical
from bifente.simulator.formats.fse.dre import cancellation
from bifente.simulator.formats.fse.lots import make_dre_lots, make_lots, numbers
from bifente.simulator.formats.fse.model import (
    CareAct,
    Dre,
    Insurance,
    Lot,
    LotKind,
    Nomenclature,
    PayerShare,
    Payment,
    SecuredInvoice,
    WorkAccident,
)
from bifente.simulator.formats.fse.records import (
    LAYOUTS,
    WIDTH,
    Record,
    RecordError,
    read_records,
    records,
    records_of,
    write_records,
)
from bifente.simulator.formats.fse.records.layouts import ColumnKind, FieldLayout
from bifente.simulator.formats.fse.records.record import make, read, write

CCAM_ACT = replace(ACT, nomenclature=Nomenclature.CCAM, code="DEQP003", base=1352, amount=1352, rate=70)


def lot_of(*changes: dict[str, object]) -> Lot:
    sheets = [SecuredInvoice(canonical(sample_invoice(number=rank, **item))) for rank, item in enumerate(changes, 1)]
    return make_lots(sheets, on=TODAY, numbers=numbers(LotKind.FSE))[0]


def dre_lot() -> Lot:
    first = Dre(5, 1, TODAY, AMC, 900)
    dres = [first, cancellation(first, 6, TODAY), Dre(7, 2, TODAY, AMC, 350)]
    return make_dre_lots(dres, sender=PROFESSIONAL.billing_id, on=TODAY, numbers=numbers(LotKind.DRE))[0]


FULL = {
    "acts": (ACT, CCAM_ACT, replace(ACT, code="ID", base=350, amount=400)),
    "payment": Payment.TIERS_PAYANT,
    "amc": PayerShare(1000),
    "prescriber": PRESCRIBER,
    "prescribed_on": date(2026, 2, 27),
    "insurance": Insurance.AT_MP,
    "accident": WorkAccident(date(2026, 1, 5), ""),
    "rectifies": 12,
    "beneficiary__complementary": AMC,
    "beneficiary__certified_nir": "180191305500128",
    "beneficiary__regime": "02",
}


def lines(data: bytes) -> list[str]:
    text = data.decode("ascii")
    return [text[at : at + WIDTH] for at in range(0, len(text), WIDTH)]


def joined(*parts: str) -> bytes:
    return "".join(parts).encode("ascii")


# -- the columns that are public --------------------------------------------------------------------------------------

#: (type, column from 1, size) that the RSF formats of the ATIH give for the B2 record, checked one by one.
PUBLIC = {
    "2": {"insured": (12, 13), "insured-key": (25, 2), "rank": (27, 3), "number": (30, 9), "operation": (39, 1)}
    | {"regime": (49, 2), "insurance": (77, 2), "exoneration": (79, 1), "accident": (86, 9), "birth": (96, 6)}
    | {"birth-rank": (102, 1), "date": (103, 6), "contract": (117, 2), "complementary": (119, 10)}
    | {"entry": (40, 9), "exit": (109, 6)},
    "2B": {"civility": (40, 1)},
    "2C": {"postcode": (91, 5)},
    "2S": {"individual": (50, 13), "individual-key": (63, 2), "care-path": (121, 1)},
    "3F": {"code": (43, 13), "quantity": (70, 2), "tariff": (72, 7), "charged": (79, 7), "bought": (86, 7)}
    | {"margin": (93, 7), "margins": (100, 7)},
    "3H": {"code": (49, 7), "coefficient": (57, 5), "amount-a": (67, 7), "amount-b": (74, 7), "amount-c": (81, 7)}
    | {"quantity": (88, 3)},
    "4": {"treatment": (39, 2), "discipline": (41, 3), "exoneration": (54, 1), "specialty": (68, 2), "date": (70, 6)}
    | {"code": (76, 5), "quantity": (81, 2), "coefficient": (83, 6), "count": (89, 2), "unit": (91, 7)}
    | {"base": (98, 7), "rate": (105, 3), "amo": (108, 7), "charged": (115, 7), "amc": (123, 6)},
    "4B": {"date": (49, 6), "quantity": (55, 2), "code": (57, 8), "date-second": (65, 6), "quantity-second": (71, 2)}
    | {"code-second": (73, 8), "date-third": (81, 6), "quantity-third": (87, 2), "code-third": (89, 8)}
    | {"date-fourth": (97, 6), "quantity-fourth": (103, 2), "code-fourth": (105, 8)}
    | {"date-fifth": (113, 6), "quantity-fifth": (119, 2), "code-fifth": (121, 8)},
    "4M": {"code": (43, 13), "activity": (57, 1), "phase": (58, 1), "modifiers": (59, 4), "association": (63, 1)}
    | {"extension": (56, 1), "exception": (64, 1), "teeth": (71, 32)},
    "5": {"stay-base": (42, 8), "stay-amo": (50, 8), "charged": (58, 8), "amo": (66, 8), "stay-patient": (74, 8)}
    | {"stay-amc": (82, 8), "amc": (90, 8), "stay-charged": (115, 8)},
}


@pytest.mark.parametrize("kind", sorted(PUBLIC))
def test_the_public_columns_are_where_they_are(kind: str) -> None:
    found = {field.name: field for field in LAYOUTS[kind].fields}
    for name, (at, size) in PUBLIC[kind].items():
        assert (found[name].at, found[name].size, found[name].basis) == (at, size, "atih"), name


def test_what_is_ours_says_so() -> None:
    assert set(LAYOUTS) == {"000", "2", "2B", "2C", "2S", "2D", "3", "3F", "3H", "4", "4B", "4M", "4S", "5", "999"}
    head = {"insured", "insured-key", "rank", "number"}
    for kind, layout in LAYOUTS.items():
        public = {field.name for field in layout.fields if field.basis == "atih"} - head
        assert public <= set(PUBLIC.get(kind, {})) | {"type", "start", "facility-coefficient"}, kind
    assert {kind for kind, layout in LAYOUTS.items() if not layout.written} == {"2B", "2C", "3", "3F", "3H", "4B", "4S"}


def test_the_header_says_laboratory() -> None:
    for lot in (lot_of({}), dre_lot()):
        assert b"BIFENTE LABORATOIRE" in records(lot)[:WIDTH]


# -- a whole sheet ----------------------------------------------------------------------------------------------------


def test_every_record_has_128_characters_in_the_set() -> None:
    for lot in (lot_of({}, FULL), dre_lot()):
        data = records(lot)
        assert len(data) % WIDTH == 0
        assert set(data) <= set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 './&()+,:=*-")


def test_a_sheet_record_by_record() -> None:
    found = lines(records(lot_of(FULL)))
    assert [line[0] + (line[38] if line[38].isalpha() else "") for line in found[1:-1]] == [
        *("2", "2S", "4", "4", "4M", "4", "5"),
    ]
    header, sheet, more, act, ccam, ccam_code, other, end, trailer = found
    assert header[:3] + header[3:19] + header[36:45] == f"000TP00000{PROFESSIONAL.billing_id}000260302"
    assert sheet[11:38] == BENEFICIARY.nir + BENEFICIARY.nir_key + "001000000001"
    assert sheet[48:57] == "023490349"
    assert sheet[57:66] == "013490349"  # the body that the sheet names, not made of the lines above
    assert (sheet[76:78], sheet[85:94], sheet[95:102], sheet[118:]) == ("41", "000260105", "8001191", "0099999349")
    assert (more[49:64], more[64:79], more[88:97], more[120]) == (
        "180191305500128",
        PRESCRIBER.billing_id + "260227",
        "000000012",
        "T",
    )
    assert (act[69:75], act[75:80], act[80:90], act[90:121]) == (
        "260302",
        "G    ",
        "0100010000",
        "0003000000300007000021000003000",
    )
    assert (act[122:], ccam[122:], other[122:]) == ("000900", "000100", "000000")
    assert (ccam[75:80], ccam_code[42:55]) == ("CCAM ", "DEQP003      ")
    assert end[57:73] == "0000475200003291"
    assert end[89:100] == "00001000007"
    assert trailer[45:107] == "00000009" + "000001" + "000000004752" + "000000003291" + "000000001000" + "000000000000"


def test_the_general_scheme_has_rank_zero() -> None:
    assert lines(records(lot_of({})))[1][26:29] == "000"
    assert lines(records(lot_of({"beneficiary__regime": "10", "beneficiary__rank": 2})))[1][26:29] == "002"


CARE = replace(ACT, code="AMI", coefficient=Decimal(4), base=315, amount=1260, rate=60)


@pytest.mark.parametrize(
    ("act", "columns"),
    [
        (CARE, "01000400000000315000126006000007560001260"),
        (replace(CARE, quantity=3, amount=3780), "03000400000000315000378006000022680003780"),
        # Half a cent goes up, once for the base and once for the part.
        (
            replace(ACT, quantity=3, coefficient=Decimal("1.5"), base=1001, amount=4505),
            "03000150000001001000450507000031540004505",
        ),
        # What is asked beyond the base is nobody's part; what is asked below it is the base.
        (replace(CARE, amount=1500), "01000400000000315000126006000007560001500"),
        (replace(CARE, amount=1000), "01000400000000315000100006000006000001000"),
        (replace(CARE, coefficient=Decimal(0)), "01000000000000315000000006000000000001260"),
    ],
)
def test_a_line_is_unit_price_times_coefficient_times_quantity(act: CareAct, columns: str) -> None:
    assert lines(records(lot_of({"acts": (act,)})))[3][80:121] == columns


def test_what_is_asked_beyond_the_base_is_not_the_complementary_insurer_s() -> None:
    dear = replace(ACT, base=2000, amount=3000)
    found = lines(records(lot_of({"acts": (dear, ACT), "amc": PayerShare(1400)})))
    assert [line[122:] for line in found[3:5]] == ["000600", "000800"]


@given(
    st.lists(
        st.builds(
            lambda quantity, coefficient, base, beyond, rate: replace(
                ACT,
                quantity=quantity,
                coefficient=coefficient,
                base=base,
                amount=max(0, int(base * coefficient * quantity) + beyond),
                rate=rate,
            ),
            st.integers(1, 9),
            st.decimals("0.5", "20", places=2),
            st.integers(1, 5000),
            st.integers(-500, 500),
            st.sampled_from([30, 60, 70, 100]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_the_parts_of_the_lines_are_those_that_are_priced(acts: list[CareAct]) -> None:
    sheet = sample_invoice(acts=tuple(acts), beneficiary__complementary=AMC, payment=Payment.TIERS_PAYANT)
    (item,) = records_of(make_lots([SecuredInvoice(canonical(sheet))], on=TODAY, numbers=numbers(LotKind.FSE))[0]).items
    told = [record for record in item if record.type == "4"]
    assert [record.number("unit") for record in told] == [act.base for act in acts]
    assert [record.number("base") for record in told] == [reimbursable(act) for act in acts]
    assert sum(record.number("amo") for record in told) == sheet.amo.asked == item[-1].number("amo")
    assert sum(record.number("amc") for record in told) == sheet.amc.asked == item[-1].number("amc")


@pytest.mark.parametrize("changes", [{"amo": PayerShare(2099)}, {"amo": PayerShare(2101)}, {"amc": PayerShare(901)}])
def test_a_sheet_that_asks_what_its_acts_do_not_make_has_no_records(changes: dict[str, object]) -> None:
    with pytest.raises(RecordError, match=r"record 5, column .*the acts make"):
        records(lot_of(changes))


def test_claims_and_cancellations_are_told_apart_in_the_trailer() -> None:
    found = lines(records(dre_lot()))
    assert [line[39:48] + line[72:81] for line in found[1:-1]] == [
        "000000005         ",
        "000000006000000005",
        "000000007         ",
    ]
    assert found[-1][45:107] == "00000005" + "000003" + "0" * 24 + "000000001250" + "000000000900"


def test_records_come_back() -> None:
    for lot in (lot_of({}, FULL, {"acts": (CCAM_ACT,)}), dre_lot()):
        data = records(lot)
        found = read_records(data)
        assert found == records_of(lot)
        assert write_records(found) == data
        assert found.kind is lot.kind


# -- refused ----------------------------------------------------------------------------------------------------------


def refused(*parts: str) -> RecordError:
    with pytest.raises(RecordError) as caught:
        read_records(joined(*parts))
    return caught.value


def test_the_place_of_an_error_is_told() -> None:
    found = lines(records(lot_of({})))
    broken = found[3][:81] + "X" + found[3][82:]
    error = refused(*found[:3], broken, *found[4:])
    assert (error.record, error.column) == (4, 81)
    assert str(error).startswith("record 4, column 81: quantity")


@pytest.mark.parametrize("size", [0, 1, 127, 128, 129, 255, 257])
def test_records_are_whole(size: int) -> None:
    with pytest.raises(RecordError):
        read_records(records(lot_of({}))[:size])


@given(st.data())
def test_one_changed_character_is_refused_or_shows(data: st.DataObject) -> None:
    raw = bytearray(records(lot_of({"amc": PayerShare(5)})))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] = data.draw(st.integers(0, 255).filter(lambda value: value != raw[at]))
    try:
        found = read_records(bytes(raw))
    except RecordError:
        return
    assert found != records_of(lot_of({"amc": PayerShare(5)}))
    assert write_records(found) == bytes(raw)


@given(st.binary(max_size=3).map(lambda part: (part * 300)[:256]))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(RecordError):
        read_records(data)


def test_order_counts() -> None:
    head, sheet, more, act, end, tail = lines(records(lot_of({})))
    assert refused(sheet, more, act, end, tail, head).record == 1
    assert refused(head, more, sheet, act, end, tail).record == 2
    assert refused(head, sheet, more, act, tail).record == 5
    assert refused(head, sheet, act, more, end, tail).record == 3
    assert refused(head, sheet, more, act, end, end, tail).record == 6
    assert refused(head, sheet, sheet, more, act, end, tail).record == 3
    assert refused(head, sheet, more, act, end, head, tail).record == 6
    assert refused(head, sheet, more, act, end).record == 5
    assert "no place" in refused(head, lines(records(dre_lot()))[1], tail).reason


def test_a_ccam_code_follows_its_act() -> None:
    head, sheet, more, act, code, end, tail = lines(records(lot_of({"acts": (CCAM_ACT,)})))
    assert "follows a 2S" in refused(head, sheet, more, code, act, end, tail).reason


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        (-1, "records", "00000005"),
        (-1, "items", "000002"),
        (-1, "charged", "000000003001"),
        (-1, "amo", "000000002101"),
        (-1, "amc", "000000000001"),
        (-1, "sender", "00000991000018"),
        (-1, "lot", "001"),
        (4, "charged", "00003001"),
        (4, "amo", "00002101"),
        (4, "amo", "00002099"),
        (4, "amc", "00000001"),
        (3, "amo", "0002101"),
        (3, "amc", "000001"),
        (4, "records", "005"),
        (4, "number", "000000002"),
        (3, "insured", "1801913055002"),
        (3, "charged", "0003001"),
        (2, "rank", "001"),
    ],
)
def test_figures_agree(line: int, field: str, value: str) -> None:
    found = lines(records(lot_of({})))
    record = read(found[line])
    found[line] = write(Record(record.type, {**record.values, field: value}))
    error = refused(*found)
    assert error.reason.startswith(f"{field} is ") or "the acts make" in error.reason


def test_a_device_counts_in_what_is_charged_and_tells_no_parts() -> None:
    """A record 3F has no columns for the parts: the end may say more than the acts then, of these alone."""
    head, sheet, more, act, end, tail = (read(line) for line in lines(records(lot_of({}))))
    same = {name: sheet.values[name] for name in ("sender", "insured", "insured-key", "rank", "number")}
    device = make("3F", 4, {**same, "code": "1234567", "charged": 500})

    def told(charged: int, amo: int) -> bytes:
        totals = {"charged": f"{charged:08}", "amo": f"{amo:08}", "records": "005"}
        last = {"charged": f"{charged:012}", "amo": f"{amo:012}", "records": "00000007"}
        parts = (head, sheet, more, device, act, replace(end, values={**end.values, **totals}))
        return joined(*map(write, (*parts, replace(tail, values={**tail.values, **last}))))

    assert [record.type for record in read_records(told(3500, 2400)).items[0]] == ["2", "2S", "3F", "4", "5"]
    with pytest.raises(RecordError, match="charged is 00003000, the acts make 00003500"):
        read_records(told(3000, 2400))


@pytest.mark.parametrize("kind", sorted(LAYOUTS))
def test_nothing_stands_where_no_field_is(kind: str) -> None:
    line = write(make(kind, 1, {}))
    covered = {column for field in LAYOUTS[kind].fields for column in range(field.at - 1, field.end)}
    assert read(line).type == kind
    for column in set(range(WIDTH)) - covered:
        with pytest.raises(RecordError) as caught:
            read(line[:column] + "A" + line[column + 1 :], 7)
        if not (column == 38 and kind in "2345"):
            assert (caught.value.record, caught.value.column) == (7, column + 1)


def _values(field: FieldLayout) -> st.SearchStrategy[str]:
    if field.value is not None:
        return st.just(field.value)
    if field.padded_left:
        return st.text("0123456789", min_size=field.size, max_size=field.size)
    if field.kind is ColumnKind.DATE:
        return st.sampled_from(["", "801945", "260302"])
    return st.text("ABCXYZ019", max_size=field.size)


@given(
    st.sampled_from(sorted(LAYOUTS)).flatmap(
        lambda kind: st.tuples(
            st.just(kind), st.fixed_dictionaries({it.name: _values(it) for it in LAYOUTS[kind].fields})
        )
    )
)
def test_any_record_comes_back(given_: tuple[str, dict[str, str]]) -> None:
    record = Record(*given_)
    line = write(record)
    assert len(line) == WIDTH
    assert read(line) == record


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("2", {"body": "0134903490"}),
        ("2", {"regime": "A1"}),
        ("2", {"nothing": "1"}),
        ("4", {"quantity": 100}),
        ("4", {"amount": 1}),
        ("4", {"date": "2026-3"}),
        ("5", {"charged": 100_000_000}),
        ("5", {"charged": -1}),
        ("2D", {"member": "é"}),
        ("2D", {"member": "abc"}),
        ("000", {"laboratory": "CNAM"}),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(kind: str, values: dict[str, str | int]) -> None:
    with pytest.raises(RecordError, match="record 3, column "):
        make(kind, 3, values)


def test_a_sum_too_large_for_its_columns_is_refused() -> None:
    act = replace(ACT, base=10_000_000, amount=10_000_000)
    with pytest.raises(RecordError, match="record 4, column 91: unit"):
        records(lot_of({"acts": (act,)}))


# -- the flat participation --------------------------------------------------------------------------------------------


def test_a_heavy_act_leaves_its_flat_amount_to_the_insured() -> None:
    heavy = replace(CCAM_ACT, code="BFGA004", base=27100, amount=27100, rate=100)
    (item,) = read_records(records(lot_of({"acts": (ACT, heavy)}))).items
    assert [record.number("amo") for record in item if record.type in ("4", "5")] == [2100, 24700, 26800]
    with pytest.raises(RecordError, match="the acts make"):
        records(lot_of({"acts": (ACT, heavy), "amo": PayerShare(26799)}))
