"""Lots: the sheets (or the claims) of one sender for one body, numbered, put into bytes and read back strictly.

One set per destination body (SEED-FSE-04, SV-FSE-04); FSE lots count from ``000`` up, DRE lots from ``ZZZ`` down
(sources#care-sheet). How large a lot may be is not public: limits are parameters. The bytes of a lot are ours:
modelled.
Its header is a zone of one group; each sheet comes after its number and its SHA-256, so that one changed byte is laid
at the door of the right sheet even before the signatures are checked; the signature ends the lot:

| group | fields |
| --- | --- |
| 9502 | signer, certificate (DER), value, moment |
| 9509 | SHA-256 of group 9502: against accidents alone |

The moment is told by the workstation once the card has signed, as that of a sheet: the card cannot sign it. With the
checksum no byte of a lot changes on its way without being noticed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from bifente.simulator.formats.fse.canonical import parse
from bifente.simulator.formats.fse.dre import decode_dre, encode_dre
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.frames import (
    LABEL,
    FrameReader,
    day_of,
    day_text,
    fields_of,
    frame,
    group_of,
    summed,
    unsummed,
)
from bifente.simulator.formats.fse.model import CardSignature, Dre, Lot, LotKind, SecuredInvoice, Signer
from bifente.simulator.formats.fse.securing.codec import decode_secured, encode_secured
from bifente.simulator.zones import ZoneError, decode

T = TypeVar("T")

#: Ours, modelled: the header of a lot, its signature.
LOT_GROUP, SIGNATURE_GROUP = 9501, 9502
_HEADER_FIELDS, _SIGNATURE_FIELDS = 8, 4
_FORM = "1"
_INVOICE_GROUP = 1110
"""The group whose first field is the number of the invoice (sources#zone-invoice)."""
_DIGEST = 32
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""How the numbers of DRE lots count: digits before letters. Only ZZZ, where they start, is public."""
_FIRST = {LotKind.FSE: "000", LotKind.DRE: "ZZZ"}
_NUMBER = {LotKind.FSE: r"[0-9]{3}", LotKind.DRE: r"[0-9A-Z]{3}"}
_BODY = {LotKind.FSE: r"[0-9]{9}", LotKind.DRE: r"[0-9A-Z]{8,10}"}
_SENDER = r"[0-9]{9}"
_MAX_ITEMS = 100_000
"""More than any lot of the bench: a lot that announces more is not read."""


@dataclass(frozen=True, slots=True)
class LotLimits:
    """How many sheets and bytes a lot holds at most. Not public for FSE: these defaults are the bench's own."""

    items: int = 1000
    size: int = 16 * 1024 * 1024

    def __post_init__(self) -> None:
        if not 1 <= self.items <= _MAX_ITEMS or self.size < 1:
            raise ValueError(f"a lot holds 1 to {_MAX_ITEMS} sheets and at least a byte, not {self.items}, {self.size}")


class LotError(FseError):
    """A lot that cannot be made or read; ``item`` is the number of the sheet or claim at fault, if it is one."""

    def __init__(self, place: str, reason: str, cure: str, item: int | None = None) -> None:
        super().__init__(place, reason, cure)
        self.item = item


@dataclass(frozen=True, slots=True)
class RawItem:
    """One sheet or claim of a lot before it is understood. ``whole`` is false if it has changed in its lot."""

    number: int
    data: bytes
    whole: bool


@dataclass(frozen=True, slots=True)
class RawLot:
    """A lot whose sheets are not read yet: what a front end needs to say which of them is wrong."""

    head: Lot
    """The lot without what it carries."""
    items: tuple[RawItem, ...]
    signed: bytes
    """What the lot's signature covers, with the SHA-256 that its sheets have now."""


# -- numbers ----------------------------------------------------------------------------------------------------------


def next_number(kind: LotKind, last: str | None) -> str:
    """The number after ``last`` (None: the first). After 999, and after 000 for DRE, they begin again (modelled)."""
    if last is None:
        return _FIRST[kind]
    if not re.fullmatch(_NUMBER[kind], last):
        raise FseError(f"{kind.value} lot number", f"{last!r} is none", f"write it as {_FIRST[kind]}")
    if kind is LotKind.FSE:
        return f"{(int(last) + 1) % 1000:03}"
    rank = (int(last, 36) - 1) % 36**3
    return _ALPHABET[rank // 1296] + _ALPHABET[rank // 36 % 36] + _ALPHABET[rank % 36]


def numbers(kind: LotKind, last: str | None = None) -> Iterator[str]:
    """The numbers after ``last``, without end."""
    while True:
        last = next_number(kind, last)
        yield last


# -- grouping ---------------------------------------------------------------------------------------------------------


def make_lots(
    secured: Iterable[SecuredInvoice], *, on: date, numbers: Iterator[str], limits: LotLimits | None = None
) -> tuple[Lot, ...]:
    """The sheets grouped by sender and body, by growing number, in lots that are not signed yet.

    ``numbers`` gives the number of each lot: see ``numbers``. Raises LotError for a sheet that cannot be read, comes
    twice or is larger than a lot may be.
    """
    groups: dict[tuple[str, str], list[tuple[int, SecuredInvoice, int]]] = {}
    seen: set[tuple[str, int]] = set()
    for item in secured:
        invoice = parse(item.content)
        sender = invoice.professional.billing_id
        _once(seen, (sender, invoice.number), f"invoice {invoice.number}", invoice.number)
        groups.setdefault((sender, invoice.body), []).append((invoice.number, item, len(encode_secured(item))))
    return tuple(
        _checked(Lot(LotKind.FSE, next(numbers), sender, body, on, invoices=part))
        for (sender, body), items in sorted(groups.items())
        for part in _parts(items, limits or LotLimits())
    )


def make_dre_lots(
    dres: Iterable[Dre], *, sender: str, on: date, numbers: Iterator[str], limits: LotLimits | None = None
) -> tuple[Lot, ...]:
    """The claims of a sender grouped by complementary insurer, in lots that are not signed yet. Raises LotError."""
    groups: dict[str, list[tuple[int, Dre, int]]] = {}
    seen: set[tuple[str, int]] = set()
    for dre in dres:
        _once(seen, (sender, dre.number), f"DRE {dre.number}", dre.number)
        groups.setdefault(dre.amc.id, []).append((dre.number, dre, len(encode_dre(dre))))
    return tuple(
        _checked(Lot(LotKind.DRE, next(numbers), sender, body, on, dres=part))
        for body, items in sorted(groups.items())
        for part in _parts(items, limits or LotLimits())
    )


def _once(seen: set[tuple[str, int]], key: tuple[str, int], place: str, number: int) -> None:
    if key in seen:
        raise LotError(place, "it is there twice", "put each one in one lot only", number)
    seen.add(key)


def _parts(items: list[tuple[int, T, int]], limits: LotLimits) -> Iterator[tuple[T, ...]]:
    part: list[T] = []
    room = limits.size
    for number, item, size in sorted(items, key=lambda one: one[0]):
        if size > limits.size:
            raise LotError(f"number {number}", f"it has {size} bytes, a lot {limits.size}", "raise the limit", number)
        if part and (len(part) == limits.items or size > room):
            yield tuple(part)
            part, room = [], limits.size
        part.append(item)
        room -= size
    if part:
        yield tuple(part)


# -- bytes ------------------------------------------------------------------------------------------------------------


def encode_lot(lot: Lot) -> bytes:
    """The bytes of a lot, signed or not. Raises LotError for what ``decode_lot`` would not read back."""
    signature = b"" if lot.signature is None else _signature_zone(lot.number, lot.signature)
    parts = [_header(lot)]
    for number, data in _items(lot):
        parts += (_told(number, data), frame(data))
    return b"".join((*parts, frame(signature)))


def signed_content(lot: Lot) -> bytes:
    """What the signature of a lot covers: its header, then the number and the SHA-256 of everything that it carries.

    Not the sheets themselves: the card hashes, and the host before it, whatever they are given. Raises LotError.
    """
    return b"".join((_header(lot), *(_told(number, data) for number, data in _items(lot))))


def _header(lot: Lot) -> bytes:
    _checked(lot)
    count = len(lot.invoices) or len(lot.dres)
    fields = (LABEL, _FORM, lot.kind.value, lot.number, lot.sender, lot.body, day_text(lot.on), str(count))
    return frame(group_of(LOT_GROUP, *fields))


def _told(number: int, data: bytes) -> bytes:
    return number.to_bytes(4, "big") + hashlib.sha256(data).digest()


def read_lot(data: bytes) -> RawLot:
    """A lot as far as its frames go: its sheets are there as bytes. Raises LotError where even that fails."""
    try:
        return _read(data)
    except LotError:
        raise
    except FseError as error:
        raise LotError(error.place, error.reason, error.cure) from error


def decode_lot(data: bytes) -> Lot:
    """A lot from its bytes; ``encode_lot`` gives them back. Raises LotError, with the sheet at fault if it is one.

    Signatures are not checked here: those of the sheets and of the lot are the business of who receives it.
    """
    return understand(read_lot(data))


def understand(raw: RawLot) -> Lot:
    """The lot with its sheets read. Raises LotError, with the sheet at fault."""
    head, invoices, dres = raw.head, [], []
    for item in raw.items:
        place = f"lot {head.number}, {head.kind.value} {item.number}"
        if not item.whole:
            raise LotError(place, "it has changed since it was put in its lot", "send it again", item.number)
        try:
            if head.kind is LotKind.FSE:
                invoices.append(sheet := decode_secured(item.data))
                number, again = invoice_number(sheet), encode_secured(sheet)
            else:
                dres.append(dre := decode_dre(item.data))
                number, again = dre.number, encode_dre(dre)
        except FseError as error:
            raise LotError(f"{place}, {error.place}", error.reason, error.cure, item.number) from error
        if again != item.data:
            raise LotError(place, "it is not written in its only form", "write it as the bench does", item.number)
        if number != item.number:
            raise LotError(place, f"it says that it is {number}", "number it as it says", number)
    return _checked(
        Lot(head.kind, head.number, head.sender, head.body, head.on, tuple(invoices), tuple(dres), head.signature)
    )


def invoice_number(sheet: SecuredInvoice) -> int:
    """The number of a sheet, without reading all of it. Raises FseError."""
    try:
        groups = decode(sheet.content)
    except ZoneError as error:
        raise FseError(f"content, byte {error.offset}", error.expected, error.cure) from error
    found = [group.fields[0] for group in groups if group.id == _INVOICE_GROUP and group.fields]
    if len(found) != 1 or not re.fullmatch(rb"0*[1-9][0-9]{0,8}", found[0]):
        raise FseError("content", f"it has no group {_INVOICE_GROUP} with a number", "make the sheet again")
    return int(found[0])


def _items(lot: Lot) -> Iterator[tuple[int, bytes]]:
    for sheet in lot.invoices:
        yield invoice_number(sheet), encode_secured(sheet)
    for dre in lot.dres:
        yield dre.number, encode_dre(dre)


def _checked(lot: Lot) -> Lot:
    place = f"{lot.kind.value} lot {lot.number}"
    for name, value, shape in (
        ("number", lot.number, _NUMBER[lot.kind]),
        ("sender", lot.sender, _SENDER),
        ("body", lot.body, _BODY[lot.kind]),
    ):
        if not re.fullmatch(shape, value):
            raise LotError(place, f"its {name} {value!r} is not of the form {shape}", f"correct its {name}")
    mine, other = (lot.invoices, lot.dres) if lot.kind is LotKind.FSE else (lot.dres, lot.invoices)
    if other:
        raise LotError(place, "it carries both sheets and claims", "put them in two lots")
    if not 0 < len(mine) <= _MAX_ITEMS:
        raise LotError(place, f"it carries {len(mine)} of them", f"put in 1 to {_MAX_ITEMS}")
    for dre in lot.dres:
        if dre.amc.id != lot.body:
            raise LotError(
                place, f"DRE {dre.number} is for {dre.amc.id}, the lot for {lot.body}", "split it", dre.number
            )
    return lot


def _signature_zone(number: str, signature: CardSignature) -> bytes:
    if signature.signer is not Signer.PROFESSIONAL:
        raise LotError(f"lot {number}", f"it is signed by the {signature.signer}", "have the professional sign it")
    if not re.fullmatch(r"[0-9]{14}", signature.moment):
        raise LotError(f"lot {number}", f"its signature is of {signature.moment!r}", "write 14 digits, UTC")
    fields = (signature.signer.value, signature.certificate, signature.value, signature.moment)
    return summed(group_of(SIGNATURE_GROUP, *fields))


def _read(data: bytes) -> RawLot:
    reader = FrameReader(data, "lot")
    header = reader.group("its header", LOT_GROUP, _HEADER_FIELDS)
    label, form, kind_, number, sender, body, on, count_ = header
    if label != LABEL or form != _FORM:
        raise reader.error(f"it begins with {label!r}, form {form!r}", f"a lot begins with {LABEL}, form {_FORM}")
    try:
        kind, day, count = LotKind(kind_), day_of(on), int(count_)
    except ValueError as error:
        raise reader.error(f"its header is wrong: {error}", "write it as the bench does") from error
    if not 0 < count <= _MAX_ITEMS or count_ != str(count) or on != day_text(day):
        raise reader.error(f"its header says {count_} of {on}", f"count 1 to {_MAX_ITEMS}, dates YYYYMMDD")
    items, signed = [], [data[: reader.at]]
    for rank in range(1, count + 1):
        part = f"{kind.value} {rank} of {count}"
        item_number, digest = reader.number(part), reader.take(_DIGEST, part)
        content = reader.frame(part)
        told = _told(item_number, content)
        items.append(RawItem(item_number, content, told[-_DIGEST:] == digest))
        signed.append(told)
    signature = _signature(reader.frame("its signature"))
    reader.end()
    return RawLot(Lot(kind, number, sender, body, day, signature=signature), tuple(items), b"".join(signed))


def _signature(data: bytes) -> CardSignature | None:
    if not data:
        return None
    place = "lot, its signature"
    fields = fields_of(unsummed(data, place), SIGNATURE_GROUP, _SIGNATURE_FIELDS, place)
    signer, certificate, value, moment = fields
    if signer != Signer.PROFESSIONAL.value.encode() or not re.fullmatch(rb"[0-9]{14}", moment):
        raise FseError(place, f"it is by {signer!r} at {moment!r}", "a professional signs, at 14 digits of UTC")
    return CardSignature(Signer.PROFESSIONAL, certificate, value, moment.decode())
