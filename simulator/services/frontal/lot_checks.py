"""What a lot must be by itself, whoever looks at it: its sheets are its sender's and its body's, and it is signed by a
professional who may sign it, at a moment that fits.

The moment is told by the workstation and signed by nobody. It lies between what the lot carries and now: who could tell
an earlier one would sign with a card that was revoked since.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bifente.simulator.formats.fse.canonical import parse
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.frames import day_of
from bifente.simulator.formats.fse.lots import signed_content
from bifente.simulator.formats.fse.model import CardSignature, Invoice, Lot, LotKind, Rejection, SecuredInvoice
from bifente.simulator.formats.fse.securing.verifying import Verifier, signing_professional
from bifente.simulator.services.frontal.reasons import rejection

_ALTERED = "content-altered"
_DAY_BEFORE = timedelta(days=1)
"""The day of a lot is that of its place, a moment is in UTC: they may be a day apart."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A sheet of a lot, and the moment of its professional's signature: empty where its mode wants none."""

    sheet: Invoice
    moment: str

    @classmethod
    def of(cls, sheet: Invoice, secured: SecuredInvoice) -> Carried:
        """A sheet that was read, and its signatures."""
        return cls(sheet, "" if secured.professional is None else secured.professional.moment)


@dataclass(frozen=True, slots=True)
class Signed:
    """What the signature of a lot is worth. ``authentic``: it holds, and is by a professional of the lot's sender."""

    rejections: tuple[Rejection, ...]
    authentic: bool = False


def lot_problems(lot: Lot, verifier: Verifier, at: datetime) -> Iterator[Rejection]:
    """What is wrong with a lot that was read, for who knows nothing of its sender: its sheets, then its signature."""
    sound, accused = [], False
    for secured in lot.invoices:
        found = verifier.verify(secured, at)
        try:
            sheet = parse(secured.content)
        except FseError:
            yield from found
            accused = True
            continue
        found += tuple(belonging(sheet, lot, sheet.number))
        yield from found
        accused = accused or bool(found)
        if not found:
            sound.append(Carried.of(sheet, secured))
    yield from signed(lot, signed_content(lot), verifier, at, sound, accused=accused, known=None).rejections


def belonging(sheet: Invoice, lot: Lot, number: int) -> Iterator[Rejection]:
    """Whether a sheet is of the sender and for the body of the lot that carries it under a number."""
    if sheet.professional.billing_id != lot.sender:
        yield rejection("other-sender", number, sheet.professional.billing_id)
    if sheet.body != lot.body:
        yield rejection("wrong-body", number, sheet.body)


def signed(
    lot: Lot,
    content: bytes,
    verifier: Verifier,
    at: datetime,
    sound: Sequence[Carried],
    *,
    accused: bool,
    known: Collection[str] | None,
) -> Signed:
    """The signature of a lot that is looked at ``at``; ``content`` is what it must cover.

    ``sound`` are its sheets of which nothing is wrong: a sheet that is accused says nothing of who signs the lot, but
    explains why the lot is not what was signed (``accused``). ``known`` are the RPPS numbers that signed lots of this
    sender before, by which claims are judged, that name no professional: None for who knows none, and does not judge.
    """
    place = f"lot {lot.number}"
    if lot.signature is None:
        return Signed((rejection("lot-unsigned", place=place),))
    wrong = tuple(verifier.signature_reasons(content, lot.signature, at))
    if wrong:
        told = tuple(Rejection(one.code, one.label, None, place) for one in wrong)
        return Signed(tuple(one for one in told if not (accused and one.code == _ALTERED)))
    who = signing_professional(lot.signature.certificate)
    found = [*_moment(lot, lot.signature, sound, place)]
    if who is None or not who.card_signs:
        found.append(rejection("lot-wrong-card", place=place))
    rpps = None if who is None else who.rpps
    found += _signer(lot, rpps, sound, known, place)
    ours = {one.sheet.professional.rpps for one in sound} | set(known or ())
    return Signed(tuple(found), not found and (known is None or rpps in ours))


def _moment(lot: Lot, signature: CardSignature, sound: Sequence[Carried], place: str) -> Iterator[Rejection]:
    """Its form was checked with the signature, and that it is not to come."""
    too_early = lot.on - day_of(signature.moment[:8]) > _DAY_BEFORE
    if too_early or any(signature.moment < one.moment for one in sound):
        yield rejection("lot-signed-before", place=f"{place}, {signature.moment}")


def _signer(
    lot: Lot, rpps: str | None, sound: Sequence[Carried], known: Collection[str] | None, place: str
) -> Iterator[Rejection]:
    told = f"{place}, {rpps or 'no RPPS'}"
    if lot.kind is LotKind.DRE:
        if known is not None and rpps not in known:
            yield rejection("lot-other-signer" if known else "lot-sender-unknown", place=told)
        return
    if any(one.sheet.professional.rpps != rpps for one in sound):
        yield rejection("lot-other-signer", place=told)
    if any(not one.sheet.professional.may_sign_lot for one in sound):
        yield rejection("lot-no-right", place=place)
