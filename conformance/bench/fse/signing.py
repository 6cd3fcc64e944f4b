"""Sheets and lots signed by the cards in the reader, whatever the target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from conformance.bench.base import Bench
from conformance.bench.fse.laboratory import Laboratory
from conformance.bench.workstation import SOFTWARE, Workstation
from simulator.fse.model import Invoice, SecuredInvoice, Signature, Signer
from simulator.fse.securing import Batch, SecuringDesk, lacking

Settled = Callable[[int, SecuredInvoice], None]
"""Hears of a sheet that has every signature its mode wants, with its number."""


class Signing:
    """The signing side of one workstation. ``random`` gives the challenges."""

    def __init__(
        self,
        bench: Bench,
        workstation: Workstation,
        laboratory: Laboratory,
        random: Callable[[int], bytes],
        settled: Settled,
    ) -> None:
        self._bench = bench
        self._workstation = workstation
        self._laboratory = laboratory
        self._random = random
        self._settled = settled
        self.secured: dict[int, SecuredInvoice] = {}
        """Every sheet as far as it is signed, by its number."""

    def sign(self, invoice: Invoice, code: str, *, whose: Signer | None = None, paper: bool = False) -> SecuredInvoice:
        """Every signature that the mode of a sheet wants, or that of one signer. Raises SsvError."""
        begun = self.secured.get(invoice.number)
        if begun is not None:
            done = self._desk().complete(begun, code, invoice)
        elif whose is not None:
            done = self._desk().begin(invoice, code, whose)
        else:
            done = self._desk().secure(invoice, code, paper=paper)
        self._keep(invoice.number, done)
        return done

    def sign_all(self, made: Mapping[int, Invoice], code: str, blocked_after: int | None = None) -> Batch:
        """Every sheet that no card has signed, the code presented once; what was done before a refusal is kept.

        After ``blocked_after`` sheets somebody spends the last tries of the professional's code.
        """
        waiting = [sheet for number, sheet in made.items() if number not in self.secured]
        batch = self._desk().secure_all(self._blocking(waiting, blocked_after), code)
        for sheet, done in zip(waiting, batch.done, strict=False):
            self._keep(sheet.number, done)
        return batch

    def sign_lot(self, content: bytes, code: str, situation: int | None) -> Signature:
        """The professional's signature of a lot. Raises SsvError."""
        return self._desk().sign_lot(content, code, situation)

    def _desk(self) -> SecuringDesk:
        ps, reader = self._workstation.resource_names()
        return SecuringDesk(
            self._workstation.resources(SOFTWARE),
            self._bench.clock,
            ps,
            reader,
            self._laboratory.anchors.insured,
            self._random,
        )

    def _keep(self, number: int, secured: SecuredInvoice) -> None:
        self.secured[number] = secured
        if not lacking(secured):
            self._settled(number, secured)

    def _blocking(self, sheets: Sequence[Invoice], after: int | None) -> Iterator[Invoice]:
        for rank, sheet in enumerate(sheets):
            if rank == after:
                self._block()
            yield sheet

    def _block(self) -> None:
        """Present a wrong code to the professional's card, under the reader, until no try is left."""
        seated = next(card for card in self._bench.seated.values() if card.personalised is not None)
        rule = seated.layout.secrets["pin"]
        wrong = bytes([0x00, 0x20, 0x00, rule.reference, rule.min]) + b"0" * rule.min
        while (seated.state() or {})["pin-tries"]:
            seated.card.transmit(wrong)
