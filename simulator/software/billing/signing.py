"""Sheets and lots of one software signed by the cards of its workstation; what is signed is kept by its number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from cryptography import x509

from bifente.ground.clock import Clock
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import Invoice, Lot, SecuredInvoice, Signer
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.software.billing.securing.desk import Batch, SecuringDesk, lacking
from bifente.simulator.software.billing.series import DeskLotSession, LotSeries, LotSession
from bifente.simulator.software.billing.station import CardStation

Settled = Callable[[int, SecuredInvoice], None]
"""Hears of a sheet that has every signature its mode wants, with its number."""
BeforeEach = Callable[[int], None]
"""Hears of each sheet of a batch before its turn, by its rank from 0."""
OpensSession = Callable[[SecuringDesk, str], LotSession]
"""Makes the session of a series from the desk and the holder code."""


class Signing:
    """The signing side of one software. ``authorities`` are those that Vitale cards must come from, ``random`` gives
    the challenges that they must sign.
    """

    def __init__(
        self,
        station: CardStation,
        clock: Clock,
        authorities: Callable[[], tuple[x509.Certificate, ...]],
        random: Callable[[int], bytes],
        settled: Settled,
    ) -> None:
        self._station = station
        self._clock = clock
        self._authorities = authorities
        self._random = random
        self._settled = settled
        self._series: LotSeries | None = None
        self.presented = 0
        """How often a holder code was given to the card for a series of lots."""
        self.secured: dict[int, SecuredInvoice] = {}
        """Every sheet as far as it is signed, by its number."""

    @property
    def desk(self) -> SecuringDesk:
        """The cards as they are reached now."""
        ps, reader = self._station.names
        return SecuringDesk(self._station.resources, self._clock, ps, reader, self._authorities(), self._random)

    def sign(self, invoice: Invoice, code: str, *, whose: Signer | None = None, paper: bool = False) -> SecuredInvoice:
        """Give every signature that the mode of a sheet wants, or that of one signer. Raises SsvError."""
        begun = self.secured.get(invoice.number)
        if begun is not None:
            done = self.desk.complete(begun, code, invoice)
        elif whose is not None:
            done = self.desk.begin(invoice, code, whose)
        else:
            done = self.desk.secure(invoice, code, paper=paper)
        self._keep(invoice.number, done)
        return done

    def sign_all(self, made: Mapping[int, Invoice], code: str, before: BeforeEach | None = None) -> Batch:
        """Sign every sheet that no card has signed, the code presented once; what was done before a refusal is kept."""
        waiting = [sheet for number, sheet in made.items() if number not in self.secured]
        batch = self.desk.secure_all(_in_turn(waiting, before), code)
        for sheet, done in zip(waiting, batch.done, strict=False):
            self._keep(sheet.number, done)
        return batch

    @contextmanager
    def lot_series(self, code: str | None, opens: OpensSession | None = None) -> Iterator[Callable[[Lot], Lot]]:
        """Sign lots as one series, the code presented for the first. A series that F101 stopped is taken up again.

        ``opens``: another session than the usual one. What is given raises SsvError: FF21 without a code and without
        such a series. Raises FseError for another session where a series is taken up: it has its own.
        """
        awaited, self._series = self._series, None
        if awaited is not None and opens is not None:
            raise FseError("lots", "the series under way has its session", "ask it of another series")
        series = awaited or LotSeries(lambda given: self._session(given, opens or DeskLotSession), self._clock)
        try:
            yield lambda lot: series.format(lot, code)
        except SsvError as error:
            if error.code == SsvCode.UNKNOWN_RESOURCE and series.started:
                self._series = series
            raise
        finally:
            series.pause()

    def _session(self, code: str, opens: OpensSession) -> LotSession:
        self.presented += 1
        return opens(self.desk, code)

    def _keep(self, number: int, secured: SecuredInvoice) -> None:
        self.secured[number] = secured
        if not lacking(secured):
            self._settled(number, secured)


def _in_turn(sheets: Sequence[Invoice], before: BeforeEach | None) -> Iterable[Invoice]:
    for rank, sheet in enumerate(sheets):
        if before is not None:
            before(rank)
        yield sheet
