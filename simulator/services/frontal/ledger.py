"""What a body remembers: files, lots, sheets, claims, what it owes and what it has said. One SQLite file, or memory.

What a file changes is changed at once or not at all; a front end that starts again on the same ledger goes on.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path

from bifente.simulator.formats.fse.dre import decode_dre, encode_dre
from bifente.simulator.formats.fse.model import (
    CareAct,
    Dre,
    Invoice,
    LotKind,
    Nomenclature,
    PaymentOutcome,
    Rejection,
    RspLine,
)
from bifente.simulator.services.frontal.reasons import reasons, rejection
from bifente.simulator.tarification.tables import ACTS, CCAM, profession_of

_FULL = "CCAM"
"""What a CCAM act in full is known by: a physician bills one of them in a day for one person, any other is lessened."""
_SCHEMA = """
CREATE TABLE counters (name TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE files (
  name TEXT NOT NULL, digest BLOB NOT NULL, taken INTEGER NOT NULL,
  PRIMARY KEY (name, digest)
) STRICT, WITHOUT ROWID;
CREATE TABLE returns (
  id TEXT PRIMARY KEY, sender TEXT NOT NULL, data BLOB NOT NULL,
  name TEXT, digest BLOB, late_until TEXT
) STRICT;
CREATE INDEX returns_of_file ON returns (name, digest);
CREATE INDEX returns_late ON returns (late_until) WHERE late_until IS NOT NULL;
CREATE TABLE lots (
  sender TEXT NOT NULL, kind TEXT NOT NULL, number TEXT NOT NULL, received TEXT NOT NULL, accepted INTEGER NOT NULL,
  PRIMARY KEY (sender, kind, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE lasts (
  sender TEXT NOT NULL, kind TEXT NOT NULL, number TEXT NOT NULL, received TEXT NOT NULL,
  PRIMARY KEY (sender, kind)
) STRICT, WITHOUT ROWID;
CREATE TABLE signers (
  sender TEXT NOT NULL, rpps TEXT NOT NULL,
  PRIMARY KEY (sender, rpps)
) STRICT, WITHOUT ROWID;
CREATE TABLE items (
  sender TEXT NOT NULL, kind TEXT NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL,
  PRIMARY KEY (sender, kind, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE claims (
  sender TEXT NOT NULL, number INTEGER NOT NULL, invoice INTEGER NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY (sender, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX claims_of ON claims (sender, invoice);
CREATE TABLE parts (
  id INTEGER PRIMARY KEY, due TEXT NOT NULL, sender TEXT NOT NULL, body TEXT NOT NULL, kind TEXT NOT NULL,
  number INTEGER NOT NULL, invoice INTEGER NOT NULL, payer TEXT NOT NULL, outcome TEXT NOT NULL,
  asked INTEGER NOT NULL, paid INTEGER NOT NULL, code TEXT, place TEXT, told TEXT, waits INTEGER NOT NULL
) STRICT;
CREATE INDEX parts_due ON parts (due, sender, body, id) WHERE told IS NULL;
CREATE TABLE papers (
  sender TEXT NOT NULL, number INTEGER NOT NULL,
  PRIMARY KEY (sender, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX parts_of ON parts (sender, kind, number);
CREATE TABLE shares (
  sender TEXT NOT NULL, number INTEGER NOT NULL, asked INTEGER NOT NULL, insurer TEXT NOT NULL, member TEXT NOT NULL,
  indicator TEXT NOT NULL,
  PRIMARY KEY (sender, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE acts (
  key TEXT NOT NULL, sender TEXT NOT NULL, number INTEGER NOT NULL,
  PRIMARY KEY (key, sender, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE remarks (
  id INTEGER PRIMARY KEY, at TEXT NOT NULL, sender TEXT NOT NULL, invoice INTEGER NOT NULL, code TEXT NOT NULL,
  place TEXT NOT NULL
) STRICT;
"""
_VERSION = 4
_TABLES = f"BEGIN;{_SCHEMA}PRAGMA user_version = {_VERSION};COMMIT;"


@cache
def _empty() -> bytes:
    """A ledger with its tables and nothing in them, made once: a front end in memory is short-lived."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(_TABLES)
        return connection.serialize()


class ItemState(StrEnum):
    """What a body knows of the number of a sheet or of a claim. One that was rejected may come again (recycled)."""

    ACCEPTED = "accepted"
    SETTLED = "settled"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


def _once_a_day(sheet: Invoice) -> list[str]:
    """What tells an act of one person apart: by whom, for whom, the act or its group, the day."""
    who, by = sheet.beneficiary, sheet.professional.rpps
    physician = profession_of(sheet.professional.specialty) == "medecin"
    told = ((_once(act, physician=physician), act.on.isoformat()) for act in sheet.acts)
    return ["|".join((by, who.nir, who.birth, str(who.rank), what, day)) for what, day in told if what]


def _once(act: CareAct, *, physician: bool) -> str:
    """What there is once a day of an act: one of its group, itself, a CCAM act in full; empty if there may be more."""
    kind = ACTS.get(act.code)
    if kind is None:
        return ""
    if kind.nomenclature is Nomenclature.CCAM:
        return _FULL if physician and act.association in (0, CCAM.first) else ""
    return kind.group or (act.code if kind.once else "")


@dataclass(frozen=True, slots=True)
class ComplementaryShare:
    """The complementary part of a sheet: what it asks, in cents, and of whom. What a claim must repeat."""

    asked: int
    insurer: str
    member: str
    indicator: str


@dataclass(frozen=True, slots=True)
class Part:
    """What a body will say of a sheet or a claim (``number``) to one sender, from the day ``due`` on.

    ``waits``: only once the paper of the sheet has arrived; until then nothing is told, and on the day ``due`` that it
    never came.
    """

    due: datetime
    sender: str
    body: str
    kind: LotKind
    number: int
    line: RspLine
    waits: bool = False


class Ledger:
    """``path`` None keeps everything in memory. Raises ValueError for a file that is no ledger."""

    def __init__(self, path: Path | None = None) -> None:
        self._turn = threading.Lock()
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        if path is None:
            self._db.deserialize(_empty())
        try:
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            empty = self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
        except sqlite3.DatabaseError as error:
            raise ValueError(f"{path} is no ledger of a front end: {error}") from error
        if version != _VERSION and not (version == 0 and empty):
            raise ValueError(f"{path} is no ledger of this version: {version}, {_VERSION} is expected")
        if empty:
            self._db.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """What is changed inside is changed all together, or not at all; one thread at a time (mail has its own)."""
        with self._turn:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def count(self, name: str) -> int:
        """The next number of a counter, from 1."""
        row = self._db.execute(
            "INSERT INTO counters VALUES (?, 1) ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last", (name,)
        ).fetchone()
        return int(row[0])

    # -- files and what was answered ----------------------------------------------------------------------------------

    def answers(self, name: str, digest: bytes) -> list[bytes]:
        """What was answered to these bytes under this name; nothing if they are new."""
        found = self._db.execute(
            "SELECT data FROM returns WHERE name = ? AND digest = ? ORDER BY rowid", (name, digest)
        )
        return [row["data"] for row in found]

    def knows_name(self, name: str) -> bool:
        """Whether something was accepted under this name."""
        asked = self._db.execute("SELECT 1 FROM files WHERE name = ? AND taken", (name,))
        return asked.fetchone() is not None

    def add_file(self, name: str, digest: bytes, taken: bool) -> None:
        """A file was received; ``taken`` if a lot of it was accepted."""
        self._db.execute("INSERT INTO files VALUES (?, ?, ?)", (name, digest, taken))

    def add_return(
        self, id: str, sender: str, data: bytes, name: str | None = None, digest: bytes | None = None
    ) -> None:
        """A return was made; with ``name`` and ``digest``, to answer this file."""
        self._db.execute("INSERT INTO returns VALUES (?, ?, ?, ?, ?, NULL)", (id, sender, data, name, digest))

    def returns(self, sender: str | None = None) -> list[bytes]:
        """All returns ever made, in their order: those of a sender, or of all."""
        where, values = ("", ()) if sender is None else (" WHERE sender = ?", (sender,))
        return [row["data"] for row in self._db.execute(f"SELECT data FROM returns{where} ORDER BY rowid", values)]  # noqa: S608

    def put_off(self, id: str, until: datetime) -> None:
        """A return will go out later."""
        self._db.execute("UPDATE returns SET late_until = ? WHERE id = ?", (until.isoformat(), id))

    def take_late(self, until: datetime) -> list[bytes]:
        """The returns put off until then, once."""
        found = self._db.execute(
            "SELECT id, data FROM returns WHERE late_until <= ? ORDER BY late_until, rowid", (until.isoformat(),)
        ).fetchall()
        for row in found:
            self._db.execute("UPDATE returns SET late_until = NULL WHERE id = ?", (row["id"],))
        return [row["data"] for row in found]

    # -- lots ---------------------------------------------------------------------------------------------------------

    def lot(self, sender: str, kind: LotKind, number: str) -> tuple[date, bool] | None:
        """The day on which a lot was last received under a number and whether it was accepted."""
        row = self._db.execute(
            "SELECT received, accepted FROM lots WHERE sender = ? AND kind = ? AND number = ?",
            (sender, kind.value, number),
        ).fetchone()
        return None if row is None else (date.fromisoformat(row["received"]), bool(row["accepted"]))

    def last_lot(self, sender: str, kind: LotKind) -> tuple[str, date] | None:
        """The furthest lot of a sender: its number and the day it was received."""
        row = self._db.execute(
            "SELECT number, received FROM lasts WHERE sender = ? AND kind = ?", (sender, kind.value)
        ).fetchone()
        return None if row is None else (row["number"], date.fromisoformat(row["received"]))

    def add_lot(
        self, sender: str, kind: LotKind, number: str, received: date, *, accepted: bool, furthest: bool
    ) -> None:
        """A lot was received."""
        key = (sender, kind.value, number, received.isoformat())
        self._db.execute("INSERT OR REPLACE INTO lots VALUES (?, ?, ?, ?, ?)", (*key, accepted))
        if furthest:
            self._db.execute("INSERT OR REPLACE INTO lasts VALUES (?, ?, ?, ?)", key)

    def signers(self, sender: str) -> frozenset[str]:
        """The RPPS numbers of the professionals who signed lots of sheets that were accepted from a sender."""
        found = self._db.execute("SELECT rpps FROM signers WHERE sender = ?", (sender,))
        return frozenset(row["rpps"] for row in found)

    def add_signers(self, sender: str, rpps: Iterable[str]) -> None:
        """A lot of these professionals was accepted."""
        self._db.executemany("INSERT OR IGNORE INTO signers VALUES (?, ?)", [(sender, one) for one in rpps])

    # -- sheets and claims --------------------------------------------------------------------------------------------

    def item(self, sender: str, kind: LotKind, number: int) -> ItemState | None:
        """What is known of the number of a sheet or of a claim."""
        row = self._db.execute(
            "SELECT state FROM items WHERE sender = ? AND kind = ? AND number = ?", (sender, kind.value, number)
        ).fetchone()
        return None if row is None else ItemState(row["state"])

    def set_item(self, sender: str, kind: LotKind, number: int, state: ItemState) -> None:
        """Remember a number."""
        self._db.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?)", (sender, kind.value, number, state.value))

    def bill(self, sender: str, sheet: Invoice) -> None:
        """Remember of a sheet that was accepted its complementary part, and the acts that one person has once a day."""
        values = [(key, sender, sheet.number) for key in _once_a_day(sheet)]
        self._db.executemany("INSERT OR IGNORE INTO acts VALUES (?, ?, ?)", values)

        amc = sheet.beneficiary.complementary
        share = (amc.id, amc.member, amc.indicator) if amc is not None else ("", "", "")
        self._db.execute(
            "INSERT OR REPLACE INTO shares VALUES (?, ?, ?, ?, ?, ?)", (sender, sheet.number, sheet.amc.asked, *share)
        )

    def share(self, sender: str, number: int) -> ComplementaryShare | None:
        """Return the complementary part of a sheet that was accepted, None if none was."""
        row = self._db.execute("SELECT * FROM shares WHERE sender = ? AND number = ?", (sender, number)).fetchone()
        return (
            None if row is None else ComplementaryShare(row["asked"], row["insurer"], row["member"], row["indicator"])
        )

    def billed_before(self, sender: str, sheet: Invoice) -> int | None:
        """Return the number of another sheet in force that bills one of these acts, None if none does.

        One that this sheet corrects is not another unless it was paid; one under another number of the same person is.
        """
        paid = sheet.rectifies is not None and bool(self.standing(sender, sheet.rectifies))
        corrected = None if paid else sheet.rectifies
        for key in _once_a_day(sheet):
            for row in self._db.execute("SELECT sender, number FROM acts WHERE key = ?", (key,)):
                number, own = int(row["number"]), row["sender"] == sender
                in_force = self.item(row["sender"], LotKind.FSE, number) in (ItemState.ACCEPTED, ItemState.SETTLED)
                if in_force and not (own and number in (sheet.number, corrected)):
                    return number
        return None

    def owe(self, parts: Iterable[Part]) -> None:
        """Remember what will be said."""
        self._db.executemany(
            "INSERT INTO parts VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)",
            [
                (
                    part.due.isoformat(),
                    *(part.sender, part.body, part.kind.value, part.number),
                    *(part.line.invoice, part.line.payer, part.line.outcome.value, part.line.asked, part.line.paid),
                    *((None, None) if (why := part.line.rejection) is None else (why.code, why.place)),
                    part.waits,
                )
                for part in parts
            ],
        )

    def paper_came(self, sender: str, number: int) -> bool:
        """Return whether the paper of a sheet has arrived."""
        asked = self._db.execute("SELECT 1 FROM papers WHERE sender = ? AND number = ?", (sender, number))
        return asked.fetchone() is not None

    def add_paper(self, sender: str, number: int, due: datetime) -> None:
        """Remember that the paper of a sheet arrived: what waited for it is told from the day ``due`` on."""
        self._db.execute("INSERT OR IGNORE INTO papers VALUES (?, ?)", (sender, number))
        where = "sender = ? AND kind = ? AND number = ? AND told IS NULL AND waits"
        values = (sender, LotKind.FSE.value, number)
        self._db.execute(f"DELETE FROM parts WHERE {where} AND code = 'proof-missing'", values)  # noqa: S608
        self._db.execute(f"UPDATE parts SET waits = 0, due = ? WHERE {where}", (due.isoformat(), *values))  # noqa: S608

    def standing(self, sender: str, number: int) -> list[Part]:
        """Return what a body told that it paid of a sheet and did not take back."""
        found = self._db.execute(
            "SELECT * FROM parts AS one WHERE sender = ? AND kind = ? AND number = ? AND told IS NOT NULL AND paid > 0"
            " AND outcome != ? AND id = (SELECT max(id) FROM parts WHERE sender = one.sender AND kind = one.kind"
            " AND number = one.number AND payer = one.payer)",
            (sender, LotKind.FSE.value, number, PaymentOutcome.REVERSED.value),
        )
        return [_part(row) for row in found]

    def add_claim(self, sender: str, claim: Dre) -> None:
        """Remember what a claim asks: one that cancels nothing."""
        values = (sender, claim.number, claim.invoice, encode_dre(claim))
        self._db.execute("INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?)", values)

    def claim(self, sender: str, number: int) -> Dre | None:
        """A claim that was accepted once; what became of it is ``item``'s to tell."""
        row = self._db.execute("SELECT data FROM claims WHERE sender = ? AND number = ?", (sender, number)).fetchone()
        return None if row is None else decode_dre(row["data"])

    def claims(self, sender: str, invoice: int) -> tuple[Dre, ...]:
        """The claims that were ever accepted for a sheet, by number."""
        found = self._db.execute(
            "SELECT data FROM claims WHERE sender = ? AND invoice = ? ORDER BY number", (sender, invoice)
        )
        return tuple(decode_dre(row["data"]) for row in found)

    def disown(self, sender: str, claim: int) -> bool:
        """Forget that a claim will be rejected for want of its sheet; gives whether it would have been."""
        forgotten = self._db.execute(
            "DELETE FROM parts WHERE sender = ? AND kind = ? AND number = ? AND told IS NULL"
            " AND code = 'claim-sheet-unknown'",
            (sender, LotKind.DRE.value, claim),
        )
        return forgotten.rowcount > 0

    def withdraw(self, sender: str, number: int) -> None:
        """A claim is cancelled: what was going to be said of it becomes its cancellation."""
        self._db.execute(
            "UPDATE parts SET outcome = ?, paid = 0, code = 'claim-cancelled', place = ''"
            " WHERE sender = ? AND kind = ? AND number = ? AND told IS NULL",
            (PaymentOutcome.REJECTED.value, sender, LotKind.DRE.value, number),
        )
        self.set_item(sender, LotKind.DRE, number, ItemState.CANCELLED)

    def correct(self, sender: str, number: int, by: int) -> None:
        """A sheet corrects another: what was going to be paid of that one is not, unless it was told already."""
        if self.item(sender, LotKind.FSE, number) is not ItemState.ACCEPTED or self.standing(sender, number):
            return
        self._db.execute(
            "UPDATE parts SET outcome = ?, paid = 0, code = 'act-paid-before', place = ?"
            " WHERE sender = ? AND kind = ? AND number = ? AND told IS NULL",
            (PaymentOutcome.REJECTED.value, str(by), sender, LotKind.FSE.value, number),
        )
        self.set_item(sender, LotKind.FSE, number, ItemState.CANCELLED)

    def take_due(self, until: datetime) -> list[Part]:
        """What is to be said by then, once: by day, sender and body."""
        self._db.execute(
            "UPDATE parts SET waits = 0, outcome = ?, paid = 0, code = 'proof-missing', place = ''"
            " WHERE told IS NULL AND waits AND due <= ?",
            (PaymentOutcome.REJECTED.value, until.isoformat()),
        )
        found = self._db.execute(
            "SELECT * FROM parts WHERE told IS NULL AND due <= ? ORDER BY substr(due, 1, 10), sender, body, id",
            (until.isoformat(),),
        ).fetchall()
        self._db.executemany(
            "UPDATE parts SET told = ? WHERE id = ?", [(until.isoformat(), row["id"]) for row in found]
        )
        return [_part(row) for row in found]

    # -- remarks ------------------------------------------------------------------------------------------------------

    def remark(self, at: datetime, sender: str, remarks: Iterable[Rejection]) -> None:
        """Note what is not as it should be and refuses nothing."""
        self._db.executemany(
            "INSERT INTO remarks VALUES (NULL, ?, ?, ?, ?, ?)",
            [(at.isoformat(), sender, one.invoice or 0, one.code, one.place) for one in remarks],
        )

    def remarks(self, sender: str) -> tuple[Rejection, ...]:
        """What was noted of a sender, in its order."""
        found = self._db.execute("SELECT * FROM remarks WHERE sender = ? ORDER BY id", (sender,))
        return tuple(rejection(row["code"], row["invoice"] or None, row["place"]) for row in found)


def _part(row: sqlite3.Row) -> Part:
    code = row["code"]
    why = None if code is None else Rejection(code, reasons()[code].label.fr, row["invoice"], row["place"])
    return Part(
        due=datetime.fromisoformat(row["due"]),
        sender=row["sender"],
        body=row["body"],
        kind=LotKind(row["kind"]),
        number=row["number"],
        line=RspLine(row["invoice"], row["payer"], PaymentOutcome(row["outcome"]), row["asked"], row["paid"], why),
    )
