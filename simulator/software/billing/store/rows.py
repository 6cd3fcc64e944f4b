"""What a store gives out: its rows as values."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import date

from bifente.simulator.formats.fse.model import LotKind, PaymentOutcome, SheetState


def day(text: str | None) -> date | None:
    """A day as the tables write it, if there is one."""
    return None if text is None else date.fromisoformat(text)


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A sheet in the store. ``since`` is the day of its state, ``retry_since`` that of the negative ARL after which it
    goes out again as it is, ``closed`` the day since which nothing is awaited. ``content`` and ``secured`` are gone
    once it was purged. ``refused`` is the day on which the body refused a copy of its file that had changed on its
    way, ``claimed`` that on which something last happened to its claims. ``short`` tells what came in part, until
    somebody has looked at it.
    """

    number: int
    generation: int
    state: SheetState
    made: date
    third_party: bool
    amo: int
    amc: int
    body: str
    content: bytes | None
    secured: bytes | None
    since: date
    retry_since: date | None
    reason: str
    proof: str
    proof_since: date | None
    closed: date | None
    purged: date | None
    lot: str = ""
    file: str = ""
    first_sent: date | None = None
    last_sent: date | None = None
    refused: date | None = None
    refusal: str = ""
    claimed: date | None = None
    short: str = ""

    @classmethod
    def of(cls, row: sqlite3.Row) -> SheetRow:
        """From ``SHEETS``."""
        return cls(
            row["number"],
            row["generation"],
            SheetState(row["state"]),
            date.fromisoformat(row["made"]),
            bool(row["third_party"]),
            row["amo"],
            row["amc"],
            row["body"],
            row["content"],
            row["secured"],
            date.fromisoformat(row["since"]),
            day(row["retry_since"]),
            row["reason"],
            row["proof"],
            day(row["proof_since"]),
            day(row["closed"]),
            day(row["purged"]),
            row["lot_number"] or "",
            row["file_name"] or "",
            day(row["first_sent"]),
            day(row["last_sent"]),
            day(row["refused"]),
            row["refusal"] or "",
            day(row["claimed"]),
            row["short"] or "",
        )


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim (DRE) in the store. ``data`` is gone once its sheet was purged."""

    number: int
    sheet: int
    state: SheetState
    amc: str
    asked: int
    cancels: int | None
    data: bytes | None
    made: date
    since: date
    reason: str
    closed: date | None
    file: str = ""
    first_sent: date | None = None
    last_sent: date | None = None
    refused: date | None = None

    @classmethod
    def of(cls, row: sqlite3.Row) -> ClaimRow:
        """From ``CLAIMS``."""
        return cls(
            row["number"],
            row["sheet"],
            SheetState(row["state"]),
            row["amc"],
            row["asked"],
            row["cancels"],
            row["data"],
            date.fromisoformat(row["made"]),
            date.fromisoformat(row["since"]),
            row["reason"],
            day(row["closed"]),
            row["file_name"] or "",
            day(row["first_sent"]),
            day(row["last_sent"]),
            day(row["refused"]),
        )


@dataclass(frozen=True, slots=True)
class LotRow:
    """A lot in the store: its bytes, signed or still to be."""

    id: int
    kind: LotKind
    number: str
    body: str
    made: date
    data: bytes
    signed: bool

    @classmethod
    def of(cls, row: sqlite3.Row) -> LotRow:
        """From the table of lots."""
        made = date.fromisoformat(row["made"])
        return cls(row["id"], LotKind(row["kind"]), row["number"], row["body"], made, row["data"], bool(row["signed"]))


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file in the outbox or sent. ``state`` is ready, sent, answered (each of its lots was) or given-up."""

    rank: int
    number: str
    name: str
    body: str
    data: bytes
    state: str
    first_sent: date | None
    last_sent: date | None
    sendings: int

    @classmethod
    def of(cls, row: sqlite3.Row) -> FileRow:
        """From the table of files."""
        return cls(
            row["rank"],
            row["number"],
            row["name"],
            row["body"],
            row["data"],
            row["state"],
            day(row["first_sent"]),
            day(row["last_sent"]),
            row["sendings"],
        )


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """What one return said of one sheet for one payer; the day on which somebody looked at a payment in part."""

    sheet: int
    payer: str
    outcome: PaymentOutcome
    asked: int
    paid: int
    code: str
    label: str
    examined: date | None = None


@dataclass(frozen=True, slots=True)
class ReturnRow:
    """A return as it came: ``new``, or ``refused`` with the reason why it could not be applied."""

    id: int
    received: date
    data: bytes
    state: str
    reason: str


_SHEET = (
    "number generation state made third_party amo amc body since retry_since reason proof proof_since closed purged"
)
_CLAIM = "number sheet state amc asked cancels made since reason closed"
_WAY = (
    "lots.number AS lot_number, files.name AS file_name, files.first_sent, files.last_sent, files.refused,"
    " files.refusal"
)


def _question(table: str, columns: str, blobs: str) -> str:
    asked = ", ".join(f"{table}.{name}" for name in columns.split())
    joins = f"LEFT JOIN lots ON lots.id = {table}.lot LEFT JOIN files ON files.rank = lots.file "
    return f"SELECT {asked}, {blobs}, {_WAY} FROM {table} {joins}"  # noqa: S608 - names of ours


_CLAIMED = "(SELECT max(since) FROM claims WHERE claims.sheet = sheets.number) AS claimed"
# The last word of each payer on the sheet as it is now, if it is less than what was asked and nobody has looked at it.
_SHORT = (
    "(SELECT group_concat(one.payer || ': ' || one.paid || ' / ' || one.asked || ', ' || one.code || ' ' || one.label,"
    " '; ') FROM payments AS one WHERE one.sheet = sheets.number AND one.generation = sheets.generation"
    " AND one.outcome = 'partly-paid' AND one.examined IS NULL AND one.id = (SELECT max(id) FROM payments"
    " WHERE sheet = one.sheet AND generation = one.generation AND payer = one.payer)) AS short"
)
# Who asks for what is open or to be sent orders by ``+number``: without the sign SQLite reads the whole table by its
# key to have the order for nothing, instead of the partial index, which holds few rows.
SHEETS = _question("sheets", _SHEET, f"sheets.content, sheets.secured, {_CLAIMED}, {_SHORT}")
SHEETS_WITHOUT_BYTES = _question("sheets", _SHEET, f"NULL AS content, NULL AS secured, {_CLAIMED}, {_SHORT}")
CLAIMS = _question("claims", _CLAIM, "claims.data")
