"""The front end and the computer centre of a body: files come in, ARL go out, later RSP.

Everything is remembered in a ``Ledger`` within one transaction a file, so that a front end that is started again goes
on where it was. What is drawn (late ARL, payments in part) comes from ``chance``, and time from the clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import groupby
from random import Random
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bifente.ground.clock import Clock
from bifente.ground.text import Text
from bifente.simulator.formats.fse.envelope import OtherRecipientError, is_sealed
from bifente.simulator.formats.fse.lots import RawLot
from bifente.simulator.formats.fse.model import Arl, ArlKind, Dre, Invoice, Lot, LotKind, PaymentOutcome, Rejection, Rsp
from bifente.simulator.formats.fse.return_signing import sign_return
from bifente.simulator.formats.fse.returns import decode_return, encode_return
from bifente.simulator.formats.fse.securing.verifying import Anchors, Verifier
from bifente.simulator.services.frontal.faults import Trouble
from bifente.simulator.services.frontal.ledger import ItemState, Ledger, Part
from bifente.simulator.services.frontal.opening import OpenedFile, open_data
from bifente.simulator.services.frontal.parameters import FrontalParameters
from bifente.simulator.services.frontal.reasons import rejection, shortened
from bifente.simulator.services.frontal.reception import Examined, Reception
from bifente.simulator.services.frontal.settlement import (
    claim_line,
    claim_unlike_sheet,
    claim_without_sheet,
    pays_the_professional,
    sheet_lines,
    unproven,
    waits_for_paper,
)
from bifente.simulator.services.frontal.standing import unlike_sheet
from bifente.simulator.serving.mail import TransportError, TransportFailure
from bifente.simulator.serving.service import Asgi, Declare, Service, to_nobody
from bifente.simulator.tarification.deadlines import civil_day

_UNKNOWN = "INCONNU"
"""The body that a return comes from when not even that could be read."""


class Frontal(Service):
    """A front end as a service. ``key`` and ``certificate`` open envelopes; ``ledger`` defaults to one in memory.
    With a ``signing_key`` it signs its returns.

    ``submit`` a file, then ask from time to time for what is ``due`` (late ARL) and to ``settle`` (RSP).
    """

    name = "frontal"
    title = Text("Frontal d'organisme", "Front end of a body")
    offered = frozenset(Trouble)

    def __init__(
        self,
        clock: Clock,
        anchors: Anchors,
        key: RSAPrivateKey | None = None,
        certificate: x509.Certificate | None = None,
        parameters: FrontalParameters | None = None,
        chance: Random | None = None,
        *,
        revocations: Iterable[x509.CertificateRevocationList] = (),
        ledger: Ledger | None = None,
        signing_key: RSAPrivateKey | None = None,
        declare: Declare = to_nobody,
    ) -> None:
        super().__init__(declare)
        self._clock = clock
        self._anchors = anchors
        self._key = key
        self._certificate = certificate
        self._signing_key = signing_key
        self._parameters = parameters or FrontalParameters()
        self._chance = chance or Random(0)  # noqa: S311 - it draws faults, nothing secret
        self._ledger = ledger or Ledger()
        self._verifier = Verifier(anchors, revocations, at_reception=True)

    @property
    def application(self) -> Asgi:
        """Return what a transport hands files to."""
        return self.receive

    def state(self) -> Mapping[str, Any]:
        """Return ``bodies`` (none: any), ``test``, ``encrypted-only``, and ``returns``: how many it gave so far."""
        told = self._parameters
        return {
            "bodies": sorted(told.bodies),
            "test": told.test,
            "encrypted-only": told.encrypted_only,
            "returns": len(self._ledger.returns()),
        }

    def renew(self, revocations: Iterable[x509.CertificateRevocationList]) -> None:
        """Take these revocation lists instead of those before. Raises ValueError for one of an unknown authority."""
        self._verifier = Verifier(self._anchors, revocations, at_reception=True)

    # -- files and ARL ------------------------------------------------------------------------------------------------

    def submit(self, data: bytes, name: str) -> list[Arl]:
        """Receive a file. The ARLs told at once, one a lot; late ones come with ``due``, missing ones never.

        The same bytes under the same name are not counted again: the same ARLs answer them. Other bytes under a name
        of which something was accepted are refused. Raises TransportError (server down, mailbox full): then nothing was
        received.
        """
        self._check_reachable()
        digest = hashlib.sha256(data).digest()
        with self._ledger.at_once():
            known = self._ledger.answers(name, digest)
            arls = [_arl(answer) for answer in known] or self._received(data, name, digest)
            return [arl for arl in arls if self._goes_now(arl)]

    def receive(self, data: bytes, name: str) -> list[bytes]:
        """As ``submit``, the ARLs in the bytes that travel: what a transport hands files to."""
        return [self.encode(arl) for arl in self.submit(data, name)]

    def encode(self, answer: Arl | Rsp) -> bytes:
        """Return a return as it travels: signed by the body, if that was agreed."""
        data = encode_return(answer)
        return data if self._signing_key is None else sign_return(data, self._signing_key)

    def change_key(self, key: RSAPrivateKey, certificate: x509.Certificate) -> None:
        """Open files with another key from now on: those for the one before are refused (4015 in the field)."""
        self._key, self._certificate = key, certificate

    def due(self, until: datetime | None = None) -> list[Arl]:
        """The late ARLs whose time has come by ``until`` (default: now), once each."""
        with self._ledger.at_once():
            return [_arl(data) for data in self._ledger.take_late(until or self._clock.now())]

    def _check_reachable(self) -> None:
        if Trouble.DOWN in self.troubles:
            raise TransportError(TransportFailure.SERVER_DOWN, "the front end is down", 421)
        if Trouble.MAILBOX_FULL in self.troubles:
            raise TransportError(TransportFailure.MAILBOX_FULL, "the mailbox of the body is full", 452)

    def _received(self, data: bytes, name: str, digest: bytes) -> list[Arl]:
        opened = open_data(data, name, self._key, self._certificate)
        why = self._refused(opened, data, name)
        if why is not None:
            arls = [self._arl(head, name, digest, (why,)) for head in opened.heads]
        else:
            arls = self._judged(opened.lots, name, digest)
        self._ledger.add_file(name, digest, any(arl.kind is ArlKind.POSITIVE for arl in arls))
        for arl in arls:
            self._ledger.add_return(arl.return_id, arl.sender, encode_return(arl), name, digest)
        return arls

    def _refused(self, opened: OpenedFile, data: bytes, name: str) -> Rejection | None:
        """Why a file is refused as a whole."""
        if isinstance(opened.error, OtherRecipientError):
            return rejection("file-other-key", place=name)
        if opened.error is not None:
            return rejection("file-unreadable", opened.item, f"{opened.error.place}: {opened.error.reason}")
        if self._ledger.knows_name(name):
            return rejection("file-name-reused", place=name)
        if self._parameters.encrypted_only and not is_sealed(data):
            return rejection("file-not-encrypted", place=name)
        return None

    def _judged(self, lots: Sequence[RawLot], name: str, digest: bytes) -> list[Arl]:
        """Each lot by itself; but beside one that is not what was signed none is taken. The file changed on its way:
        the good one comes under the same name, and must not find half of it taken already.
        """
        now = self._clock.now()
        reception = Reception(self._verifier, self._ledger, self._parameters)
        as_signed = [len(lots) == 1 or reception.is_as_signed(raw, now) for raw in lots]
        arls = []
        for raw, good in zip(lots, as_signed, strict=True):
            if good and not all(as_signed):
                why = rejection("file-unreadable", place=f"lot {raw.head.number}, beside one that was altered")
                arls.append(self._arl(raw.head, name, digest, (why,)))
            else:
                arls.append(self._examined(reception, raw, name, digest))
        return arls

    def _examined(self, reception: Reception, raw: RawLot, name: str, digest: bytes) -> Arl:
        now = self._clock.now()
        found = reception.examine(raw, now)
        accepted = not found.rejections
        head = raw.head
        if found.authentic:
            self._ledger.add_lot(
                head.sender, head.kind, head.number, civil_day(now), accepted=accepted, furthest=found.furthest
            )
        if accepted:
            self._take(found, now)
        return self._arl(head, name, digest, tuple(found.rejections))

    def _take(self, found: Examined, now: datetime) -> None:
        """Remember what was accepted, and what will be said of it."""
        head = found.raw.head
        self._ledger.add_signers(head.sender, {sheet.professional.rpps for sheet in found.sheets})
        for sheet in found.sheets:
            self._ledger.set_item(head.sender, LotKind.FSE, sheet.number, ItemState.ACCEPTED)
            # Whom two sheets are for is known by the file alone.
            known = self._parameters.reference is not None
            twice = known and self._ledger.billed_before(head.sender, sheet) is not None
            self._owe_sheet(head, sheet, now, twice=twice, paper=sheet.number in found.papers)
            self._ledger.bill(head.sender, sheet)
            if sheet.rectifies is not None and not twice:
                self._ledger.correct(head.sender, sheet.rectifies, sheet.number)
            for claim in self._ledger.claims(head.sender, sheet.number):
                if self._ledger.disown(head.sender, claim.number):
                    self._owe_claim(head.sender, claim, now)
        for claim in found.claims:
            self._ledger.set_item(head.sender, LotKind.DRE, claim.number, ItemState.ACCEPTED)
            if claim.cancels is not None:
                self._ledger.withdraw(head.sender, claim.cancels)
            else:
                self._ledger.add_claim(head.sender, claim)
                self._owe_claim(head.sender, claim, now)
        self._ledger.remark(now, head.sender, found.remarks)

    def _owe_sheet(self, head: Lot, sheet: Invoice, now: datetime, *, twice: bool, paper: bool) -> None:
        """What will be said of a sheet; of one that is paid on its paper, not before that has arrived."""
        lines = sheet_lines(sheet, self._parameters, self._chance, paid_before=twice, paper=paper)
        refused = any(line.outcome is PaymentOutcome.REJECTED for line in lines)
        came = self._ledger.paper_came(head.sender, sheet.number)
        waits = waits_for_paper(sheet, paper=paper) and not came and not refused
        due = now + (self._parameters.paper_wait if waits else self._parameters.rsp_delay)
        told = lines or ((unproven(sheet),) if waits else ())
        self._ledger.owe(Part(due, head.sender, head.body, LotKind.FSE, sheet.number, line, waits) for line in told)

    def paper_arrived(self, sender: str, number: int) -> None:
        """The form signed on paper of a sheet of a sender has come: it is held against nothing, only awaited."""
        with self._ledger.at_once():
            self._ledger.add_paper(sender, number, self._clock.now() + self._parameters.rsp_delay)

    def _owe_claim(self, sender: str, claim: Dre, now: datetime) -> None:
        """What will be said of a claim; as long as nobody sent its sheet, that it is rejected one day for want of it.

        A front end that stands for certain bodies alone gets no sheets for the others: it looks for none.
        """
        known = self._parameters.bodies or self._ledger.item(sender, LotKind.FSE, claim.invoice) is not None
        share = self._ledger.share(sender, claim.invoice)
        if share is not None and unlike_sheet(claim, share):
            line, wait = claim_unlike_sheet(claim), self._parameters.rsp_delay
        elif known:
            line, wait = claim_line(claim, self._parameters, self._chance), self._parameters.rsp_delay
        else:
            line, wait = claim_without_sheet(claim), self._parameters.claim_wait
        if pays_the_professional(claim) or line.outcome is PaymentOutcome.REJECTED:
            self._ledger.owe([Part(now + wait, sender, claim.amc.id, LotKind.DRE, claim.number, line)])

    def _arl(self, head: Lot, name: str, digest: bytes, rejections: tuple[Rejection, ...]) -> Arl:
        return Arl(
            kind=ArlKind.NEGATIVE if rejections else ArlKind.POSITIVE,
            file=shortened(name),
            received=digest.hex(),
            sender=head.sender,
            body=head.body,
            lot_kind=head.kind,
            lot=head.number,
            return_id=self._return_id(head.body),
            lot_on=head.on,
            on=civil_day(self._clock.now()),
            rejections=rejections,
        )

    def _goes_now(self, arl: Arl) -> bool:
        drawn = self._chance.random()
        if Trouble.ARL_MISSING in self.troubles or drawn < self._parameters.arl_lost:
            return False
        if Trouble.ARL_LATE in self.troubles or drawn < self._parameters.arl_lost + self._parameters.arl_late:
            self._ledger.put_off(arl.return_id, self._clock.now() + self._parameters.arl_delay)
            return False
        return True

    # -- RSP ----------------------------------------------------------------------------------------------------------

    def settle(self, until: datetime | None = None) -> list[Rsp]:
        """The RSPs whose time has come by ``until`` (default: now), once each: one a day, a sender and a body."""
        with self._ledger.at_once():
            parts = self._ledger.take_due(until or self._clock.now())
            groups = groupby(parts, key=lambda part: (civil_day(part.due), part.sender, part.body))
            return [self._rsp(on, sender, body, tuple(some)) for (on, sender, body), some in groups]

    def _rsp(self, on: date, sender: str, body: str, parts: tuple[Part, ...]) -> Rsp:
        lines = tuple(part.line for part in parts)
        rsp = Rsp(
            sender=sender,
            body=body,
            return_id=self._return_id(body),
            on=on,
            transfer=f"VIREMENT {body} {self._ledger.count(f'transfer {body}'):06}",
            lines=lines,
            total=sum(line.transferred for line in lines),
        )
        self._ledger.add_return(rsp.return_id, sender, encode_return(rsp))
        for (kind, number), some in groupby(parts, key=lambda part: (part.kind, part.number)):
            outcomes = {part.line.outcome for part in some}
            if PaymentOutcome.REVERSED in outcomes:
                self._ledger.set_item(sender, kind, number, ItemState.REJECTED)
            elif self._ledger.item(sender, kind, number) is ItemState.ACCEPTED:
                state = ItemState.REJECTED if outcomes == {PaymentOutcome.REJECTED} else ItemState.SETTLED
                self._ledger.set_item(sender, kind, number, state)
        return rsp

    def take_back(self, sender: str, number: int) -> int:
        """Take back what was paid of a sheet, told with the next RSP; gives how many cents."""
        now = self._clock.now()
        with self._ledger.at_once():
            paid = self._ledger.standing(sender, number)
            why = rejection("taken-back", number)
            self._ledger.owe(
                replace(part, due=now, line=replace(part.line, outcome=PaymentOutcome.REVERSED, rejection=why))
                for part in paid
            )
        return sum(part.line.paid for part in paid)

    def _return_id(self, body: str) -> str:
        return f"{body or _UNKNOWN}-{self._ledger.count(f'return {body}'):09}"

    # -- what it knows ------------------------------------------------------------------------------------------------

    def returns(self, sender: str | None = None) -> list[Arl | Rsp]:
        """Everything it ever answered, to one sender or to all: what a practice asks for again."""
        return [decode_return(data) for data in self._ledger.returns(sender)]

    def remarks(self, sender: str) -> tuple[Rejection, ...]:
        """What it noted of a sender's sheets without refusing them: those sent after their deadline."""
        return self._ledger.remarks(sender)


def _arl(data: bytes) -> Arl:
    answer = decode_return(data)
    assert isinstance(answer, Arl)  # noqa: S101 - only ARLs answer a file
    return answer
