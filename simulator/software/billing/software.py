"""The billing software of one workstation, from the cards read to the sheet signed; its practice does the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date

from cryptography import x509

from bifente.ground.clock import Clock
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import Invoice, SecuredInvoice, Signer
from bifente.simulator.software.billing.office import Correspondence, Office
from bifente.simulator.software.billing.ordering import Made, Order, made_of
from bifente.simulator.software.billing.reading import CardsReading, read_cards
from bifente.simulator.software.billing.securing.desk import Batch
from bifente.simulator.software.billing.signing import BeforeEach, Signing
from bifente.simulator.software.billing.station import CardStation
from bifente.simulator.tarification.deadlines import civil_day


class BillingSoftware:
    """One practice's software. ``authorities`` are those of Vitale cards, ``opposed`` the serial numbers on the list of
    opposition as it is when a sheet is made, ``random`` gives challenges.
    """

    def __init__(
        self,
        station: CardStation,
        clock: Clock,
        correspondence: Correspondence,
        *,
        authorities: Callable[[], tuple[x509.Certificate, ...]],
        opposed: Callable[[], Collection[str]],
        random: Callable[[int], bytes],
    ) -> None:
        self._station = station
        self._clock = clock
        self._opposed = opposed
        self._reading: CardsReading | None = None
        self.signing = Signing(station, clock, authorities, random, self._settled)
        self.office = Office(clock, correspondence, self.signing.lot_series)
        self.made: dict[int, Invoice] = {}
        """Every sheet as it was made last, by its number."""

    @property
    def today(self) -> date:
        """The day in France."""
        return civil_day(self._clock.now())

    def read(self, code: str, *, phone: bool = False) -> CardsReading:
        """Read both cards by the SSV functions; what was read before is forgotten. Raises SsvError."""
        self._reading = None
        reading = read_cards(self._station, self._clock, code, phone=phone)
        self._reading = reading if reading.complete else None
        return reading

    def make(self, order: Order) -> Made:
        """Make a sheet of what was read; it takes a number unless a rule blocks it. Raises FseError."""
        if self._reading is None:
            raise FseError("cards", "they were not read", "read both cards first")
        made = made_of(self._reading, order, self.today, self._opposed(), self.office.settings.specialty)
        if made.blocked:
            return made
        practice = self.office.practice_of(made.invoice.professional.billing_id)
        number = order.number or practice.next_number()
        invoice = replace(made.invoice, number=number)
        if invoice.rectifies == number:
            raise FseError(f"sheet {number}", "it corrects itself", "give the number of the sheet it corrects")
        practice.add(invoice)
        self.made[number] = invoice
        self.secured.pop(number, None)
        return replace(made, invoice=invoice)

    def sheet(self, number: int | None) -> Invoice:
        """Return a sheet that was made here, by default the last one. Raises FseError."""
        wanted = number if number is not None else next(reversed(self.made), None)
        if wanted is None or wanted not in self.made:
            raise FseError(f"sheet {wanted or 'last'}", "it was not made here", "make one first")
        return self.made[wanted]

    @property
    def secured(self) -> dict[int, SecuredInvoice]:
        """Every sheet as far as it is signed, by its number."""
        return self.signing.secured

    def sign(
        self, number: int | None, code: str, *, whose: Signer | None = None, paper: bool = False
    ) -> SecuredInvoice:
        """Give every signature that the mode of a sheet wants, or that of one signer. Raises SsvError, FseError."""
        return self.signing.sign(self.sheet(number), code, whose=whose, paper=paper)

    def sign_all(self, code: str, before: BeforeEach | None = None) -> Batch:
        """Sign every sheet that no card has signed, the code presented once."""
        return self.signing.sign_all(self.made, code, before)

    def _settled(self, number: int, secured: SecuredInvoice) -> None:
        self.office.practice.secured(number, secured)

    def close(self) -> None:
        """Forget the practice."""
        self.office.close()
