"""The practice's software, from the sheet to its payment: what a billing package does beside the cards.

All is in the store and nothing in memory, so that a program that starts again goes on where the last one was stopped.
What goes out is an outbox: a file is kept with its name and its bytes before it is handed over, and is handed over
again as it is until that is known to have happened. A front end takes a name and its bytes once: nothing counts twice.
What comes back stays in the mailbox until it is kept here, and is kept once if it is found there again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from cryptography import x509

from bifente.simulator.formats.fse.canonical import canonical, parse
from bifente.simulator.formats.fse.dre import cancellation, claim, decode_dre, encode_dre
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.files import make_file, profile_named
from bifente.simulator.formats.fse.lots import decode_lot, encode_lot, invoice_number, make_dre_lots, make_lots
from bifente.simulator.formats.fse.model import (
    Arl,
    Dre,
    Invoice,
    Lot,
    LotKind,
    Payment,
    Rsp,
    SecuredInvoice,
    SecuringMode,
)
from bifente.simulator.formats.fse.model import TransportFile as File
from bifente.simulator.formats.fse.numbers import ROUNDS, Sequence, form
from bifente.simulator.formats.fse.return_signing import check_signed
from bifente.simulator.formats.fse.returns import decode_return
from bifente.simulator.formats.fse.securing.codec import decode_secured, encode_secured
from bifente.simulator.serving.mail import Transport, TransportError
from bifente.simulator.software.billing.store import FileRow, Store, Task, work_list
from bifente.simulator.software.billing.store.worklist import last_kept
from bifente.simulator.tarification.deadlines import Deadlines

_LOT_NUMBERS = {LotKind.FSE: Sequence.LOT_FSE, LotKind.DRE: Sequence.LOT_DRE}


@dataclass(frozen=True, slots=True)
class Sending:
    """What came of handing files over: ``failed`` stay in the outbox, and with them those for the same body."""

    sent: tuple[str, ...]
    failed: tuple[tuple[str, TransportError], ...] = ()


class Practice:
    """One sender's software.

    ``sign_lot`` gives a lot back signed by the CPS (a series, or the session of a card); what it raises is passed on,
    and the lots that are not signed wait. ``recipient`` gives the certificate of a body, None to send in clear, under
    ``profile`` (see ``files.yaml``).
    """

    def __init__(
        self,
        store: Store,
        transport: Transport,
        *,
        sign_lot: Callable[[Lot], Lot],
        recipient: Callable[[str], x509.Certificate | None] = lambda body: None,
        profile: str | None = None,
        deadlines: Deadlines | None = None,
        returns_certificate: x509.Certificate | None = None,
    ) -> None:
        self.store = store
        self.deadlines = deadlines or Deadlines()
        self._transport = transport
        self._sign_lot = sign_lot
        self._recipient = recipient
        self._profile = profile
        self._returns_certificate = returns_certificate

    # -- sheets and claims --------------------------------------------------------------------------------------------

    def next_number(self) -> int:
        """The number of the next sheet: nobody will get it again, even if no sheet comes of it."""
        return self.store.next_number(Sequence.SHEET)

    def add(self, invoice: Invoice, *, document: bool = False) -> None:
        """Keep a sheet, to be secured; or, under the number of a rejected one, what replaces it (recycled).

        ``document``: a paper goes along; in degraded mode one always does (SV-FSE-03). Raises FseError.
        """
        sender = invoice.professional.billing_id
        if sender != self.store.sender:
            raise FseError(f"sheet {invoice.number}", f"it is of {sender}", f"this is the store of {self.store.sender}")
        self.store.add_sheet(
            invoice.number,
            canonical(invoice),
            invoice.on,
            invoice.body,
            third_party=invoice.payment is Payment.TIERS_PAYANT,
            amo=invoice.amo.asked,
            amc=invoice.amc.asked,
            proof=document or invoice.mode is SecuringMode.DEGRADED,
        )

    def invoice(self, number: int) -> Invoice:
        """A sheet as it was made. Raises FseError if there is none, or it was purged."""
        content = self.store.sheet(number).content
        if content is None:
            raise FseError(f"sheet {number}", "it was purged", "only its history is left")
        return parse(content)

    def secured(self, number: int, secured: SecuredInvoice) -> None:
        """The sheet came back from the cards. Raises FseError if what was signed is not what was added (SV-FSE-02)."""
        with self.store.transaction():
            if self.store.sheet(number).content != secured.content:
                raise FseError(f"sheet {number}", "what was signed is not this sheet", "sign what was added")
            self.store.secure_sheet(number, encode_secured(secured), paper=secured.paper)

    def claim(self, number: int) -> Dre:
        """A claim (DRE) beside a sheet, for what the sheet asks of the AMC. Raises FseError where none may go."""
        if self._profile is not None and LotKind.DRE not in profile_named(self._profile).kinds:
            # Refused here: a lot of claims that fits in no file would keep the sheets from leaving too.
            raise FseError(f"sheet {number}", f"profile {self._profile} carries no claims", "send under profile 1.40")
        invoice = self.invoice(number)
        return self._keep_claim(lambda own: claim(invoice, own))

    def cancel_claim(self, number: int) -> Dre:
        """The claim that cancels one which was sent. Raises FseError."""
        data = self.store.claim(number).data
        if data is None:
            raise FseError(f"claim {number}", "it was purged", "it is too late to cancel it")
        cancelled = decode_dre(data)
        return self._keep_claim(lambda own: cancellation(cancelled, own, self.store.today()))

    def _keep_claim(self, made: Callable[[int], Dre]) -> Dre:
        with self.store.transaction():
            dre = made(self.store.next_number(Sequence.CLAIM))
            self.store.add_claim(dre.number, dre.invoice, dre.amc.id, dre.asked, encode_dre(dre), dre.on, dre.cancels)
            return dre

    # -- what goes out ------------------------------------------------------------------------------------------------

    def make_lots(self) -> None:
        """Put what is ready into lots, numbered as they are kept; sign them; put them into files, one a body and kind.

        Each step is kept before the next one, and taken up where it was left. Raises what ``sign_lot`` raises.
        """
        self._group()
        for lot in self.store.lots_without_file():
            if not lot.signed:
                self.store.sign_lot(lot.id, encode_lot(self._sign_lot(decode_lot(lot.data))))
        self._fill()

    def send(self) -> Sending:
        """Hand over what is ready, and what a failure or a crash left in the outbox, in the order of its making."""
        self.make_lots()
        return self._hand_over(self.store.files("ready"))

    def resend(self, name: str) -> Sending:
        """Hand a file over again, as it is: no ARL came, or the body could not read what it got. Raises FseError."""
        file = self.store.file(name)
        if file.state != "sent":
            raise FseError(f"file {name}", f"it is {file.state}", "only a file that waits for its ARL is sent again")
        return self._hand_over((file,))

    def _group(self) -> None:
        with self.store.transaction():
            today = self.store.today()
            sheets = [decode_secured(row.secured) for row in self.store.sheets_to_send() if row.secured]
            claims = [decode_dre(row.data) for row in self.store.claims_to_send() if row.data]
            ranks: list[int] = []
            lots = list(make_lots(sheets, on=today, numbers=self._numbers(LotKind.FSE, ranks)))
            numbers = self._numbers(LotKind.DRE, ranks)
            lots += make_dre_lots(claims, sender=self.store.sender, on=today, numbers=numbers)
            for lot, rank in zip(lots, ranks, strict=True):
                members = [invoice_number(sheet) for sheet in lot.invoices] or [dre.number for dre in lot.dres]
                self.store.add_lot(lot.kind, rank, lot.number, lot.body, encode_lot(lot), members)

    def _numbers(self, kind: LotKind, ranks: list[int]) -> Iterator[str]:
        while True:
            rank = self.store.reserve(_LOT_NUMBERS[kind])
            ranks.append(rank)
            yield form(_LOT_NUMBERS[kind], rank)

    def _fill(self) -> None:
        # Sheets leave before claims: a claim is believed and paid for the sheet that came before it.
        signed = sorted(
            (lot for lot in self.store.lots_without_file() if lot.signed),
            key=lambda lot: (lot.kind is not LotKind.FSE, lot.body, lot.id),
        )
        for (_, body), group in groupby(signed, key=lambda lot: (lot.kind, lot.body)):
            lots = list(group)
            with self.store.transaction():
                rank = self.store.reserve(Sequence.FILE)
                file = make_file(
                    [decode_lot(lot.data) for lot in lots],
                    self._recipient(body),
                    number=rank % ROUNDS[Sequence.FILE],
                    on=self.store.today(),
                    profile=self._profile,
                )
                self.store.add_file(rank, file, [lot.id for lot in lots])

    def _hand_over(self, files: Iterable[FileRow]) -> Sending:
        sent: list[str] = []
        failed: list[tuple[str, TransportError]] = []
        stopped: set[str] = set()
        for file in files:
            if file.body in stopped:
                continue  # behind one that did not go: it would come ahead of its turn
            try:
                self._transport.send(File(int(file.number), self.store.sender, file.body, file.name, file.data))
            except TransportError as error:
                failed.append((file.name, error))
                stopped.add(file.body)
                continue
            self.store.file_sent(file.name)
            sent.append(file.name)
        return Sending(tuple(sent), tuple(failed))

    # -- what comes back ----------------------------------------------------------------------------------------------

    def receive(self) -> tuple[Arl | Rsp, ...]:
        """Take what has come back and apply it, with what a crash left unapplied. Gives what was new and could be."""
        came = self._transport.receive()
        with self.store.transaction():
            for data in came:
                self.store.keep_return(data)
        self._transport.delete(len(came))
        return self._apply()

    def received(self, data: bytes) -> tuple[Arl | Rsp, ...]:
        """Apply one return, from wherever it came."""
        self.store.keep_return(data)
        return self._apply()

    def _apply(self) -> tuple[Arl | Rsp, ...]:
        applied: list[Arl | Rsp] = []
        for row in self.store.returns("new"):
            try:
                if self._returns_certificate is not None:
                    check_signed(row.data, self._returns_certificate)
                answer = decode_return(row.data)
                if isinstance(answer, Arl):
                    self.store.apply_arl(row.id, answer)
                else:
                    self.store.apply_rsp(row.id, answer)
            except FseError as error:
                self.store.refuse_return(row.id, str(error))
            else:
                applied.append(answer)
        return tuple(applied)

    # -- the desk -----------------------------------------------------------------------------------------------------

    def work_list(self, today: date | None = None) -> tuple[Task, ...]:
        """What there is to do, the most urgent first."""
        return work_list(self.store, self.deadlines, today)

    def purge(self, today: date | None = None) -> int:
        """Forget the doubles that were kept long enough; gives how many sheets."""
        return self.store.purge(last_kept(self.deadlines, today or self.store.today()))
