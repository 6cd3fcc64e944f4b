"""The practice of a scenario: its store, the way of its files, its lots, and what is done at its desk."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import cache
from pathlib import Path
from typing import Protocol

from bifente.conformance.domains.fse.bench.front_end import FrontEnd
from bifente.conformance.domains.fse.bench.laboratory import Laboratory
from bifente.conformance.domains.fse.bench.signing import Breakdown
from bifente.conformance.domains.fse.bench.wire import Wire
from bifente.ground.clock import Clock
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.files import profile_named
from bifente.simulator.formats.fse.model import Arl, Lot, Rsp
from bifente.simulator.formats.fse.numbers import Sequence
from bifente.simulator.formats.fse.records import WIDTH, records
from bifente.simulator.services.frontal import decode_return
from bifente.simulator.services.frontal.laboratory import EVERY_BODY
from bifente.simulator.serving.mail import InProcessTransport, SmtpTransport, Transport, Weather
from bifente.simulator.software.billing.practice import Practice, Sending
from bifente.simulator.software.billing.store import Database, Store
from bifente.simulator.tarification.deadlines import Deadlines, Rules


class LotSeries(Protocol):
    """Begins or takes up a series of lots with the holder code, and gives what signs the lots in it."""

    def __call__(
        self, code: str | None, breakdown: Breakdown | None = None, *, any_card: bool = False
    ) -> AbstractContextManager[Callable[[Lot], Lot]]:
        """As ``Signing.lot_series``."""
        ...


class Office:
    """One practice: that of the first billing number that a sheet was made for.

    ``profile`` (of its files), ``mail`` (SMTP on the loopback instead of in process), ``rules`` and ``alsace_moselle``
    (the public holidays of its deadlines) are chosen before.
    """

    def __init__(
        self, laboratory: Laboratory, front_end: FrontEnd, clock: Clock, chance: random.Random, series: LotSeries
    ) -> None:
        self._laboratory = laboratory
        self._front_end = front_end
        self._clock = clock
        self._series = series
        self._sign: Callable[[Lot], Lot] | None = None
        self._stack = ExitStack()
        self._practice: Practice | None = None
        self._wire: Wire | None = None
        self.weather = Weather(random.Random(chance.getrandbits(64)))  # noqa: S311 - a dice for a bench
        self.profile = "1.40"
        self.mail = False
        self.rules = Rules.default()
        self.alsace_moselle = False
        self.lots: list[Lot] = []
        """Those that were signed last."""

    @property
    def in_use(self) -> bool:
        """Whether a sheet was made: what is chosen before is chosen."""
        return self._practice is not None

    @property
    def practice(self) -> Practice:
        """The practice of the scenario's professional. Raises FseError before a sheet was made."""
        if self._practice is None:
            raise FseError("practice", "no sheet was made yet", "make one first")
        return self._practice

    @property
    def store(self) -> Store:
        """What the practice remembers. Raises FseError before a sheet was made."""
        return self.practice.store

    @property
    def wire(self) -> Wire:
        """The way of its files. Raises FseError before a sheet was made."""
        if self._wire is None:
            raise FseError("practice", "no sheet was made yet", "make one first")
        return self._wire

    def practice_of(self, sender: str) -> Practice:
        """The practice, opened for its first sheet. Raises FseError for a sheet of another billing number."""
        if self._practice is None:
            self._practice = self._opened(sender)
        elif self.store.sender != sender:
            raise FseError("practice", f"it is that of {self.store.sender}, not of {sender}", "open another one")
        return self._practice

    def _opened(self, sender: str) -> Practice:
        folder = Path(self._stack.enter_context(_folder()))
        file = folder / "practice.sqlite"
        file.write_bytes(_empty_store())
        store = Store(file, self._clock, sender)
        self._stack.callback(store.close)
        self._wire = Wire(self._transport(sender))
        certificate = self._laboratory.body.certificate if profile_named(self.profile).encrypted else None
        return Practice(
            store,
            self._wire,
            sign_lot=self._sign_lot,
            read_return=decode_return,
            recipient=lambda body: certificate,
            profile=self.profile,
            deadlines=Deadlines(self.rules, alsace_moselle=self.alsace_moselle),
        )

    def _transport(self, sender: str) -> Transport:
        take = self._front_end.take
        if self.mail:
            mail = SmtpTransport(take, sender=sender, body=EVERY_BODY, weather=self.weather, clock=self._clock)
            return self._stack.enter_context(mail)
        return InProcessTransport(take, self.weather)

    # -- lots and files -----------------------------------------------------------------------------------------------

    def make_lots(
        self, code: str | None, breakdown: Breakdown | None = None, *, any_card: bool = False
    ) -> tuple[Lot, ...]:
        """Put everything that is ready into lots, sign them in one series, put them into files; gives those signed now.

        Without a code a series that is not broken goes on. Raises SsvError, FseError: what was signed before stays so.
        """
        self.lots = []
        try:
            with self._series(code, breakdown, any_card=any_card) as self._sign:
                self.practice.make_lots()
            return tuple(self.lots)
        finally:
            self._sign = None

    def _sign_lot(self, lot: Lot) -> Lot:
        if self._sign is None:
            raise FseError(f"lot {lot.number}", "it is not signed", "make the lots with the holder code first")
        signed = self._sign(lot)
        self.lots.append(signed)
        return signed

    def use_up_lots(self, count: int) -> None:
        """Use up numbers of lots, as by lots that never reached the body."""
        for _ in range(count):
            self.store.reserve(Sequence.LOT_FSE)

    @staticmethod
    def records(lot: Lot) -> list[tuple[str, int]]:
        """The records of a lot: their type and how many characters they have."""
        data = records(lot)
        lines = [data[at : at + WIDTH] for at in range(0, len(data), WIDTH)]
        return [(line[:3].decode("ascii").strip(), len(line)) for line in lines]

    def send(self) -> Sending:
        """Hand over what is in files. Raises FseError where a lot is still to be signed."""
        return self.practice.send()

    def resend(self) -> Sending:
        """Hand the last file that was handed over once more, as it is. Raises FseError."""
        if not self.wire.sent:
            raise FseError("file", "none was sent yet", "send one first")
        return self.practice.resend(self.wire.sent[-1].name)

    def receive(self, *, settle: bool = False) -> tuple[Arl | Rsp, ...]:
        """What has come back by now, applied; ``settle``: the front end first sends what it says of payments by now."""
        practice = self.practice
        for answer in self._front_end.owed(settle=settle):
            self.wire.post(answer)
        return practice.receive()

    # -- the desk -----------------------------------------------------------------------------------------------------

    def act(self, what: str, number: int, claim: int) -> int:
        """One act of the desk; gives how many sheets or claims it was about. Raises FseError."""
        practice, store = self.practice, self.store
        match what:
            case "give-up":
                store.paper(number, "given up at the desk")
            case "give-up-file":
                return len(store.give_up(store.sheet(number).file, "given up at the desk"))
            case "printed":
                store.printed(number)
            case "document-sent" | "document-failed":
                store.set_proof(number, what.removeprefix("document-"))
            case "payment-examined":
                store.payment_examined(number)
            case "purge":
                return practice.purge()
            case "claim":
                return practice.claim(number).number
            case _:
                return practice.cancel_claim(claim).number
        return 1

    def close(self) -> None:
        """Forget the practice and close the mail servers."""
        self._stack.close()


def _folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for one scenario, in memory where the system has such: nothing in it is to outlive the scenario."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
    return tempfile.TemporaryDirectory(prefix="bifente-fse-", dir=memory)


@cache
def _empty_store() -> bytes:
    """A store with its tables and nothing in them: making those anew costs more than all that a scenario writes."""
    with _folder() as folder:
        file = Path(folder) / "empty.sqlite"
        Database(file).close()
        return file.read_bytes()
