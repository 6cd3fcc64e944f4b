"""What goes out: lots, and the files that carry them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import LotKind, TransportFile
from bifente.simulator.formats.fse.numbers import Sequence as Numbers
from bifente.simulator.formats.fse.numbers import form
from bifente.simulator.software.billing.store.life import Life, table_of
from bifente.simulator.software.billing.store.rows import FileRow, LotRow
from bifente.simulator.software.billing.store.states import Move

# As for returns: a partial index only serves a state that is written out.
_FILES_IN = {state: f"SELECT * FROM files WHERE state = '{state}'" for state in ("ready", "sent")}  # noqa: S608


class Outbox(Life):
    """A lot is made, signed, put into a file; a file is ready, sent, answered or given up."""

    def add_lot(self, kind: LotKind, rank: int, number: str, body: str, data: bytes, members: Sequence[int]) -> None:
        """A lot that is not signed yet, of the rank reserved in the same transaction. Its members are in no other."""
        table = table_of(kind)
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
                "INSERT INTO files (rank, number, name, body, made, data, sha256, state)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 'ready')",
                *(rank, number, file.name, file.body, today, file.data, hashlib.sha256(file.data).hexdigest()),
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

    def _members_of_file(self, rank: int) -> list[tuple[LotKind, int]]:
        rows = self._db.rows(
            "SELECT lots.kind, members.number FROM lots JOIN members ON members.lot = lots.id"
            " WHERE lots.file = ? AND lots.state = 'open' ORDER BY lots.id, members.number",
            rank,
        )
        return [(LotKind(row["kind"]), row["number"]) for row in rows]
