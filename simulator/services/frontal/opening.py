"""A file as it arrives: its lots, or why there are none and which lots it seems to have had."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bifente.simulator.formats.fse.envelope import is_sealed, unseal
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.files import FileHead, named, read_file
from bifente.simulator.formats.fse.frames import LABEL, FrameReader
from bifente.simulator.formats.fse.lots import LOT_GROUP, RawLot, next_number
from bifente.simulator.formats.fse.model import Lot, LotKind

_HEADER_FIELDS = 8
_MOST_HEADS = 1000
_NOBODY = FileHead(0, "", "", date(1, 1, 1), LotKind.FSE)


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """``error`` is why the file cannot be read; then there are no ``lots``, and ``heads`` are those of the lots that
    it seems to carry, or one without a number, from the name of the file. It is not to be believed, only answered.
    """

    lots: tuple[RawLot, ...]
    heads: tuple[Lot, ...]
    error: FseError | None = None

    @property
    def item(self) -> int | None:
        """The sheet at which reading failed, if it is known."""
        return getattr(self.error, "item", None)


def open_data(data: bytes, name: str, key: RSAPrivateKey | None, certificate: x509.Certificate | None) -> OpenedFile:
    """Open a file. Never raises for its bytes."""
    try:
        raw = read_file(data, key, certificate)
        for lot in raw.lots:
            next_number(lot.head.kind, lot.head.number)  # its form
    except FseError as error:
        return OpenedFile((), tuple(_heads(data, key, certificate)) or (_from_name(name),), error)
    return OpenedFile(raw.lots, tuple(lot.head for lot in raw.lots))


def _heads(data: bytes, key: RSAPrivateKey | None, certificate: x509.Certificate | None) -> Iterator[Lot]:
    """The heads of lots that can still be told apart."""
    try:
        if is_sealed(data):
            if key is None or certificate is None:
                return
            data = unseal(data, certificate, key)
        reader = FrameReader(data, "file")
        reader.frame("its header")
        for _ in range(_MOST_HEADS):
            if not reader.left:
                return
            head = _head(reader.frame("a lot"))
            if head is not None:
                yield head
    except FseError:
        return


def _head(lot: bytes) -> Lot | None:
    try:
        fields = FrameReader(lot, "lot").group("its header", LOT_GROUP, _HEADER_FIELDS)
        label, _form, kind, number, sender, body, on, _count = fields
        next_number(LotKind(kind), number)
        day = datetime.strptime(on, "%Y%m%d").date()
    except ValueError:  # FseError is one
        return None
    plain = sender.isdigit() and len(sender) <= 14 and body.isalnum() and len(body) <= 10
    return Lot(LotKind(kind), number, sender, body, day) if label == LABEL and plain else None


def _from_name(name: str) -> Lot:
    try:
        told = named(name)
    except FseError:
        told = _NOBODY
    return Lot(told.kind, "", told.sender, told.body, told.on)
