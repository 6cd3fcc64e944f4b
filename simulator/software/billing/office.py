"""The practice that a software serves: its store, its lots and files, and what is done at its desk."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import Protocol

from cryptography import x509

from bifente.ground.clock import Clock
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.files import profile_named
from bifente.simulator.formats.fse.model import Lot
from bifente.simulator.serving.mail.base import Transport
from bifente.simulator.software.billing.practice import Practice, Sending
from bifente.simulator.software.billing.signing import OpensSession
from bifente.simulator.software.billing.store import Store
from bifente.simulator.tarification.deadlines import DeadlineRules, Deadlines


class Correspondence(Protocol):
    """The bodies as a practice writes to them and hears from them."""

    def transport(self, sender: str, *, mail: bool, pop3: bool = False) -> Transport:
        """Return the way of a sender's files, by mail or handed over in process. It is closed by who gives it.

        ``pop3``: mailed returns are taken out of the mailbox by POP3.
        """
        ...

    def certificate(self, body: str) -> x509.Certificate:
        """Return what files for a body are encrypted with."""
        ...

    def returns_certificate(self) -> x509.Certificate:
        """Return what the body's signatures of its returns are checked with."""
        ...


class OpensSeries(Protocol):
    """Begins or takes up a series of lots with the holder code, and gives what signs the lots in it."""

    def __call__(
        self, code: str | None, opens: OpensSession | None = None
    ) -> AbstractContextManager[Callable[[Lot], Lot]]:
        """As ``Signing.lot_series``."""
        ...


@dataclass(slots=True)
class OfficeSettings:
    """What is chosen before the first sheet: the ``profile`` of the files, whether they go by ``mail``, the deadlines
    in days, and whether the public holidays of Alsace-Moselle count in them.
    """

    profile: str = "1.40"
    mail: bool = False
    rules: DeadlineRules = field(default_factory=DeadlineRules.default)
    alsace_moselle: bool = False
    pop3: bool = False
    """Whether mailed returns are taken out of the mailbox by POP3."""
    specialty: str | None = None
    """Specialty code of the professional, where the card does not tell it: the usual one of his number, if None."""
    signed_returns: bool = False
    """Whether the body signs its returns: those it did not sign are laid aside."""


class Office:
    """One practice: that of the first billing number that a sheet was made for. ``settings`` are chosen before."""

    def __init__(self, clock: Clock, correspondence: Correspondence, series: OpensSeries) -> None:
        self._clock = clock
        self._correspondence = correspondence
        self._series = series
        self._sign: Callable[[Lot], Lot] | None = None
        self._stack = ExitStack()
        self._practice: Practice | None = None
        self.settings = OfficeSettings()
        self.lots: list[Lot] = []
        """Those that were signed last."""

    @property
    def in_use(self) -> bool:
        """Whether a sheet was made: what is chosen before is chosen."""
        return self._practice is not None

    @property
    def practice(self) -> Practice:
        """The practice of the professional. Raises FseError before a sheet was made."""
        if self._practice is None:
            raise FseError("practice", "no sheet was made yet", "make one first")
        return self._practice

    @property
    def store(self) -> Store:
        """What the practice remembers. Raises FseError before a sheet was made."""
        return self.practice.store

    def practice_of(self, sender: str) -> Practice:
        """Return the practice, opened for its first sheet. Raises FseError for a sheet of another billing number."""
        if self._practice is None:
            self._practice = self._opened(sender)
        elif self.store.sender != sender:
            raise FseError("practice", f"it is that of {self.store.sender}, not of {sender}", "open another one")
        return self._practice

    def _opened(self, sender: str) -> Practice:
        chosen = self.settings
        # In memory: nothing of it is to outlive the software.
        store = Store(None, self._clock, sender)
        self._stack.callback(store.close)
        encrypted = profile_named(chosen.profile).encrypted
        return Practice(
            store,
            self._correspondence.transport(sender, mail=chosen.mail, pop3=chosen.pop3),
            sign_lot=self._sign_lot,
            recipient=lambda body: self._correspondence.certificate(body) if encrypted else None,
            profile=chosen.profile,
            deadlines=Deadlines(chosen.rules, alsace_moselle=chosen.alsace_moselle),
            returns_certificate=self._correspondence.returns_certificate() if chosen.signed_returns else None,
        )

    # -- lots and files -----------------------------------------------------------------------------------------------

    def make_lots(self, code: str | None, opens: OpensSession | None = None) -> tuple[Lot, ...]:
        """Put everything that is ready into lots, sign them in one series, put them into files; gives those signed now.

        Without a code a series that is not broken goes on. Raises SsvError, FseError: what was signed before stays so.
        """
        self.lots = []
        try:
            with self._series(code, opens) as self._sign:
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

    def send(self) -> Sending:
        """Hand over what is in files. Raises FseError where a lot is still to be signed."""
        return self.practice.send()

    # -- the desk -----------------------------------------------------------------------------------------------------

    def act(self, what: str, number: int, claim: int) -> int:
        """Do one act of the desk; gives how many sheets or claims it was about. Raises FseError."""
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
        """Forget the practice."""
        self._stack.close()
