"""The checks on receipt of a lot (SV-FSE-05), in this order; the codes are those of ``reasons.yaml``.

1. The lot is for this body, of a possible day, in its turn: not repeated, not ahead.
2. Each sheet or claim is what was put in the lot, is well formed, and its signatures hold: whose, by a card that was
   valid when it signed, that may sign, test with test.
3. Each is of the lot's sender and body, conforms (``conformity``, ``standing``), is of a possible day, and its number
   is new, or was rejected before (recycled). Nobody answers for what is not as it was signed: it need not conform.
4. The signature of the lot holds, by the professional of its sheets, who may sign lots, at a moment that fits. A claim
   names no professional: its lot is signed by one who signed lots of sheets that were accepted from this sender. A
   sheet that is accused explains why a lot is not what was signed: then nothing more is said of that.
5. What comes after its deadline is noted; nothing is refused for it.

Everything that is wrong is told, not only the first thing. One reason is enough to refuse the whole lot (SV-FSE-11).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from bifente.simulator.formats.fse.canonical import parse
from bifente.simulator.formats.fse.dre import decode_dre
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.lots import RawItem, RawLot
from bifente.simulator.formats.fse.model import Dre, Invoice, LotKind, Payment, Rejection
from bifente.simulator.formats.fse.numbers import MAX_SHEET, ROUNDS, Sequence
from bifente.simulator.formats.fse.securing.codec import SecuredFormatError, decode_secured
from bifente.simulator.formats.fse.securing.verifying import Verifier
from bifente.simulator.services.frontal.conformity import sheet_reasons
from bifente.simulator.services.frontal.entitlement import entitlement_reasons
from bifente.simulator.services.frontal.ledger import ItemState, Ledger
from bifente.simulator.services.frontal.lot_checks import Carried, belonging, signed
from bifente.simulator.services.frontal.parameters import FrontalParameters
from bifente.simulator.services.frontal.reasons import rejection, shortened
from bifente.simulator.services.frontal.standing import claim_reasons
from bifente.simulator.tarification.deadlines import civil_day

_ROUNDS = {LotKind.FSE: ROUNDS[Sequence.LOT_FSE], LotKind.DRE: ROUNDS[Sequence.LOT_DRE]}
_MAY_COME = {None, ItemState.REJECTED}
_NOT_AS_SIGNED = frozenset(
    {"content-altered", "signature-altered", "certificate-unreadable", "certificate-unknown-issuer"}
)


@dataclass(slots=True)
class Examined:
    """A lot after its checks: what was understood of it, why it is refused, and what is noted."""

    raw: RawLot
    sheets: list[Invoice] = field(default_factory=list)
    papers: set[int] = field(default_factory=set)
    """The numbers of its sheets that say that a form signed on paper goes along."""
    claims: list[Dre] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    remarks: list[Rejection] = field(default_factory=list)
    furthest: bool = False
    """Whether no lot of this sender came so far, and this one is not ahead of its turn."""
    authentic: bool = False
    """Whether its own signature holds, by a professional of its sender: only then does its number count."""
    carried: list[Carried] = field(default_factory=list)
    """Its sheets with the moments of their signatures."""


class Reception:
    """Checks lots against what the body knows. Nothing is remembered here."""

    def __init__(self, verifier: Verifier, ledger: Ledger, parameters: FrontalParameters) -> None:
        self._verifier = verifier
        self._ledger = ledger
        self._parameters = parameters

    def examine(self, raw: RawLot, at: datetime) -> Examined:
        """Every check of a lot received ``at``."""
        found = Examined(raw)
        found.rejections += self._turn(found, civil_day(at))
        seen: set[int] = set()
        for item in raw.items:
            if not 0 < item.number <= MAX_SHEET:
                found.rejections.append(rejection("lot-form", place=f"lot {raw.head.number}, number {item.number}"))
                continue
            found.rejections += self._item(found, item, seen, at)
            seen.add(item.number)
        found.rejections += self._signature(found, at)
        return found

    def is_as_signed(self, raw: RawLot, at: datetime) -> bool:
        """Whether a lot and what it carries are those that somebody signed whom we know: a byte that changes on its way
        does not leave it so. That it is signed at all, and in time, is another question.
        """
        signature = raw.head.signature
        reasons = () if signature is None else self._verifier.signature_reasons(raw.signed, signature, at)
        return all(item.whole for item in raw.items) and not any(one.code in _NOT_AS_SIGNED for one in reasons)

    # -- 1: the lot in its turn ---------------------------------------------------------------------------------------

    def _turn(self, found: Examined, today: date) -> Iterator[Rejection]:
        head = found.raw.head
        place = f"lot {head.number}"
        if not self._is_ours(head.body):
            yield rejection("lot-wrong-body", place=f"{place}, {head.body}")
        if head.on > today:
            yield rejection("lot-in-the-future", place=f"{place}, {head.on}")
        known = self._ledger.lot(head.sender, head.kind, head.number)
        # By days of reception: that of a lot is told by the workstation, which could give an old number a new round.
        if known is not None and known[1] and today - known[0] < self._parameters.round_of_lots:
            yield rejection("lot-repeated", place=f"{place}, received on {known[0]}")
            return
        last = self._ledger.last_lot(head.sender, head.kind)
        if last is None or today - last[1] >= self._parameters.round_of_lots:
            found.furthest = True
            return
        step = _rank(head.kind, head.number) - _rank(head.kind, last[0])
        ahead = step % _ROUNDS[head.kind]
        found.furthest = 0 < ahead <= _ROUNDS[head.kind] // 2
        if found.furthest and ahead > 1 + self._parameters.missing_lots:
            found.furthest = False
            yield rejection("lot-ahead", place=f"{place}, the last one is {last[0]}")

    def _is_ours(self, body: str) -> bool:
        return not self._parameters.bodies or body in self._parameters.bodies

    # -- 2 and 3: what it carries -------------------------------------------------------------------------------------

    def _item(self, found: Examined, item: RawItem, seen: set[int], at: datetime) -> Iterator[Rejection]:
        head = found.raw.head
        place = f"lot {head.number}, {head.kind.value} {item.number}"
        if not item.whole:
            yield rejection("altered", item.number, place)
            return
        if head.kind is LotKind.FSE:
            yield from self._sheet(found, item, place, at)
        else:
            yield from self._claim(found, item, place)
        if item.number in seen:
            yield rejection("duplicate", item.number, f"{place}, twice in its lot")
        elif self._ledger.item(head.sender, head.kind, item.number) not in _MAY_COME:
            yield rejection("duplicate", item.number, place)

    def _sheet(self, found: Examined, item: RawItem, place: str, at: datetime) -> Iterator[Rejection]:
        try:
            secured = decode_secured(item.data)
        except SecuredFormatError as error:
            yield rejection("form", item.number, error.place)
            return
        try:
            sheet = parse(secured.content)
        except FseError as error:
            yield rejection("content-unreadable", item.number, error.place)
            return
        wrong = tuple(self._verifier.verify_sheet(secured, sheet, at))
        for reason in wrong:
            yield Rejection(reason.code, reason.label, item.number, shortened(reason.place))
        found.sheets.append(sheet)
        found.papers |= {sheet.number} if secured.paper else set()
        found.carried.append(Carried.of(sheet, secured))
        if sheet.number != item.number:
            yield rejection("form", item.number, f"its number is {sheet.number}")
        if {sheet.professional.test, sheet.beneficiary.test} != {self._parameters.test}:
            yield rejection("test-with-real", item.number, place)
        yield from belonging(sheet, found.raw.head, item.number)
        today = civil_day(at)
        if not any(reason.code in _NOT_AS_SIGNED for reason in wrong):
            yield from sheet_reasons(sheet, today)
            if self._parameters.reference is not None:
                yield from entitlement_reasons(sheet, self._parameters.reference)
        if sheet.on > today or any(act.on > today for act in sheet.acts):
            yield rejection("in-the-future", item.number, str(sheet.on))
        self._note_delay(found, sheet, today)

    def _claim(self, found: Examined, item: RawItem, place: str) -> Iterator[Rejection]:
        try:
            claim = decode_dre(item.data)
            if claim.number != item.number:
                raise FseError("number", f"it says that it is {claim.number}", "number it as it says")
        except FseError as error:
            yield rejection("form", item.number, error.place)
            return
        if claim.amc.id != found.raw.head.body:
            yield rejection("wrong-body", item.number, claim.amc.id)
        yield from claim_reasons(claim, found.claims, found.raw.head.sender, self._ledger)
        found.claims.append(claim)

    def _note_delay(self, found: Examined, sheet: Invoice, today: date) -> None:
        deadlines = self._parameters.deadlines
        third_party = sheet.payment is Payment.TIERS_PAYANT
        rule = deadlines.rules.send_third_party if third_party else deadlines.rules.send_direct
        last = deadlines.after(sheet.on, rule)
        if today > last:
            found.remarks.append(rejection("late", sheet.number, f"due on {last}"))

    # -- 4: the signature of the lot ----------------------------------------------------------------------------------

    def _signature(self, found: Examined, at: datetime) -> tuple[Rejection, ...]:
        head = found.raw.head
        accused = {one.invoice for one in found.rejections}
        judged = signed(
            head,
            found.raw.signed,
            self._verifier,
            at,
            [one for one in found.carried if one.sheet.number not in accused],
            accused=bool(accused - {None}),
            known=self._signers(head.sender),
        )
        found.authentic = judged.authentic
        return judged.rejections

    def _signers(self, sender: str) -> frozenset[str] | None:
        """Who signs for a sender. A front end that stands for certain bodies alone may never get a sheet: where it did
        not, it does not judge whose claims are.
        """
        known = self._ledger.signers(sender)
        return known if known or not self._parameters.bodies else None


def _rank(kind: LotKind, number: str) -> int:
    """How far a lot number is in its round: FSE lots count up, DRE lots down."""
    return int(number) if kind is LotKind.FSE else _ROUNDS[kind] - 1 - int(number, 36)
