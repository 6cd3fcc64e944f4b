"""Lots as records: header, the records of each sheet or claim, trailer with the totals; read back with every check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

from bifente.simulator.formats.fse.amounts import FLAT_PARTICIPATIONS, amo_part, reimbursable
from bifente.simulator.formats.fse.canonical import parse
from bifente.simulator.formats.fse.model import (
    CareAct,
    Dre,
    Insurance,
    Invoice,
    Lot,
    LotKind,
    Nomenclature,
    Payment,
    Proof,
)
from bifente.simulator.formats.fse.records.layouts import LAYOUTS, WIDTH
from bifente.simulator.formats.fse.records.record import Record, RecordError, make, read, write

#: The most records that are read: a bound of ours.
MAX_RECORDS = 200_000
#: Values that the ATIH formats name: 10 sickness, 30 maternity (modelled: they list it without its meaning), 41 AT.
_INSURANCE = {Insurance.MALADIE: "10", Insurance.MATERNITE: "30", Insurance.AT_MP: "41"}
_PAYMENT = {Payment.DIRECT: "D", Payment.TIERS_PAYANT: "T"}
#: The digits of sources#care-sheet.
_PROOF = {Proof.NONE: "0", Proof.DOCUMENT: "1", Proof.ONLINE: "2", Proof.VITALE: "4"}
_GENERAL_REGIME = "01"
_ALL = 100
_ITEM = ("sender", "insured", "insured-key", "rank", "number")
"""What all the records of one sheet repeat."""
_PARTS = ("charged", "amo", "amc")
"""Of the end of a sheet: what its acts make together."""
_TOTALS = ("charged", "amo", "amc", "cancelled")
"""Of the trailer: the last is what cancellations take back, which ``amc`` leaves out."""


@dataclass(frozen=True, slots=True)
class LotRecords:
    """A lot as records: those of each sheet or claim together."""

    kind: LotKind
    header: Record
    items: tuple[tuple[Record, ...], ...]
    trailer: Record


def records(lot: Lot) -> bytes:
    """The records of a lot, 128 ASCII characters each, one after the other. Raises RecordError, FseError."""
    return write_records(records_of(lot))


def records_of(lot: Lot) -> LotRecords:
    """The records of a lot. Raises RecordError for a value that its field cannot hold and for a sheet that asks what
    its acts do not make, FseError for a broken sheet.
    """
    base = {"sender": lot.sender, "body": lot.body, "form": lot.kind.name, "lot": lot.number}
    header = make("000", 1, {**base, "date": _day(lot.on)})
    rank, items = 2, []
    for source in lot.invoices or lot.dres:
        item = (_claim(lot, source, rank),) if isinstance(source, Dre) else _sheet(parse(source.content), rank)
        items.append(item)
        rank += len(item)
    totals = {name: sum(_total(item, name) for item in items) for name in _TOTALS}
    trailer = make("999", rank, {**base, "records": rank, "items": len(items), **totals})
    return LotRecords(lot.kind, header, tuple(items), trailer)


def write_records(lot: LotRecords) -> bytes:
    """The bytes of some records. Raises RecordError."""
    return "".join(write(record, rank) for rank, record in enumerate(_all(lot), start=1)).encode("ascii")


def read_records(data: bytes) -> LotRecords:
    """The records in bytes, their order, counts and totals checked. Raises RecordError; ``write_records`` gives the
    same bytes back.
    """
    found = _split(data)
    header, trailer = found[0], found[-1]
    if header.type != "000":
        raise RecordError(1, 1, f"it begins with a record {header.type}", "begin with a header 000")
    if trailer.type != "999":
        raise RecordError(len(found), 1, f"it ends with a record {trailer.type}", "end with a trailer 999")
    try:
        kind = LotKind[header.values["form"]]
    except KeyError:
        raise RecordError(
            1, _at("000", "form"), f"form {header.values['form']!r} is none", "write FSE or DRE"
        ) from None
    for name in ("sender", "body", "form", "lot"):
        _same(len(found), trailer, name, header.values[name], "the header says")
    lot = LotRecords(kind, header, tuple(_items(found[1:-1], kind)), trailer)
    _check_totals(lot, len(found))
    return lot


# -- writing ----------------------------------------------------------------------------------------------------------


def _claim(lot: Lot, dre: Dre, rank: int) -> Record:
    return make(
        "2D",
        rank,
        {
            "sender": lot.sender,
            "invoice": dre.invoice,
            "number": dre.number,
            "date": _day(dre.on),
            "indicator": dre.amc.indicator,
            "member": dre.amc.member,
            "cancels": "" if dre.cancels is None else f"{dre.cancels:09}",
            "amc": dre.asked,
            "complementary": dre.amc.id.zfill(10),
        },
    )


def _sheet(invoice: Invoice, rank: int) -> tuple[Record, ...]:
    who = invoice.beneficiary
    head: dict[str, str | int] = {
        "sender": invoice.professional.billing_id,
        "insured": who.nir,
        "insured-key": who.nir_key,
        "rank": 0 if who.regime == _GENERAL_REGIME else who.rank,
        "number": invoice.number,
    }
    found = [make("2", rank, {**head, **_invoice(invoice)}), make("2S", rank + 1, {**head, **_more(invoice)})]
    left, kept = invoice.amc.asked, _participation(invoice)
    for act in invoice.acts:
        amo = amo_part(act)
        if kept and act.rate == _ALL and amo >= kept:
            amo, kept = amo - kept, 0
        amc = min(left, reimbursable(act) - amo)
        left -= amc
        found.append(make("4", rank + len(found), {**head, **_act(invoice, act, amo, amc)}))
        if act.nomenclature is Nomenclature.CCAM:
            found.append(make("4M", rank + len(found), {**head, "code": act.code}))
    totals = {"charged": invoice.total, "amo": invoice.amo.asked, "amc": invoice.amc.asked}
    found.append(make("5", rank + len(found), {**head, "operation": 1, **totals, "records": len(found) + 1}))
    _check_item(found, rank + len(found) - 1)
    return tuple(found)


def _participation(invoice: Invoice) -> int:
    """The flat participation that the AMO part was lessened by: of no other amount."""
    kept = sum(map(amo_part, invoice.acts)) - invoice.amo.asked
    return kept if kept in FLAT_PARTICIPATIONS else 0


def _invoice(invoice: Invoice) -> dict[str, str | int]:
    who = invoice.beneficiary
    return {
        "operation": 1,
        "regime": who.regime,
        "caisse": who.caisse,
        "centre": who.centre,
        "body": invoice.body,
        "mode": int(invoice.mode),
        "payment": _PAYMENT[invoice.payment],
        "insurance": _INSURANCE[invoice.insurance],
        "exoneration": who.exoneration,
        "accident": _accident(invoice),
        "birth": who.birth[2:],
        "birth-rank": who.rank,
        "date": _day(invoice.on),
        "complementary": who.complementary.id.zfill(10) if who.complementary else "",
    }


def _accident(invoice: Invoice) -> str:
    """Its number, or its date completed by zeros on the left, as the ATIH formats tell."""
    if invoice.accident is None:
        return ""
    return invoice.accident.number or f"000{_day(invoice.accident.on)}"


def _more(invoice: Invoice) -> dict[str, str | int]:
    individual = invoice.beneficiary.certified_nir
    return {
        "individual": individual[:13],
        "individual-key": individual[13:],
        "prescriber": invoice.prescriber.billing_id if invoice.prescriber else "",
        "prescribed-on": _day(invoice.prescribed_on),
        "substitute": invoice.substitute.billing_id if invoice.substitute else "",
        "rectifies": "" if invoice.rectifies is None else f"{invoice.rectifies:09}",
        "pregnancy": _day(invoice.pregnancy_on),
        "proof": _PROOF[invoice.proof],
        "care-path": invoice.care_path[:1],
    }


def _act(invoice: Invoice, act: CareAct, amo: int, amc: int) -> dict[str, str | int]:
    return {
        "exoneration": invoice.beneficiary.exoneration,
        "specialty": invoice.professional.specialty,
        "date": _day(act.on),
        "code": act.code if act.nomenclature is Nomenclature.NGAP else "CCAM",
        "quantity": act.quantity,
        "coefficient": int((act.coefficient * 100).quantize(Decimal(1), ROUND_HALF_UP)),
        "unit": act.base,
        "base": reimbursable(act),
        "rate": act.rate,
        "amo": amo,
        "charged": act.amount,
        "amc": amc,
    }


def _day(day: date | None) -> str:
    return "" if day is None else f"{day:%y%m%d}"


# -- reading ----------------------------------------------------------------------------------------------------------


def _split(data: bytes) -> list[Record]:
    count, rest = divmod(len(data), WIDTH)
    if rest or not 2 <= count <= MAX_RECORDS:
        raise RecordError(
            count + 1, rest + 1, f"{len(data)} characters end here", f"send 2 to {MAX_RECORDS} records of {WIDTH}"
        )
    found = []
    for rank in range(1, count + 1):
        raw = data[(rank - 1) * WIDTH : rank * WIDTH]
        try:
            line = raw.decode("ascii")
        except UnicodeDecodeError as error:
            raise RecordError(
                rank, error.start + 1, f"byte {raw[error.start]:02X} is not ASCII", "send ASCII"
            ) from None
        found.append(read(line, rank))
    return found


def _items(found: Sequence[Record], kind: LotKind) -> Iterator[tuple[Record, ...]]:
    item: list[Record] = []
    for rank, record in enumerate(found, start=2):
        if kind not in record.layout.forms or record.type in ("000", "999"):
            raise RecordError(rank, 1, f"a record {record.type} has no place here", "leave it out")
        if kind is LotKind.DRE:
            yield (record,)
            continue
        if (record.type == "2") == bool(item):
            raise RecordError(rank, 1, f"a record {record.type} stands here", "begin each sheet with 2, end it with 5")
        item.append(record)
        for name in _ITEM:
            _same(rank, record, name, item[0].values[name], "the sheet begins with")
        if record.type == "5":
            _check_item(item, rank)
            yield tuple(item)
            item = []
    if item:
        raise RecordError(len(found) + 2, 1, "the last sheet is not ended", "end it with a record 5")


def _check_item(item: Sequence[Record], rank: int) -> None:
    end = item[-1]
    types = [record.type for record in item]
    if types[1] != "2S" or types.count("2S") != 1:
        raise RecordError(rank - len(item) + 2, 1, "a sheet has one record 2S, after its 2", "put it there")
    for before, after in pairwise(types):
        if after in ("4M", "4S") and before not in ("4", "4M"):
            raise RecordError(rank, 1, f"a record {after} follows a {before}", "put it after its act")
    _same(rank, end, "records", f"{len(item):03}", "there are")
    for name in _PARTS:
        if name != "charged" and "3F" in types:
            continue  # a device has no columns for what is asked of the insurers
        made = sum(record.number(name) for record in item if record.type in ("4", "3F"))
        _same(rank, end, name, f"{made:08}", "the acts make")


def _check_totals(lot: LotRecords, count: int) -> None:
    _same(count, lot.trailer, "records", f"{count:08}", "there are")
    _same(count, lot.trailer, "items", f"{len(lot.items):06}", "there are")
    for name in _TOTALS:
        _same(count, lot.trailer, name, f"{sum(_total(item, name) for item in lot.items):012}", "the sheets make")


def _total(item: Sequence[Record], name: str) -> int:
    end = item[-1]
    if end.values.get("cancels"):
        return end.number("amc") if name == "cancelled" else 0
    return end.number(name) if name in end.values else 0


def _same(rank: int, record: Record, name: str, expected: str, words: str) -> None:
    value = record.values[name]
    if value != expected:
        raise RecordError(rank, _at(record.type, name), f"{name} is {value}, {words} {expected}", "correct one of them")


def _at(kind: str, name: str) -> int:
    return next(field.at for field in LAYOUTS[kind].fields if field.name == name)


def _all(lot: LotRecords) -> Iterator[Record]:
    yield lot.header
    for item in lot.items:
        yield from item
    yield lot.trailer
