"""Files of care sheets recognised by their first bytes and read: a sheet, a claim, a lot, a file, a return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bifente.ground.text import Text
from bifente.simulator.formats.fse.canonical import parse
from bifente.simulator.formats.fse.dre import DRE_GROUP, decode_dre
from bifente.simulator.formats.fse.envelope import is_sealed, unseal
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.files import FILE_GROUP, FileHead, read_file
from bifente.simulator.formats.fse.lots import LOT_GROUP, decode_lot, understand
from bifente.simulator.formats.fse.model import Arl, Dre, Invoice, Lot, Rsp, SecuredInvoice
from bifente.simulator.formats.fse.returns import MARK, decode_return
from bifente.simulator.formats.fse.securing.codec import HEADER, decode_secured

CONTENT_GROUP = 9000
"""What the canonical form of a sheet begins with."""
_FRAME = 4


class BillingFileKind(StrEnum):
    """What a file is."""

    CONTENT = "content"
    SHEET = "sheet"
    CLAIM = "claim"
    LOT = "lot"
    FILE = "file"
    RETURN = "return"

    @property
    def words(self) -> Text:
        """The kind in words."""
        return _WORDS[self]


_WORDS = {
    BillingFileKind.CONTENT: Text(
        "contenu d'une feuille de soins, sans signature", "content of a care sheet, without signature"
    ),
    BillingFileKind.SHEET: Text("feuille de soins", "care sheet"),
    BillingFileKind.CLAIM: Text("demande à une complémentaire (DRE)", "claim for a complementary insurer (DRE)"),
    BillingFileKind.LOT: Text("lot", "lot"),
    BillingFileKind.FILE: Text("fichier", "file"),
    BillingFileKind.RETURN: Text("retour", "return"),
}


@dataclass(frozen=True, slots=True)
class BillingFile:
    """What was in a file: its kind, and what it holds (a file: its lots). ``sealed``: it was in an envelope."""

    kind: BillingFileKind
    value: Invoice | SecuredInvoice | Dre | Lot | Arl | Rsp | tuple[Lot, ...]
    head: FileHead | None = None
    sealed: bool = False

    @property
    def lots(self) -> tuple[Lot, ...]:
        """Its lots, if it has any."""
        if isinstance(self.value, Lot):
            return (self.value,)
        return self.value if isinstance(self.value, tuple) else ()

    @property
    def sheets(self) -> tuple[SecuredInvoice, ...]:
        """Its secured sheets, in their order."""
        if isinstance(self.value, SecuredInvoice):
            return (self.value,)
        return tuple(sheet for lot in self.lots for sheet in lot.invoices)


Keys = Callable[[], tuple[RSAPrivateKey, x509.Certificate]]
"""Gives what an envelope is opened with."""


def recognised(data: bytes) -> BillingFileKind | None:
    """What these bytes begin as; None for nothing of ours."""
    if data.startswith(b"0000" + MARK.encode()):
        return BillingFileKind.RETURN
    if (kind := _GROUPS.get(int.from_bytes(data[:2], "big"))) is not None:
        return kind
    if (kind := _FRAMED.get(int.from_bytes(data[_FRAME : _FRAME + 2], "big"))) is not None:
        return kind
    return BillingFileKind.FILE if is_sealed(data) else None


def opened(data: bytes, keys: Keys | None = None) -> BillingFile:
    """Read it strictly, signatures not verified. Raises FseError with the place: its reason is one sentence."""
    kind = recognised(data)
    if kind is None:
        raise FseError(
            "byte 0",
            f"{data[:4].hex(' ').upper()} begins no sheet, lot, file or return" if data else "the file is empty",
            "give one that the bench wrote, or that follows docs/fse.md",
        )
    if kind is not BillingFileKind.FILE:
        return BillingFile(kind, _READ[kind](data))
    sealed = is_sealed(data)
    if sealed:
        if keys is None:
            raise FseError("file", "it is in an envelope", "give the key and the certificate of the body")
        key, certificate = keys()
        data = unseal(data, certificate, key)
    raw = read_file(data)
    return BillingFile(kind, tuple(understand(lot) for lot in raw.lots), raw.head, sealed)


_GROUPS: Mapping[int, BillingFileKind] = {
    CONTENT_GROUP: BillingFileKind.CONTENT,
    HEADER: BillingFileKind.SHEET,
    DRE_GROUP: BillingFileKind.CLAIM,
}
_FRAMED: Mapping[int, BillingFileKind] = {LOT_GROUP: BillingFileKind.LOT, FILE_GROUP: BillingFileKind.FILE}
_READ: Mapping[BillingFileKind, Callable[[bytes], Invoice | SecuredInvoice | Dre | Lot | Arl | Rsp]] = {
    BillingFileKind.CONTENT: parse,
    BillingFileKind.SHEET: decode_secured,
    BillingFileKind.CLAIM: decode_dre,
    BillingFileKind.LOT: decode_lot,
    BillingFileKind.RETURN: decode_return,
}
