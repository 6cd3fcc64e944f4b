"""What a practice keeps of its sheets and every change of it: each method is a transaction, or joins its caller's.

Nothing is told to anybody before it is committed; what a crash interrupts has not happened. Numbers are the exception
that keeps the promise: one that was reserved and not used is a hole, never a second use.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

from simulator.clock import Clock
from simulator.fse.errors import FseError
from simulator.fse.model import Arl, ArlKind, LotKind, Outcome, Rsp, RspLine, State, TransportFile
from simulator.fse.store.database import Database
from simulator.fse.store.deadlines import civil_day
from simulator.fse.store.numbers import ROUNDS, form
from simulator.fse.store.numbers import Sequence as Numbers
from simulator.fse.store.rows import (
    CLAIMS,
    SHEETS,
    SHEETS_WITHOUT_BYTES,
    ClaimRow,
    FileRow,
    LotRow,
    Payment,
    ReturnRow,
    SheetRow,
)
from simulator.fse.store.states import Move, after

_LOT_NUMBERS = {LotKind.FSE: Numbers.LOT_FSE, LotKind.DRE: Numbers.LOT_DRE}


class Store:
    """The store of one ``sender`` (AM number, 9 digits) in the file at ``path``, made if it is not there.

    Raises FseError for a file that is no store, or the store of another sender. ``factory`` makes the connection.
    """

    def __init__(
        self, path: Path, clock: Clock, sender: str, *, factory: type[sqlite3.Connection] = sqlite3.Connection
    ) -> None:
        self.sender = sender
        self._clock = clock
        self._db = Database(path, factory)
        with self._db.transaction():
            self._db.run("INSERT OR IGNORE INTO practice VALUES (1, ?)", sender)
            for sequence in Numbers:
                self._db.run("INSERT OR IGNORE INTO counters VALUES (?, 0)", sequence.value)
        owner = self._db.value("SELECT sender FROM practice")
        if owner != sender:
            self.close()
            raise FseError(str(path), f"it is the store of sender {owner}", f"open another one for {sender}")

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Several changes that happen together or not at all."""
        return self._db.transaction()

    def today(self) -> date:
        """The day in France."""
        return civil_day(self._clock.now())

    # -- numbers ------------------------------------------------------------------------------------------------------

    def reserve(self, sequence: Numbers) -> int:
        """The next rank of a sequence; committed, or undone with the transaction that uses it.

        Raises FseError at the end of a sequence, or if its form comes back while its last bearer is not over.
        """
        with self._db.transaction():
            rank = int(self._db.value("SELECT next FROM counters WHERE sequence = ?", sequence.value))
            form(sequence, rank)
            if (turn := ROUNDS.get(sequence)) is not None and rank >= turn:
                self._check_over(sequence, rank - turn)
            self._db.run("UPDATE counters SET next = ? WHERE sequence = ?", rank + 1, sequence.value)
            return rank

    def next_number(self, sequence: Numbers) -> int:
        """The next number of a sheet or of a claim, durable when this returns."""
        return int(form(sequence, self.reserve(sequence)))

    def _check_over(self, sequence: Numbers, rank: int) -> None:
        if sequence is Numbers.FILE:
            row = self._db.row("SELECT state IN ('ready', 'sent') AS open, made FROM files WHERE rank = ?", rank)
        else:
            kind = LotKind.FSE if sequence is Numbers.LOT_FSE else LotKind.DRE
            row = self._db.row(
                "SELECT state = 'open' AS open, made FROM lots WHERE kind = ? AND rank = ?", kind.value, rank
            )
        if row is None:
            return
        place = f"sequence {sequence.value}, {form(sequence, rank)}"
        if row["open"]:
            raise FseError(place, "it comes back while its last bearer waits for its ARL", "send that one again first")
        if row["made"] == self.today().isoformat():
            raise FseError(place, "it was given today already: number and day name it", "go on tomorrow")

    # -- sheets -------------------------------------------------------------------------------------------------------

    def add_sheet(
        self, number: int, content: bytes, made: date, body: str, *, third_party: bool, amo: int, amc: int, proof: bool
    ) -> None:
        """A new sheet, pending; or, under the number of one that was rejected, its rectification.

        ``amo`` and ``amc`` are what is asked of each, in cents; ``proof``: a paper document must go along. Raises
        FseError for a number that was not reserved, or is taken by a sheet that was not rejected.
        """
        with self._db.transaction():
            place = f"sheet {number}"
            if not 1 <= number <= self._db.value("SELECT next FROM counters WHERE sequence = 'sheet'"):
                raise FseError(place, "its number was not reserved", "take next_number first")
            proof_state = "due" if proof else ""
            today = self.today().isoformat()
            values = (made.isoformat(), third_party, amo, amc, body, content, proof_state, today if proof else None)
            old = self._db.row("SELECT state, since FROM sheets WHERE number = ?", number)
            if old is None:
                self._db.run(
                    "INSERT INTO sheets (number, state, made, third_party, amo, amc, body, content, proof, proof_since,"
                    " since) VALUES (?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    number,
                    *values,
                    today,
                )
                self._tell(place, "add", State.PENDING.value)
                return
            if State(old["state"]) not in (State.REJECTED, State.PAYMENT_REJECTED):
                raise FseError(
                    place,
                    f"its number is taken by a sheet that is {old['state']}",
                    "a number is recycled only after a rejection: take a new one",
                )
            # It has the delay of what was rejected; after a payment was, that of a new sending.
            since = old["since"] if old["state"] == State.REJECTED.value else today
            self._move(number, Move.RECTIFY)
            self._db.run(
                "UPDATE sheets SET made = ?, third_party = ?, amo = ?, amc = ?, body = ?, content = ?, proof = ?,"
                " proof_since = ?, secured = NULL, generation = generation + 1, retry_since = ? WHERE number = ?",
                *values,
                since,
                number,
            )

    def secure_sheet(self, number: int, secured: bytes) -> None:
        """The sheet with the signatures that its mode wants: it may be sent. Raises FseError unless it is pending."""
        with self._db.transaction():
            self._move(number, Move.SECURE)
            self._db.run("UPDATE sheets SET secured = ? WHERE number = ?", secured, number)

    def sheet(self, number: int) -> SheetRow:
        """A sheet. Raises FseError if there is none of this number."""
        row = self._db.row(SHEETS + "WHERE sheets.number = ?", number)
        if row is None:
            raise FseError(f"sheet {number}", "there is none", "check its number")
        return SheetRow.of(row)

    def sheets(self) -> tuple[SheetRow, ...]:
        """Every sheet, by number, without its bytes."""
        return tuple(map(SheetRow.of, self._db.rows(SHEETS_WITHOUT_BYTES + "ORDER BY sheets.number")))

    def open_sheets(self) -> Iterator[SheetRow]:
        """The sheets of which something is awaited, by number, without their bytes."""
        rows = self._db.rows(SHEETS_WITHOUT_BYTES + "WHERE sheets.closed IS NULL ORDER BY +sheets.number")
        return map(SheetRow.of, rows)

    def sheets_to_send(self) -> tuple[SheetRow, ...]:
        """The secured sheets that no lot carries."""
        where = "WHERE sheets.state = 'validated' AND sheets.lot IS NULL ORDER BY +sheets.number"
        return tuple(map(SheetRow.of, self._db.rows(SHEETS + where)))

    def paper(self, number: int, reason: str) -> None:
        """Give a sheet up electronically. Raises FseError while a file that may still go out carries it."""
        with self._db.transaction():
            row = self.sheet(number)
            if row.state in (State.VALIDATED, State.SENT) and row.lot:
                name = row.file or "(being made)"
                raise FseError(f"sheet {number}", f"file {name} carries it", "give that file up: the body may have it")
            self._move(number, Move.PAPER, reason)

    def retry(self, number: int, reason: str) -> None:
        """Send a rejected sheet again as it is: the body was mistaken, or it changed on its way. Raises FseError."""
        with self._db.transaction():
            self._move(number, Move.RETRY, reason)

    def retry_claim(self, number: int, reason: str) -> None:
        """Send a rejected claim again as it is. Raises FseError."""
        with self._db.transaction():
            self._move(number, Move.RETRY, reason, LotKind.DRE)

    def printed(self, number: int) -> None:
        """The paper duplicate is made: nothing more is awaited of the sheet."""
        with self._db.transaction():
            row = self.sheet(number)
            if row.state is not State.PAPER or row.closed is not None:
                raise FseError(f"sheet {number}", f"it is {row.state.value}: no paper is awaited", "give it up first")
            self._close(number)
            self._tell(f"sheet {number}", "printed")

    def set_proof(self, number: int, state: str) -> None:
        """What became of the paper document of a sheet: ``failed`` or ``sent``. Raises FseError if none is awaited."""
        with self._db.transaction():
            row = self.sheet(number)
            if row.proof not in ("due", "failed"):
                raise FseError(f"sheet {number}", "no document is awaited", "check its number")
            # The five days run from the first failure.
            since = row.proof_since if row.proof == state else self.today()
            assert since is not None  # noqa: S101 - a document has been awaited since some day
            self._db.run(
                "UPDATE sheets SET proof = ?, proof_since = ? WHERE number = ?", state, since.isoformat(), number
            )
            self._tell(f"sheet {number}", f"proof-{state}")
            if row.state in (State.ACCEPTED, State.PAID):
                self._settle(number)

    def abandon(self, number: int, reason: str) -> None:
        """Ask for nothing more after a rejection of payment: the sheet stays payment-rejected, for this reason."""
        with self._db.transaction():
            row = self.sheet(number)
            if row.state is not State.PAYMENT_REJECTED or row.closed is not None:
                raise FseError(f"sheet {number}", f"it is {row.state.value}", "only a rejected payment is abandoned")
            self._close(number)
            self._tell(f"sheet {number}", "abandon", reason)

    # -- claims -------------------------------------------------------------------------------------------------------

    def add_claim(
        self, number: int, sheet: int, amc: str, asked: int, data: bytes, made: date, cancels: int | None
    ) -> None:
        """A claim beside a sheet, or the one that cancels another.

        Raises FseError for a number that was not reserved or is taken, a second claim beside a sheet whose first one
        still stands, the cancellation of a claim that was not sent or is cancelled.
        """
        with self._db.transaction():
            place = f"claim {number}"
            if not 1 <= number <= self._db.value("SELECT next FROM counters WHERE sequence = 'claim'"):
                raise FseError(place, "its number was not reserved", "take next_claim_number first")
            if self._db.row("SELECT 1 FROM claims WHERE number = ?", number):
                raise FseError(place, "its number is taken", "take a new one")
            self.sheet(sheet)
            if cancels is None:
                standing = self._db.value(
                    "SELECT number FROM claims WHERE sheet = ? AND cancels IS NULL AND state != 'rejected'"
                    " AND number NOT IN (SELECT cancels FROM claims WHERE cancels IS NOT NULL)",
                    sheet,
                )
                if standing is not None:
                    raise FseError(place, f"claim {standing} stands for sheet {sheet}", "cancel it first")
            else:
                self._check_cancellation(place, sheet, cancels)
            today = self.today().isoformat()
            self._db.run(
                "INSERT INTO claims (number, sheet, state, amc, asked, cancels, data, made, since)"
                " VALUES (?, ?, 'validated', ?, ?, ?, ?, ?, ?)",
                *(number, sheet, amc, asked, cancels, data, made.isoformat(), today),
            )
            self._db.run(
                "UPDATE claims SET closed = ? WHERE sheet = ? AND state = 'rejected' AND closed IS NULL", today, sheet
            )
            self._tell(place, "add", f"sheet {sheet}" + (f", cancels {cancels}" if cancels else ""))

    def _check_cancellation(self, place: str, sheet: int, cancels: int) -> None:
        row = self._db.row("SELECT sheet, state, cancels FROM claims WHERE number = ?", cancels)
        if row is None or row["sheet"] != sheet or row["cancels"] is not None:
            raise FseError(place, f"{cancels} is no claim of sheet {sheet}", "check what it cancels")
        if row["state"] not in (State.SENT, State.ACCEPTED):
            raise FseError(place, f"claim {cancels} is {row['state']}", "only what was sent is cancelled")
        if self._db.row("SELECT 1 FROM claims WHERE cancels = ?", cancels):
            raise FseError(place, f"claim {cancels} is cancelled already", "nothing is to be done")

    def claim(self, number: int) -> ClaimRow:
        """A claim. Raises FseError if there is none of this number."""
        row = self._db.row(CLAIMS + "WHERE claims.number = ?", number)
        if row is None:
            raise FseError(f"claim {number}", "there is none", "check its number")
        return ClaimRow.of(row)

    def open_claims(self) -> Iterator[ClaimRow]:
        """The claims of which something is awaited, by number."""
        return map(ClaimRow.of, self._db.rows(CLAIMS + "WHERE claims.closed IS NULL ORDER BY +claims.number"))

    def claims_to_send(self) -> tuple[ClaimRow, ...]:
        """The claims that no lot carries and whose sheet is secured or further."""
        where = (
            "JOIN sheets ON sheets.number = claims.sheet WHERE claims.state = 'validated' AND claims.lot IS NULL"
            " AND sheets.state IN ('validated', 'sent', 'accepted', 'paid') ORDER BY +claims.number"
        )
        return tuple(map(ClaimRow.of, self._db.rows(CLAIMS + where)))

    # -- lots and files -----------------------------------------------------------------------------------------------

    def add_lot(self, kind: LotKind, rank: int, number: str, body: str, data: bytes, members: Sequence[int]) -> None:
        """A lot that is not signed yet, of the rank reserved in the same transaction. Its members are in no other."""
        table = _table(kind)
        with self._db.transaction():
            today = self.today().isoformat()
            self._db.run(
                "INSERT INTO lots (kind, rank, number, body, made, data, state) VALUES (?, ?, ?, ?, ?, ?, 'open')",
                *(kind.value, rank, number, body, today, data),
            )
            lot = self._db.value("SELECT last_insert_rowid()")
            for member in members:
                taken = self._db.run(
                    f"UPDATE {table} SET lot = ? WHERE number = ? AND state = 'validated' AND lot IS NULL",  # noqa: S608
                    *(lot, member),
                )
                if taken != 1:
                    raise FseError(f"lot {number}", f"{kind.value} {member} is not to be sent", "look at its state")
                generation = 1 if kind is LotKind.DRE else self.sheet(member).generation
                self._db.run("INSERT INTO members VALUES (?, ?, ?)", lot, member, generation)
            self._tell(f"lot {kind.value} {number}", "add", f"{len(members)} for {body}")

    def lots_without_file(self) -> tuple[LotRow, ...]:
        """The lots that are in no file yet, as they were made."""
        return tuple(map(LotRow.of, self._db.rows("SELECT * FROM lots WHERE file IS NULL ORDER BY +id")))

    def sign_lot(self, lot: int, data: bytes) -> None:
        """The bytes of a lot with its signature."""
        with self._db.transaction():
            if self._db.run("UPDATE lots SET data = ?, signed = 1 WHERE id = ? AND signed = 0", data, lot) != 1:
                raise FseError(f"lot of rank {lot}", "it is signed already, or there is none", "look at its state")

    def add_file(self, rank: int, file: TransportFile, lots: Sequence[int]) -> None:
        """A file ready to go, of the rank reserved in the same transaction, with the signed lots that it carries."""
        with self._db.transaction():
            number, today = form(Numbers.FILE, rank), self.today().isoformat()
            if self._db.row("SELECT 1 FROM files WHERE name = ?", file.name):
                raise FseError(f"file {file.name}", "its name is taken", "a name is never used again")
            self._db.run(
                "INSERT INTO files (rank, number, name, body, made, data, state) VALUES (?, ?, ?, ?, ?, ?, 'ready')",
                *(rank, number, file.name, file.body, today, file.data),
            )
            for lot in lots:
                changed = self._db.run(
                    "UPDATE lots SET file = ? WHERE id = ? AND file IS NULL AND signed = 1", rank, lot
                )
                if changed != 1:
                    raise FseError(f"file {file.name}", f"lot {lot} is not signed or is in a file", "sign it first")
            self._tell(f"file {file.name}", "add", f"{len(lots)} lots")

    def files(self, *states: str) -> tuple[FileRow, ...]:
        """The files in these states (``ready``, ``sent``), oldest first."""
        # The partial indexes only serve a state that is written out.
        rows = [row for state in states for row in self._db.rows(_FILES_IN[state])]
        return tuple(sorted(map(FileRow.of, rows), key=lambda file: file.rank))

    def file(self, name: str) -> FileRow:
        """A file by its name. Raises FseError if there is none, or its bytes were purged."""
        row = self._db.row("SELECT * FROM files WHERE name = ? AND data IS NOT NULL", name)
        if row is None:
            raise FseError(f"file {name}", "there is none, or it was purged", "check its name")
        return FileRow.of(row)

    def file_sent(self, name: str) -> None:
        """The file has been handed over, for the first time or again: what it carries is sent."""
        with self._db.transaction():
            file = self.file(name)
            if file.state == "given-up":
                raise FseError(f"file {name}", "it was given up", "it may not go out any more")
            today = self.today().isoformat()
            if file.state == "ready":
                self._db.run("UPDATE files SET state = 'sent' WHERE rank = ?", file.rank)
            self._db.run(
                "UPDATE files SET first_sent = coalesce(first_sent, ?), last_sent = ?, sendings = sendings + 1,"
                " refused = NULL, refusal = ''"
                " WHERE rank = ?",
                *(today, today, file.rank),
            )
            self._tell(f"file {name}", "sent", str(file.sendings + 1))
            if file.state == "ready":
                for kind, number in self._members_of_file(file.rank):
                    row = self.sheet(number) if kind is LotKind.FSE else self.claim(number)
                    if row.state is State.VALIDATED:  # of a file made anew, it is sent already
                        self._move(number, Move.SEND, name, kind)

    def give_up(self, name: str, reason: str) -> tuple[int, ...]:
        """Never send this file (again): what it carries and is not answered goes on paper. Gives those sheets."""
        with self._db.transaction():
            file = self.file(name)
            if file.state not in ("ready", "sent"):
                raise FseError(f"file {name}", f"it is {file.state}", "nothing is awaited of it")
            self._db.run("UPDATE files SET state = 'given-up' WHERE rank = ?", file.rank)
            self._tell(f"file {name}", "give-up", reason)
            given = []
            for kind, number in self._members_of_file(file.rank):
                self._move(number, Move.PAPER, reason, kind)
                if kind is LotKind.FSE:
                    given.append(number)
            self._db.run("UPDATE lots SET state = 'given-up' WHERE file = ? AND state = 'open'", file.rank)
            return tuple(given)

    def remake(self, name: str) -> None:
        """Put the lots of a file that the body refused as a whole into another file, made with the next ones.

        Raises FseError unless it was refused: what may have been read is only sent again as it was.
        """
        with self._db.transaction():
            file = self._db.row("SELECT rank, refused, state FROM files WHERE name = ?", name)
            if file is None or file["refused"] is None or file["state"] != "sent":
                raise FseError(f"file {name}", "it was not refused as a whole", "send it again as it is")
            self._db.run("UPDATE lots SET file = NULL WHERE file = ? AND state = 'open'", file["rank"])
            self._db.run("UPDATE files SET state = 'given-up' WHERE rank = ?", file["rank"])
            self._tell(f"file {name}", "remake")

    def _members_of_file(self, rank: int) -> list[tuple[LotKind, int]]:
        rows = self._db.rows(
            "SELECT lots.kind, members.number FROM lots JOIN members ON members.lot = lots.id"
            " WHERE lots.file = ? AND lots.state = 'open' ORDER BY lots.id, members.number",
            rank,
        )
        return [(LotKind(row["kind"]), row["number"]) for row in rows]

    # -- returns ------------------------------------------------------------------------------------------------------

    def keep_return(self, data: bytes) -> bool:
        """Keep a return as it came, to be applied. False: these very bytes were there already."""
        with self._db.transaction():
            digest = hashlib.sha256(data).digest()
            if self._db.row("SELECT 1 FROM returns WHERE digest = ?", digest):
                return False
            self._db.run(
                "INSERT INTO returns (received, data, digest, state) VALUES (?, ?, ?, 'new')",
                *(self.today().isoformat(), data, digest),
            )
            return True

    def returns(self, state: str) -> tuple[ReturnRow, ...]:
        """The returns that are ``new`` or ``refused``, as they came."""
        rows = self._db.rows(_RETURNS_IN[state])
        return tuple(
            ReturnRow(row["id"], date.fromisoformat(row["received"]), row["data"], row["state"], row["reason"])
            for row in rows
        )

    def refuse_return(self, row: int, reason: str) -> None:
        """A return that cannot be applied: somebody must look at it."""
        self._end_return(row, "refused", reason)

    def examined(self, row: int) -> None:
        """Somebody has looked at a refused return."""
        with self._db.transaction():
            if self._db.run("UPDATE returns SET state = 'examined' WHERE id = ? AND state = 'refused'", row) != 1:
                raise FseError(f"return {row}", "it is not one to examine", "check its number")
            self._tell(f"return {row}", "examined")

    def apply_arl(self, row: int, arl: Arl) -> None:
        """An acknowledgement: its lot is accepted, or rejected with the sheets it names; the others go out again.

        One that came before does nothing. Raises FseError for one of a lot that is unknown, that contradicts an earlier
        one, or whose lot was given up and is on paper.
        """
        with self._db.transaction():
            if self._came_before(row, arl):
                return
            place = f"ARL {arl.return_id}, {arl.lot_kind.value} lot {arl.lot} of file {arl.file}"
            lot = self._db.row(
                "SELECT lots.id, lots.state, lots.file, files.name, files.state AS file_state FROM lots"
                " JOIN files ON files.rank = lots.file"
                " WHERE files.name = ? AND lots.kind = ? AND lots.number = ? AND lots.body = ?",
                *(arl.file, arl.lot_kind.value, arl.lot, arl.body),
            )
            of_file = all(rejection.code.startswith(_OF_FILE) for rejection in arl.rejections)
            if arl.kind is ArlKind.NEGATIVE and of_file and self._refuse_file(arl):
                self._end_return(row, "applied", f"file {arl.file} refused", arl)
                return
            if lot is None or arl.sender != self.sender:
                raise FseError(place, f"no such lot of {self.sender} went to {arl.body}", "send it to whom it concerns")
            told = "accepted" if arl.kind is ArlKind.POSITIVE else "rejected"
            if lot["state"] == told or (lot["state"] == "given-up" and told == "rejected"):
                self._end_return(row, "again", f"the lot is {lot['state']} already", arl)
                return
            late = lot["state"] == "given-up" and told == "accepted" and not self._printed(lot["id"])
            if lot["state"] != "open" and not late:
                raise FseError(place, f"it is {told}, the lot was {lot['state']} before", "ask the body")
            if lot["file_state"] == "ready":
                self.file_sent(lot["name"])  # it was sent: only the crash that followed kept us from knowing it
            self._db.run("UPDATE lots SET state = ? WHERE id = ?", told, lot["id"])
            for member in self._db.rows("SELECT number FROM members WHERE lot = ? ORDER BY number", lot["id"]):
                self._acknowledge(member["number"], arl)
            if self._db.row("SELECT 1 FROM lots WHERE file = ? AND state = 'open'", lot["file"]) is None:
                self._db.run("UPDATE files SET state = 'answered' WHERE rank = ?", lot["file"])
            self._end_return(row, "applied", f"{arl.kind.value} {arl.lot_kind.value} {arl.lot}", arl)

    def _refuse_file(self, arl: Arl) -> bool:
        """A body that could not take a file as it came says nothing of its lots, even if it names some: nobody knows
        whether an earlier copy was taken. Only the same file again brings the answer to that.
        """
        reason = "; ".join(f"{rejection.code} {rejection.label}" for rejection in arl.rejections)
        refused = self._db.run(
            "UPDATE files SET refused = ?, refusal = ? WHERE name = ? AND state IN ('ready', 'sent')",
            *(self.today().isoformat(), reason, arl.file),
        )
        if refused:
            self._tell(f"file {arl.file}", "refused", reason)
        return refused == 1

    def _printed(self, lot: int) -> bool:
        question = (
            "SELECT 1 FROM members JOIN sheets ON sheets.number = members.number"
            " WHERE members.lot = ? AND (sheets.state != 'paper' OR sheets.closed IS NOT NULL)"
        )
        return self._db.row(question, lot) is not None

    def _acknowledge(self, number: int, arl: Arl) -> None:
        if arl.kind is ArlKind.POSITIVE:
            self._move(number, Move.ACCEPT, arl.return_id, arl.lot_kind)
            return
        own = [rejection for rejection in arl.rejections if rejection.invoice == number]
        every = own or [rejection for rejection in arl.rejections if rejection.invoice is None] or arl.rejections
        reason = "; ".join(f"{rejection.code} {rejection.label}" for rejection in every)
        self._move(number, Move.REJECT, reason, arl.lot_kind)
        if not own:
            # Nothing is wrong with it: its lot was refused, it goes out in another one.
            self._move(number, Move.RETRY, reason, arl.lot_kind)

    def apply_rsp(self, row: int, rsp: Rsp) -> None:
        """A return on payments: each line is kept, and its sheet is paid or rejected once all its payers have answered.

        One that came before does nothing. Raises FseError if its total is not that of its lines or it names a sheet
        that was never made: nothing of it is applied then.
        """
        with self._db.transaction():
            if self._came_before(row, rsp):
                return
            place = f"RSP {rsp.return_id}, transfer {rsp.transfer}"
            paid = sum(line.paid for line in rsp.lines)
            if paid != rsp.total:
                raise FseError(place, f"its total is {rsp.total}, its lines pay {paid}", "ask the body for it again")
            if rsp.sender != self.sender:
                raise FseError(place, f"it is for {rsp.sender}", "send it to whom it concerns")
            for line in rsp.lines:
                self._keep_payment(row, line, place)
            for number in sorted({line.invoice for line in rsp.lines}):
                self._settle(number)
            self._end_return(row, "applied", f"transfer {rsp.transfer}: {rsp.total}", rsp)

    def _keep_payment(self, row: int, line: RspLine, place: str) -> None:
        sheet = self._db.row("SELECT generation, state FROM sheets WHERE number = ?", line.invoice)
        if sheet is None:
            raise FseError(place, f"sheet {line.invoice} was never made here", "ask the body")
        # What a body says before this content was sent is said of the one before.
        unsent = sheet["state"] in (State.PENDING, State.VALIDATED) and sheet["generation"] > 1
        reason = line.rejection
        self._db.run(
            "INSERT INTO payments (sheet, generation, payer, outcome, asked, paid, code, label, return_id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(line.invoice, sheet["generation"] - unsent, line.payer, line.outcome.value, line.asked, line.paid),
            *(reason.code if reason else "", reason.label if reason else "", row),
        )
        self._tell(f"sheet {line.invoice}", line.outcome.value, f"{line.payer}: {line.paid} of {line.asked}")

    def payments(self, number: int) -> tuple[Payment, ...]:
        """What was said of a sheet as it is now, the last word of each payer."""
        rows = self._db.rows(
            "SELECT payments.* FROM payments JOIN sheets ON sheets.number = payments.sheet"
            " WHERE sheet = ? AND payments.generation = sheets.generation ORDER BY id",
            number,
        )
        last = {row["payer"]: row for row in rows}
        return tuple(
            Payment(number, payer, Outcome(row["outcome"]), row["asked"], row["paid"], row["code"], row["label"])
            for payer, row in last.items()
        )

    def _settle(self, number: int) -> None:
        """Draw the conclusion from what the payers said, once the sheet is accepted (or went on paper)."""
        row = self.sheet(number)
        if row.state is State.PAID:
            self._close_if_complete(number)
        if row.state not in (State.ACCEPTED, State.PAYMENT_REJECTED, State.PAPER):
            return
        said = self.payments(number)
        refused = [one for one in said if one.outcome is Outcome.REJECTED]
        if refused and row.state is not State.PAYMENT_REJECTED:
            reason = "; ".join(f"{one.payer}: {one.code} {one.label}" for one in refused)
            self._move(number, Move.REFUSE_PAYMENT, reason)
        elif said and not refused and sum(one.asked for one in said) >= row.amo + row.amc - self._claimed_on_paper(row):
            self._move(number, Move.PAY, f"{sum(one.paid for one in said)} of {row.amo + row.amc}")
        elif row.state is State.ACCEPTED and (not row.third_party or row.amo + row.amc == 0):
            self._close_if_complete(number)  # nothing comes to the practice: the insured is paid

    def _claimed_on_paper(self, row: SheetRow) -> int:
        """What no return will ever speak of, since its claim was given up electronically."""
        question = "SELECT coalesce(sum(asked), 0) FROM claims WHERE sheet = ? AND state = 'paper'"
        return int(self._db.value(question, row.number))

    def _came_before(self, row: int, answer: Arl | Rsp) -> bool:
        found = self._db.value(
            "SELECT 1 FROM returns WHERE body = ? AND return_id = ? AND state = 'applied'",
            *(answer.body, answer.return_id),
        )
        if found is not None:
            self._end_return(row, "again", f"{answer.return_id} came before", answer)
        return found is not None

    def _end_return(self, row: int, state: str, reason: str, answer: Arl | Rsp | None = None) -> None:
        with self._db.transaction():
            body, return_id = (answer.body, answer.return_id) if answer else (None, None)
            changed = self._db.run(
                "UPDATE returns SET state = ?, reason = ?, body = ?, return_id = ? WHERE id = ? AND state = 'new'",
                *(state, reason, body, return_id, row),
            )
            if changed != 1:
                raise FseError(f"return {row}", "it is not a new one", "each is applied once")
            self._tell(f"return {return_id or row}", state, reason)

    # -- purge and history --------------------------------------------------------------------------------------------

    def purgeable(self, limit: date) -> Iterator[SheetRow]:
        """The closed sheets whose bytes are still kept and that were closed before ``limit``."""
        where = "WHERE sheets.closed < ? AND sheets.purged IS NULL ORDER BY +sheets.number"
        return map(SheetRow.of, self._db.rows(SHEETS_WITHOUT_BYTES + where, limit.isoformat()))

    def purge(self, limit: date) -> int:
        """Forget the bytes of the sheets closed before ``limit``, of their claims, lots and files; numbers, states and
        history stay. Gives how many sheets."""
        with self._db.transaction():
            gone = [row.number for row in self.purgeable(limit)]
            today = self.today().isoformat()
            for number in gone:
                self._db.run(
                    "UPDATE sheets SET content = NULL, secured = NULL, purged = ? WHERE number = ?", today, number
                )
                self._db.run("UPDATE claims SET data = NULL WHERE sheet = ?", number)
                self._tell(f"sheet {number}", "purge")
            self._purge_lots(gone)
            return len(gone)

    def _purge_lots(self, sheets: Sequence[int]) -> None:
        lots: set[int] = set()
        for number in sheets:
            claims = [row["number"] for row in self._db.rows("SELECT number FROM claims WHERE sheet = ?", number)]
            for kind, member in (("fse", number), *(("dre", claim) for claim in claims)):
                rows = self._db.rows(
                    "SELECT lot FROM members JOIN lots ON lots.id = members.lot WHERE members.number = ? AND kind = ?",
                    *(member, kind),
                )
                lots.update(row["lot"] for row in rows)
        kept = {
            "fse": "SELECT 1 FROM members JOIN sheets ON sheets.number = members.number WHERE members.lot = ?"
            " AND sheets.purged IS NULL",
            "dre": "SELECT 1 FROM members JOIN claims ON claims.number = members.number WHERE members.lot = ?"
            " AND claims.data IS NOT NULL",
        }
        files = set()
        for lot in sorted(lots):
            kind, file = self._db.rows("SELECT kind, file FROM lots WHERE id = ?", lot)[0]
            if self._db.row(kept[kind], lot) is None:
                self._db.run("UPDATE lots SET data = NULL WHERE id = ?", lot)
                files.add(file)
        for file in files:
            if self._db.row("SELECT 1 FROM lots WHERE file = ? AND data IS NOT NULL", file) is None:
                self._db.run("UPDATE files SET data = NULL WHERE rank = ?", file)

    def history(self, subject: str | None = None) -> Iterator[tuple[str, str, str, str]]:
        """What happened, to all or to one subject (``sheet 12``, ``file ...``): moment, subject, what, detail."""
        if subject is None:
            rows = self._db.rows("SELECT at, subject, what, detail FROM events ORDER BY id")
        else:
            rows = self._db.rows("SELECT at, subject, what, detail FROM events WHERE subject = ? ORDER BY id", subject)
        return ((row["at"], row["subject"], row["what"], row["detail"]) for row in rows)

    # -- inside -------------------------------------------------------------------------------------------------------

    def _move(self, number: int, move: Move, reason: str = "", kind: LotKind = LotKind.FSE) -> None:
        """The only way a state changes."""
        table = _table(kind)
        place = f"{'sheet' if kind is LotKind.FSE else 'claim'} {number}"
        found = self._db.value(f"SELECT state FROM {table} WHERE number = ?", number)  # noqa: S608
        if found is None:
            raise FseError(place, "there is none", "check its number")
        state = after(State(found), move, place)
        today = self.today().isoformat()
        self._db.run(
            f"UPDATE {table} SET state = ?, since = ?, reason = ?, closed = NULL WHERE number = ?",  # noqa: S608
            *(state.value, today, reason if move in _WITH_REASON else "", number),
        )
        self._tell(place, move.value, f"{found} -> {state.value}" + (f": {reason}" if reason else ""))
        if move in (Move.RETRY, Move.RECTIFY):
            self._db.run(f"UPDATE {table} SET lot = NULL WHERE number = ?", number)  # noqa: S608
        if kind is LotKind.DRE:
            if state in (State.ACCEPTED, State.PAPER):
                self._db.run("UPDATE claims SET closed = ? WHERE number = ?", today, number)
            if state is State.PAPER:
                self._settle(self.claim(number).sheet)
            return
        if move is Move.RETRY:
            self._db.run("UPDATE sheets SET retry_since = ? WHERE number = ?", today, number)
        if state is State.ACCEPTED:
            self._settle(number)
        elif state is State.PAID:
            self._close_if_complete(number)
        elif state is State.PAPER:
            where = "WHERE sheet = ? AND state = 'validated' AND lot IS NULL"
            for claim in self._db.rows(f"SELECT number FROM claims {where}", number):  # noqa: S608
                self._move(claim["number"], Move.PAPER, reason, LotKind.DRE)

    def _close_if_complete(self, number: int) -> None:
        if self.sheet(number).proof in ("", "sent"):
            self._close(number)

    def _close(self, number: int) -> None:
        self._db.run("UPDATE sheets SET closed = ? WHERE number = ?", self.today().isoformat(), number)

    def _tell(self, subject: str, what: str, detail: str = "") -> None:
        at = self._clock.now().isoformat(timespec="milliseconds")
        self._db.run("INSERT INTO events (at, subject, what, detail) VALUES (?, ?, ?, ?)", at, subject, what, detail)


# A ``+`` keeps SQLite from reading the whole table by its key to have the order for nothing: the partial indexes hold
# few rows, those of which something is awaited.
_FILES_IN = {state: f"SELECT * FROM files WHERE state = '{state}'" for state in ("ready", "sent")}  # noqa: S608
_RETURNS_IN = {
    state: f"SELECT * FROM returns WHERE state = '{state}' ORDER BY +id"  # noqa: S608
    for state in ("new", "refused")
}
_OF_FILE = "file-"
"""How the laboratory's codes begin that are about a whole file rather than its lots (reasons.yaml of the front end)."""
_WITH_REASON = (Move.REJECT, Move.RETRY, Move.REFUSE_PAYMENT, Move.PAPER)


def _table(kind: LotKind) -> str:
    return "sheets" if kind is LotKind.FSE else "claims"
