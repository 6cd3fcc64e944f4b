"""What the tests of the practice share: software keys that sign for real, a front end, a connection that can be cut."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import cache, lru_cache
from pathlib import Path
from random import Random
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from securing_bench import AT, anchors, cps_data, keys, sheet_of_cards, vitale_data

from bifente.ground.clock import VirtualClock
from bifente.simulator.formats.fse.canonical import canonical
from bifente.simulator.formats.fse.files import open_file
from bifente.simulator.formats.fse.lots import invoice_number, signed_content
from bifente.simulator.formats.fse.model import (
    CareAct,
    Complementary,
    Invoice,
    Lot,
    Nomenclature,
    PayerShare,
    Payment,
    SecuredInvoice,
    SecuringMode,
    Signer,
    TransportFile,
)
from bifente.simulator.formats.fse.returns import encode_return
from bifente.simulator.formats.fse.securing.modes import WITH_PAPER, wants
from bifente.simulator.services.frontal.frontal import Frontal
from bifente.simulator.services.frontal.ledger import Ledger
from bifente.simulator.services.frontal.parameters import FrontalParameters
from bifente.simulator.serving.mail.base import TransportError
from bifente.simulator.software.billing.practice import Practice
from bifente.simulator.software.billing.securing.cards import signed
from bifente.simulator.software.billing.store import Store
from bifente.simulator.tarification.deadlines import Deadlines

SENDER = "991000019"
BODIES = ("013490349", "023490349", "103490349")


class SoftwareCard:
    """A card without a card: its key and its certificate, the same cryptography, a thousandth of the time."""

    def __init__(self, key: RSAPrivateKey, certificate: bytes) -> None:
        self.key, self.certificate = key, certificate

    def sign(self, content: bytes) -> tuple[bytes, bytes]:
        return self.certificate, self.key.sign(content, padding.PKCS1v15(), hashes.SHA256())


def _software(data: Any) -> SoftwareCard:
    certificate = data.certificates["signature"]
    return SoftwareCard(keys().key("card/x/x/signature"), certificate.public_bytes(serialization.Encoding.DER))


@cache
def cps() -> SoftwareCard:
    return _software(cps_data())


@cache
def vitale() -> SoftwareCard:
    return _software(vitale_data())


def sheet(number: int, on: date | None = None, **changes: Any) -> Invoice:
    """A sheet of our cards. By default number decides: body in turn, one in three with third-party payment."""
    on = on or AT.date()
    body = changes.get("body", BODIES[number % len(BODIES)])
    regime = body[:2]
    act = CareAct(Nomenclature.NGAP, "G", on, 1, sheet_coefficient(), 3000, 3000, 85 if regime == "10" else 70)
    defaults: dict[str, Any] = {
        "number": number,
        "on": on,
        "acts": (act,),
        "body": body,
        "payment": Payment.TIERS_PAYANT if number % 3 == 0 else Payment.DIRECT,
        "beneficiary__regime": regime,
    }
    made = sheet_of_cards(cps_data(), vitale_data(), **{**defaults, **changes})
    return made


def sheet_coefficient() -> Any:
    from decimal import Decimal

    return Decimal(1)


def with_claim(invoice: Invoice) -> Invoice:
    """The same sheet with a part for a complementary insurer that takes claims."""
    amc = Complementary(id="99999349", member="99000001", indicator="22", mutuelle=False)
    return replace(
        invoice,
        payment=Payment.TIERS_PAYANT,
        amc=PayerShare(900),
        beneficiary=replace(invoice.beneficiary, complementary=amc),
    )


def at_nine(day: date) -> VirtualClock:
    """The hour at which everything is signed, that of ``AT``."""
    return VirtualClock(AT + (day - AT.date()))


@lru_cache(maxsize=8192)
def _secured(content: bytes, mode: SecuringMode, on: date) -> SecuredInvoice:
    clock = at_nine(on)
    whose = wants(mode)
    return SecuredInvoice(
        content,
        insured=signed(content, vitale(), Signer.INSURED, clock) if Signer.INSURED in whose else None,
        professional=signed(content, cps(), Signer.PROFESSIONAL, clock) if Signer.PROFESSIONAL in whose else None,
        paper=mode in WITH_PAPER,
    )


def secured(invoice: Invoice) -> SecuredInvoice:
    return _secured(canonical(invoice), invoice.mode, invoice.on)


def sign_lot(lot: Lot) -> Lot:
    return replace(lot, signature=signed(signed_content(lot), cps(), Signer.PROFESSIONAL, at_nine(lot.on)))


class Body:
    """The front end with what it sees: ``seen`` holds, of each name it took, the bytes and the sheets inside."""

    def __init__(
        self, clock: VirtualClock, parameters: FrontalParameters | None = None, ledger: Path | None = None
    ) -> None:
        self.clock = clock
        self.parameters = parameters or FrontalParameters(encrypted_only=False)
        self.chance = Random(5)
        self.frontal = Frontal(clock, anchors(), parameters=self.parameters, chance=self.chance, ledger=Ledger(ledger))
        self.seen: dict[str, set[bytes]] = {}

    def receive(self, data: bytes, name: str) -> list[bytes]:
        self.seen.setdefault(name, set()).add(data)
        return self.frontal.receive(data, name)

    def carried(self) -> list[int]:
        """The numbers of the sheets of every file that came, each file once."""
        numbers = []
        for versions in self.seen.values():
            (data,) = versions
            numbers += [invoice_number(sheet) for lot in open_file(data) for sheet in lot.invoices]
        return sorted(numbers)

    def lots(self) -> list[tuple[str, str]]:
        """Kind and number of every lot that came, each file once."""
        return [(lot.kind.value, lot.number) for (data,) in self.seen.values() for lot in open_file(data)]


class DirectTransport:
    """Straight to the body and back; ``down`` makes it fail."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.inbox: list[bytes] = []
        self.down: TransportError | None = None
        self.sent: list[TransportFile] = []
        self.keeps_returns = False

    def send(self, file: TransportFile) -> None:
        if self.down is not None:
            raise self.down
        self.sent.append(file)
        answers = self.body.receive(file.data, file.name)
        if not self.keeps_returns:
            self.inbox += answers

    def receive(self) -> list[bytes]:
        return list(self.inbox)

    def delete(self, count: int) -> None:
        assert count <= len(self.inbox)
        del self.inbox[:count]

    def post(self, data: bytes) -> None:
        self.inbox.append(data)


class PowerCut(BaseException):
    """The machine stops here: nothing catches it."""


class Fuse:
    """Counts operations and blows at the ``n``-th: the files are copied as they are then, as a reboot finds them."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.count = 0
        self.blown = False
        self.on_cut: Callable[[], None] = lambda: None

    def arm(self, after: int) -> None:
        self.left, self.blown = after, False

    def disarm(self) -> None:
        self.left, self.blown = None, False

    def burn(self) -> None:
        if self.blown:
            raise PowerCut
        self.count += 1
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.blown = True
                self.on_cut()
                raise PowerCut


FUSE = Fuse()


class SwiftConnection(sqlite3.Connection):
    """A connection that does not wait for the disk: what a process wrote is there for the next one all the same."""

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        return super().execute(statement.replace("synchronous = FULL", "synchronous = OFF"), *values)


class CutConnection(SwiftConnection):
    """A connection of which each statement may be the last one."""

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        FUSE.burn()
        return super().execute(statement, *values)


class CutTransport:
    """A transport of which each operation may be the last, before it is done or just after.

    ``receptions`` are the operations, of all those counted, from each look into the mailbox to its deletion.
    """

    def __init__(self, inner: DirectTransport) -> None:
        self.inner = inner
        self.receptions: list[range] = []
        self._looked = 0

    def send(self, file: TransportFile) -> None:
        FUSE.burn()
        self.inner.send(file)
        FUSE.burn()

    def receive(self) -> list[bytes]:
        self._looked = FUSE.count
        FUSE.burn()
        found = self.inner.receive()
        FUSE.burn()
        return found

    def delete(self, count: int) -> None:
        FUSE.burn()
        self.inner.delete(count)
        FUSE.burn()
        self.receptions.append(range(self._looked, FUSE.count))

    def post(self, data: bytes) -> None:
        self.inner.post(data)


def copy_store(source: Path, target: Path) -> None:
    """What the disk holds: the file and its log, not the shared memory of the log."""
    for end in ("", "-wal"):
        shutil.rmtree(target.with_name(target.name + end), ignore_errors=True)
        target.with_name(target.name + end).unlink(missing_ok=True)
        if (found := source.with_name(source.name + end)).exists():
            shutil.copyfile(found, target.with_name(target.name + end))


class Desk:
    """A practice on a store in a folder, with its body: what most tests want."""

    def __init__(self, folder: Path, parameters: FrontalParameters | None = None, **options: Any) -> None:
        self.clock = VirtualClock(AT)
        self.body = Body(self.clock, parameters)
        self.transport = DirectTransport(self.body)
        self.store = Store(folder / "practice.db", self.clock, SENDER)
        self.practice = practice(self.store, self.transport, **options)

    def add(self, invoice: Callable[[int], Invoice] | None = None) -> int:
        """A new sheet, not secured."""
        number = self.practice.next_number()
        made = (invoice or sheet)(number)
        self.practice.add(made)
        return number

    def secure(self, number: int) -> int:
        self.practice.secured(number, secured(self.practice.invoice(number)))
        return number

    def ready(self, count: int = 1, invoice: Callable[[int], Invoice] | None = None) -> list[int]:
        """New sheets, secured."""
        return [self.secure(self.add(invoice)) for _ in range(count)]

    def states(self) -> dict[int, str]:
        return {row.number: row.state.value for row in self.store.sheets()}

    def days(self, count: float) -> None:
        self.clock.advance(timedelta(days=count).total_seconds())

    def pay(self, days: float = 6) -> None:
        """Let the payments come and take them."""
        self.days(days)
        for rsp in self.body.frontal.settle():
            self.transport.post(encode_return(rsp))
        self.practice.receive()


def practice(store: Store, transport: Any, **options: Any) -> Practice:
    given = {"sign_lot": sign_lot, "deadlines": Deadlines(), **options}
    return Practice(store, transport, **given)
