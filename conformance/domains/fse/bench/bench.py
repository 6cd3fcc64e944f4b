"""What a scenario of care sheets has at hand, brought together."""

from __future__ import annotations

import random
from dataclasses import replace

from bifente.conformance.bench.base import Bench
from bifente.conformance.bench.facets import Personalisation
from bifente.conformance.bench.scene import Scene
from bifente.conformance.domains.fse.bench.days import Days
from bifente.conformance.domains.fse.bench.front_end import FrontEnd
from bifente.conformance.domains.fse.bench.laboratory import Laboratory
from bifente.conformance.domains.fse.bench.making import Made, Order, made_of
from bifente.conformance.domains.fse.bench.office import Office
from bifente.conformance.domains.fse.bench.reading import Reader, Reading
from bifente.conformance.domains.fse.bench.signing import Signing
from bifente.conformance.domains.vitale.apcv import ApcvBench
from bifente.conformance.domains.vitale.workstation import Workstation
from bifente.conformance.model import CardChoice
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import Invoice, SecuredInvoice, Signer
from bifente.simulator.software.billing.securing.desk import Batch


class FseBench:
    """One practice and one front end. ``chance`` draws what is drawn."""

    def __init__(self, bench: Bench, workstation: Workstation, apcv: ApcvBench, chance: random.Random) -> None:
        self._bench = bench
        self._chance = chance
        self._reading: Reading | None = None
        self.days = Days(bench)
        self.laboratory = Laboratory(bench)
        self.front_end = FrontEnd(self.laboratory, bench.clock, chance)
        self._reader = Reader(workstation, apcv, self.days, bench.clock)
        self._signing = Signing(bench, workstation, self.laboratory, chance.randbytes, self._settled)
        self.office = Office(self.laboratory, self.front_end, bench.clock, chance, self._signing.lot_series)
        self.made: dict[int, Invoice] = {}
        """Every sheet as it was made last, by its number."""

    @classmethod
    def of(cls, scene: Scene) -> FseBench:
        """Return the practice and the front end of a scene."""
        return cls(scene.bench, scene.part(Workstation), scene.part(ApcvBench), scene.random)

    def read(self, code: str, *, phone: bool = False) -> Reading:
        """Read both cards by the SSV functions; what was read before is forgotten. Raises SsvError."""
        self._reading = None
        reading = self._reader.read(code, phone=phone)
        self._reading = reading if reading.complete else None
        return reading

    def make(self, order: Order) -> Made:
        """A sheet of what was read; it takes a number unless a rule blocks it. Raises FseError."""
        if self._reading is None:
            raise FseError("cards", "they were not read", "read both cards first")
        made = made_of(self._reading, order, self.days.today, self.laboratory.opposed)
        if made.blocked:
            return made
        practice = self.office.practice_of(made.invoice.professional.billing_id)
        number = order.number or practice.next_number()
        invoice = replace(made.invoice, number=number)
        practice.add(invoice)
        self.made[number] = invoice
        self.secured.pop(number, None)
        return replace(made, invoice=invoice)

    def sheet(self, number: int | None) -> Invoice:
        """A sheet that was made here, by default the last one. Raises FseError."""
        wanted = number if number is not None else next(reversed(self.made), None)
        if wanted is None or wanted not in self.made:
            raise FseError(f"sheet {wanted or 'last'}", "it was not made here", "make one first")
        return self.made[wanted]

    @property
    def secured(self) -> dict[int, SecuredInvoice]:
        """Every sheet as far as it is signed, by its number."""
        return self._signing.secured

    def sign(
        self, number: int | None, code: str, *, whose: Signer | None = None, paper: bool = False
    ) -> SecuredInvoice:
        """Every signature that the mode of a sheet wants, or that of one signer. Raises SsvError, FseError."""
        return self._signing.sign(self.sheet(number), code, whose=whose, paper=paper)

    def sign_all(self, code: str, blocked_after: int | None = None) -> Batch:
        """Every sheet that no card has signed; ``blocked_after`` as in ``Signing``."""
        return self._signing.sign_all(self.made, code, blocked_after)

    def _settled(self, number: int, secured: SecuredInvoice) -> None:
        self.office.practice.secured(number, secured)

    @property
    def codes_presented(self) -> int:
        """How often a holder code was given to the card for a series of lots."""
        return self._signing.presented

    def present(self, role: str, choice: CardChoice) -> None:
        """Take the card of a slot out and put another in."""
        self.laboratory.meet()
        self._bench.facet(Personalisation).put(role, choice, self._chance)

    def close(self) -> None:
        """Forget the practice and close the mail servers."""
        self.office.close()
