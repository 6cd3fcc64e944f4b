"""Files changed on purpose between the practice and the front end, as a forger with the body's certificate could."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum

from bifente.simulator.formats.fse.canonical import canonical, parse
from bifente.simulator.formats.fse.envelope import is_sealed
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.files import make_file, named, open_file
from bifente.simulator.formats.fse.model import CardSignature, Lot, PayerShare, SecuredInvoice, TransportFile
from bifente.simulator.pki.body_certificates import BodyIdentity


class Change(StrEnum):
    """What is changed. ``bytes`` means one byte of the whole file, wherever it is; the rest keeps its form."""

    BYTE_OF_FILE = "byte-of-file"
    BYTE_OF_CONTENT = "byte-of-content"
    AMOUNT = "amount"
    INSURED_SIGNATURE = "insured-signature"
    PROFESSIONAL_SIGNATURE = "professional-signature"
    NO_INSURED_SIGNATURE = "no-insured-signature"
    NO_PROFESSIONAL_SIGNATURE = "no-professional-signature"
    SIGNATURES_EXCHANGED = "signatures-exchanged"
    PAPER = "paper"
    TWICE = "twice"
    NO_LOT_SIGNATURE = "no-lot-signature"
    LOT_SIGNATURE = "lot-signature"
    LOT_MOMENT = "lot-moment"
    """When the lot is said to be signed, a year before: the workstation tells it, no card signs it."""
    SIGNATURE_MOMENT = "signature-moment"
    """When the professional is said to have signed the first sheet, a year before."""
    LOT_NUMBER = "lot-number"
    SENDER = "sender"
    NAME = "name"


def one_byte(secured: SecuredInvoice, percent: int) -> SecuredInvoice:
    """The sheet with one bit of one byte of its content changed, its signatures left as they are."""
    content = bytearray(secured.content)
    content[min(len(content) - 1, len(content) * percent // 100)] ^= 1
    return replace(secured, content=bytes(content))


def changed(file: TransportFile, change: Change, percent: int, body: BodyIdentity) -> TransportFile:
    """The file with its first lot (or the first sheet of it) changed; digests and envelope made anew around it.

    Raises FseError for a change that this file has no place for.
    """
    if change is Change.BYTE_OF_FILE:
        data = bytearray(file.data)
        data[min(len(data) - 1, len(data) * percent // 100)] ^= 1
        return replace(file, data=bytes(data))
    sealed = is_sealed(file.data)
    first, *others = open_file(file, body.key, body.certificate)
    if change is Change.SENDER:
        lots = [replace(lot, sender=_OTHER) for lot in (first, *others)]
    elif change is Change.NAME:
        lots = [first, *others]
    elif change in _LOTS:
        lots = [_LOTS[change](first), *others]
    else:
        if not first.invoices:
            raise FseError(f"lot {first.number}", "it carries no sheet", "change a lot of sheets")
        sheet = (
            one_byte(first.invoices[0], percent)
            if change is Change.BYTE_OF_CONTENT
            else _SHEETS[change](first.invoices[0])
        )
        lots = [replace(first, invoices=(sheet, *first.invoices[1:])), *others]
    number = (file.number + 500) % 1000 if change is Change.NAME else file.number
    recipient = body.certificate if sealed else None
    made = make_file(lots, recipient, number=number, on=named(file.name).on)
    return made if change in (Change.NAME, Change.SENDER) else replace(made, name=file.name)


_OTHER = "991000027"
"""The billing number of another professional of the laboratory."""


def _spoilt(signature: CardSignature | None) -> CardSignature:
    if signature is None:
        raise FseError("signature", "there is none", "change what is there")
    return replace(signature, value=signature.value[:-1] + bytes((signature.value[-1] ^ 1,)))


def _earlier(signature: CardSignature | None) -> CardSignature:
    if signature is None:
        raise FseError("signature", "there is none", "change what is there")
    return replace(signature, moment=f"{int(signature.moment[:4]) - 1:04}0101{signature.moment[8:]}")


def _dearer(secured: SecuredInvoice) -> SecuredInvoice:
    invoice = parse(secured.content)
    acts = (replace(invoice.acts[0], amount=invoice.acts[0].amount + 100), *invoice.acts[1:])
    return replace(secured, content=canonical(replace(invoice, acts=acts, amo=PayerShare(invoice.amo.asked + 100))))


def _exchanged(secured: SecuredInvoice) -> SecuredInvoice:
    if secured.insured is None or secured.professional is None:
        raise FseError("signatures", "two are needed", "take a sheet with both")
    one, other = secured.insured, secured.professional
    return replace(
        secured,
        insured=replace(one, certificate=other.certificate, value=other.value),
        professional=replace(other, certificate=one.certificate, value=one.value),
    )


_SHEETS: Mapping[Change, Callable[[SecuredInvoice], SecuredInvoice]] = {
    Change.AMOUNT: _dearer,
    Change.INSURED_SIGNATURE: lambda one: replace(one, insured=_spoilt(one.insured)),
    Change.PROFESSIONAL_SIGNATURE: lambda one: replace(one, professional=_spoilt(one.professional)),
    Change.NO_INSURED_SIGNATURE: lambda one: replace(one, insured=None),
    Change.NO_PROFESSIONAL_SIGNATURE: lambda one: replace(one, professional=None),
    Change.SIGNATURES_EXCHANGED: _exchanged,
    Change.SIGNATURE_MOMENT: lambda one: replace(one, professional=_earlier(one.professional)),
    Change.PAPER: lambda one: replace(one, paper=not one.paper),
}
_LOTS: Mapping[Change, Callable[[Lot], Lot]] = {
    Change.TWICE: lambda lot: replace(lot, invoices=(*lot.invoices, lot.invoices[0])),
    Change.NO_LOT_SIGNATURE: lambda lot: replace(lot, signature=None),
    Change.LOT_SIGNATURE: lambda lot: replace(lot, signature=_spoilt(lot.signature)),
    Change.LOT_MOMENT: lambda lot: replace(lot, signature=_earlier(lot.signature)),
    Change.LOT_NUMBER: lambda lot: replace(lot, number=f"{(int(lot.number) + 1) % 1000:03}"),
}
