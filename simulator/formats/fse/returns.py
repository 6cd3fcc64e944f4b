"""Returns as bytes, NOEMIE-shaped: a header (000), levels, 990 closing each with its totals and its count of entities,
and at the end a seal of ours (995), the SHA-256 of all before: one that changed on its way is always seen.

Modelled, and each return says so in its first record; ``entities.yaml`` tells what is public. One return has one form:
what ``encode_return`` would not write, ``decode_return`` refuses with the place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import groupby
from typing import TypeVar

from bifente.simulator.formats.fse.entities import CLOSING, Entity, Value, before, place_of, read, types, write
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import Arl, ArlKind, LotKind, PaymentOutcome, Rejection, Rsp, RspLine
from bifente.simulator.formats.fse.return_signing import parted

E = TypeVar("E", bound=StrEnum)

MARK = "BIFENTE LABORATOIRE"
"""What every return of ours begins with."""
REFERENCES: Mapping[ArlKind, str] = {ArlKind.POSITIVE: "930", ArlKind.NEGATIVE: "931"}
"""The reference of an ARL by its kind; which of the two is which is modelled."""
PAYMENTS, CLAIMS_PAID = "576", "580"
"""The reference of an RSP to a professional, and that of a complementary insurer's (sources#noemie), which all of its
lines are parts of. 908 is that of facilities, which no return here is for.
"""

_HEADER, _LOT, _LOT_REASON, _TRANSFER, _INVOICE, _PART, _PART_REASON = "000", "100", "110", "200", "210", "220", "230"
_SEAL = "995"
_AMC = "amc"
_CHANGED = "the return was cut or changed: ask for it again"


def encode_return(answer: Arl | Rsp) -> bytes:
    """The bytes of an ARL or of an RSP. Raises FseError for what ``decode_return`` would refuse."""
    writer = _Writer()
    writer.open(
        _HEADER,
        {
            "mark": MARK,
            "reference": reference_of(answer),
            "body": answer.body,
            "sender": answer.sender,
            "return-id": answer.return_id,
            "on": answer.on,
        },
    )
    if isinstance(answer, Arl):
        _write_lot(answer, writer)
    else:
        _write_transfer(answer, writer)
    writer.close()
    told = write(writer.entities)
    return told + write([Entity(_SEAL, 0, {"sha256": hashlib.sha256(told).hexdigest()})])


def decode_return(data: bytes) -> Arl | Rsp:
    """The ARL or RSP in these bytes. Raises FseError(place, reason, cure); totals that do not close are refused, and
    so is any byte that is not the one written. A signature at its end is read, not verified (``return_signing``).
    """
    data, _signature = parted(data)
    reader = _Reader(read(data))
    header = reader.open(_HEADER)
    if header.values["mark"] != MARK:
        raise FseError(
            place_of(header, "mark"), f"{header.text('mark')!r} is not {MARK!r}", "only returns of this bench are read"
        )
    kinds: dict[str, ArlKind | None] = {reference: kind for kind, reference in REFERENCES.items()}
    kinds |= {PAYMENTS: None, CLAIMS_PAID: None}
    reference = header.text("reference")
    if reference not in kinds:
        raise FseError(place_of(header, "reference"), f"{reference} is no reference", f"write {', '.join(kinds)}")
    kind = kinds[reference]
    answer = _read_transfer(header, reader) if kind is None else _read_lot(header, kind, reader)
    if reference != (expected := reference_of(answer)):
        raise FseError(place_of(header, "reference"), f"{reference} is not that of its lines", f"write {expected}")
    reader.close()
    seal = reader.needed(_SEAL)
    reader.end()
    if seal.text("sha256") != hashlib.sha256(before(data, seal)).hexdigest():
        raise FseError(place_of(seal, "sha256"), "it is not that of what comes before", _CHANGED)
    return answer


def reference_of(answer: Arl | Rsp) -> str:
    """Return the reference of a return."""
    if isinstance(answer, Arl):
        return REFERENCES[answer.kind]
    return CLAIMS_PAID if answer.lines and all(line.payer == _AMC for line in answer.lines) else PAYMENTS


# -- ARL --------------------------------------------------------------------------------------------------------------


def _write_lot(arl: Arl, writer: _Writer) -> None:
    _check_reasons(arl.kind, arl.rejections, "lot")
    values: dict[str, Value] = {"file": arl.file, "received": arl.received}
    values |= {"lot-kind": arl.lot_kind.value, "lot": arl.lot, "lot-on": arl.lot_on}
    writer.open(_LOT, values)
    for rejection in arl.rejections:
        writer.add(_LOT_REASON, _reason(rejection))
    writer.close()


def _read_lot(header: Entity, kind: ArlKind, reader: _Reader) -> Arl:
    lot = reader.open(_LOT)
    rejections = []
    while reason := reader.maybe(_LOT_REASON):
        rejections.append(_rejection(reason))
    _check_reasons(kind, tuple(rejections), place_of(lot))
    reader.close()
    return Arl(
        kind=kind,
        file=lot.text("file"),
        received=lot.text("received"),
        sender=header.text("sender"),
        body=header.text("body"),
        lot_kind=_member(LotKind, lot, "lot-kind"),
        lot=lot.text("lot"),
        return_id=header.text("return-id"),
        lot_on=lot.day("lot-on"),
        on=header.day("on"),
        rejections=tuple(rejections),
    )


def _check_reasons(kind: ArlKind, rejections: tuple[Rejection, ...], place: str) -> None:
    if (kind is ArlKind.NEGATIVE) != bool(rejections):
        raise FseError(
            place,
            f"a {kind.value} ARL with {len(rejections)} reasons of rejection",
            "a negative ARL tells why, a positive one has nothing to tell",
        )


# -- RSP --------------------------------------------------------------------------------------------------------------


def _write_transfer(rsp: Rsp, writer: _Writer) -> None:
    writer.open(_TRANSFER, {"transfer": rsp.transfer})
    for number, lines in groupby(rsp.lines, key=lambda line: line.invoice):
        writer.open(_INVOICE, {"invoice": number})
        for line in lines:
            check_line(line, f"invoice {line.invoice}, part of {line.payer}")
            writer.add(
                _PART,
                {"payer": line.payer, "outcome": line.outcome.value, "asked": line.asked, "paid": line.paid},
            )
            if line.rejection is not None:
                writer.add(_PART_REASON, _reason(line.rejection))
        writer.close()
    if writer.paid != rsp.total:
        raise FseError(
            f"transfer {rsp.transfer}",
            f"its total is {rsp.total}, its lines pay {writer.paid}",
            "the total of a transfer is the sum of what its lines pay",
        )
    writer.close()


def _read_transfer(header: Entity, reader: _Reader) -> Rsp:
    transfer = reader.open(_TRANSFER)
    lines: list[RspLine] = []
    while invoice := reader.maybe(_INVOICE):
        number = invoice.amount("invoice")
        if lines and lines[-1].invoice == number:
            raise FseError(place_of(invoice, "invoice"), f"invoice {number} is told twice in a row", "join its parts")
        reader.opened(invoice)
        lines.append(_line(number, reader.needed(_PART), reader))
        while part := reader.maybe(_PART):
            lines.append(_line(number, part, reader))
        reader.close()
    total = reader.paid
    reader.close()
    return Rsp(
        sender=header.text("sender"),
        body=header.text("body"),
        return_id=header.text("return-id"),
        on=header.day("on"),
        transfer=transfer.text("transfer"),
        lines=tuple(lines),
        total=total,
    )


def _line(invoice: int, part: Entity, reader: _Reader) -> RspLine:
    reason = reader.maybe(_PART_REASON)
    line = RspLine(
        invoice=invoice,
        payer=part.text("payer"),
        outcome=_member(PaymentOutcome, part, "outcome"),
        asked=part.amount("asked"),
        paid=part.amount("paid"),
        rejection=None if reason is None else _rejection(reason),
    )
    check_line(line, place_of(part))
    return line


def check_line(line: RspLine, place: str) -> None:
    """Refuse a line whose outcome, amounts and reason contradict each other. Raises FseError."""
    told = {
        PaymentOutcome.PAID: line.paid == line.asked and line.rejection is None,
        PaymentOutcome.PARTLY_PAID: 0 < line.paid < line.asked and line.rejection is not None,
        PaymentOutcome.REJECTED: line.paid == 0 and line.rejection is not None,
        PaymentOutcome.REVERSED: 0 < line.paid <= line.asked and line.rejection is not None,
    }
    if not told[line.outcome]:
        reason = "a reason" if line.rejection else "no reason"
        raise FseError(
            place,
            f"{line.outcome.value} with {line.paid} of {line.asked} cents and {reason}",
            "paid is everything and no reason; partly paid is less, with a reason; rejected is nothing, with a reason;"
            " reversed is what was paid, with a reason",
        )


# -- both -------------------------------------------------------------------------------------------------------------


def _reason(rejection: Rejection) -> dict[str, Value]:
    if rejection.invoice == 0:
        raise FseError(f"reason {rejection.code}", "invoice 0 is no invoice", "leave it out")
    return {
        "code": rejection.code,
        "invoice": rejection.invoice or 0,
        "label": rejection.label,
        "place": rejection.place,
    }


def _rejection(entity: Entity) -> Rejection:
    return Rejection(
        code=entity.text("code"),
        label=entity.text("label"),
        invoice=entity.amount("invoice") or None,
        place=entity.text("place"),
    )


def _member(kind: type[E], entity: Entity, field: str) -> E:
    try:
        return kind(entity.text(field))
    except ValueError:
        known = ", ".join(one.value for one in kind)
        raise FseError(
            place_of(entity, field), f"{entity.text(field)!r} is not known", f"write one of {known}"
        ) from None


def _transferred(part: Mapping[str, Value]) -> int:
    """What a part adds to its transfer: what is taken back comes with none."""
    return 0 if part["outcome"] == PaymentOutcome.REVERSED.value else int(str(part["paid"]))


class _Writer:
    """Entities in the making: closes each level with what was told in it."""

    def __init__(self) -> None:
        self.entities: list[Entity] = []
        self._open: list[tuple[int, int, int]] = []
        """Index of the entity that opened the level, and what was asked and paid before it."""
        self._asked = self._paid = 0

    @property
    def paid(self) -> int:
        return self._paid

    def open(self, code: str, values: Mapping[str, Value]) -> None:
        self._open.append((len(self.entities), self._asked, self._paid))
        self.add(code, values)

    def add(self, code: str, values: Mapping[str, Value]) -> None:
        level = types()[code].level
        assert level is not None  # noqa: S101 - close() writes the only entity of any level
        self.entities.append(Entity(code, level, values))
        if code == _PART:
            self._asked += int(str(values["asked"]))
            self._paid += _transferred(values)

    def close(self) -> None:
        index, asked, paid = self._open.pop()
        opening = self.entities[index]
        totals = {"asked": self._asked - asked, "paid": self._paid - paid}
        inside = len(self.entities) - index - 1
        values: dict[str, Value] = {"closes": opening.code, "entities": inside, **totals}
        self.entities.append(Entity(CLOSING, opening.level, values))


class _Reader:
    """Entities as they come, in the only order there is; each 990 is held against what its level had."""

    def __init__(self, entities: Iterable[Entity]) -> None:
        self._entities = iter(entities)
        self._next: Entity | None = next(self._entities, None)
        self._last: Entity | None = None
        self._open: list[tuple[Entity, int, int]] = []
        self._asked = self.paid = 0

    def open(self, code: str) -> Entity:
        entity = self.needed(code)
        self.opened(entity)
        return entity

    def opened(self, entity: Entity) -> None:
        self._open.append((entity, self._asked, self.paid))

    def maybe(self, code: str) -> Entity | None:
        entity = self._next
        if entity is None or entity.code != code:
            return None
        self._next = next(self._entities, None)
        self._last = entity
        if code == _PART:
            self._asked += entity.amount("asked")
            self.paid += _transferred(entity.values)
        return entity

    def needed(self, code: str) -> Entity:
        entity = self.maybe(code)
        if entity is None:
            found = "the return ends" if self._next is None else f"{self._next.code} comes"
            number = 1 if self._last is None else self._last.number + 1
            raise FseError(
                f"record {number}", f"{found} where {code} ({types()[code].name}) must be", "complete the return"
            )
        return entity

    def close(self) -> None:
        opening, asked, paid = self._open.pop()
        closing = self.needed(CLOSING)
        there = {
            "closes": opening.code,
            "entities": closing.number - opening.number - 1,
            "asked": self._asked - asked,
            "paid": self.paid - paid,
        }
        if closing.level != opening.level:
            raise FseError(place_of(closing), f"level {closing.level} is closed, {opening.level} is open", "close it")
        for field, value in there.items():
            if closing.values[field] != value:
                raise FseError(
                    place_of(closing, field),
                    f"{closing.values[field]} is told, the level opened by record {opening.number} has {value}",
                    _CHANGED,
                )

    def end(self) -> None:
        if self._next is not None:
            raise FseError(f"record {self._next.number}", "a record after the last level was closed", "leave it out")
