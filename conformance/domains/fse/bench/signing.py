"""Sheets and lots signed by the cards in the reader, whatever the target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bifente.conformance.bench.base import Bench
from bifente.conformance.domains.fse.bench.laboratory import Laboratory
from bifente.conformance.domains.vitale.workstation import SOFTWARE, Workstation
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import Invoice, Lot, SecuredInvoice, Signer
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.software.billing.securing.desk import Batch, SecuringDesk, lacking
from bifente.simulator.software.billing.series import DeskLotSession, LotSeries


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A return code that the function gives for the ``lot``th lot that it is handed, counted from 1, and only once."""

    lot: int
    code: int


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
        self._series: LotSeries | None = None
        self.presented = 0
        """How often a holder code was given to the card for a series of lots."""
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

    @contextmanager
    def lot_series(
        self, code: str | None, breakdown: Breakdown | None = None, *, any_card: bool = False
    ) -> Iterator[Callable[[Lot], Lot]]:
        """Sign lots as one series, the code presented for the first. A series that F101 stopped is taken up again.

        ``any_card``: as a software that does not look whose card it is. What it gives raises SsvError: FF21 without a
        code and without such a series.
        """
        awaited, self._series = self._series, None
        if awaited is not None and breakdown is not None:
            raise FseError("lots", "the series under way fails no more", "let another one fail")
        series = awaited or LotSeries(lambda given: self._session(given, breakdown, any_card), self._bench.clock)
        try:
            yield lambda lot: series.format(lot, code)
        except SsvError as error:
            if error.code == SsvCode.UNKNOWN_RESOURCE and series.started:
                self._series = series
            raise
        finally:
            series.pause()

    def _session(self, code: str, breakdown: Breakdown | None, any_card: bool) -> DeskLotSession:
        self.presented += 1
        desk = self._desk()
        if any_card:
            return _CarelessSession(desk, code)
        return DeskLotSession(desk, code) if breakdown is None else _BreakingSession(desk, code, breakdown)

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


class _BreakingSession(DeskLotSession):
    """One whose function gives a return code for which no cause is published (F0FF, F100): the card is not asked."""

    def __init__(self, desk: SecuringDesk, code: str, breakdown: Breakdown) -> None:
        super().__init__(desk, code)
        self._breakdown = breakdown
        self._lots = 0

    def check_lot(self, lot: Lot) -> None:
        """As any session, but for the lot that is to fail."""
        self._lots += 1
        if self._lots == self._breakdown.lot:
            raise SsvError(self._breakdown.code, "the scenario has it so")
        super().check_lot(lot)


class _CarelessSession(DeskLotSession):
    """One that signs whatever lot it is given: the front end has to notice."""

    def check_lot(self, lot: Lot) -> None:
        """Nothing is checked."""
