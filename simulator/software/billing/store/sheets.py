"""What the practice does with its sheets, from the first keeping to the paper."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import SheetState
from bifente.simulator.software.billing.store.life import Life
from bifente.simulator.software.billing.store.rows import SHEETS, SHEETS_WITHOUT_BYTES, SheetRow
from bifente.simulator.software.billing.store.states import Move


class Sheets(Life):
    """Sheets are made, secured, sent again, given up."""

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
                self._tell(place, "add", SheetState.PENDING.value)
                return
            if SheetState(old["state"]) not in (SheetState.REJECTED, SheetState.PAYMENT_REJECTED):
                raise FseError(
                    place,
                    f"its number is taken by a sheet that is {old['state']}",
                    "a number is recycled only after a rejection: take a new one",
                )
            # It has the delay of what was rejected; after a payment was, that of a new sending.
            since = old["since"] if old["state"] == SheetState.REJECTED.value else today
            self._db.run(
                "INSERT INTO former SELECT number, generation, body, amo, amc FROM sheets WHERE number = ?", number
            )
            self._move(number, Move.RECTIFY)
            self._db.run(
                "UPDATE sheets SET made = ?, third_party = ?, amo = ?, amc = ?, body = ?, content = ?, proof = ?,"
                " proof_since = ?, secured = NULL, generation = generation + 1, retry_since = ? WHERE number = ?",
                *values,
                since,
                number,
            )

    def secure_sheet(self, number: int, secured: bytes, *, paper: bool = False) -> None:
        """The sheet with the signatures that its mode wants: it may be sent. Raises FseError unless it is pending.

        ``paper``: a form signed on paper goes along, which is to be sent as well.
        """
        with self._db.transaction():
            self._move(number, Move.SECURE)
            self._db.run("UPDATE sheets SET secured = ? WHERE number = ?", secured, number)
            if paper:
                self._db.run(
                    "UPDATE sheets SET proof = 'due', proof_since = ? WHERE number = ? AND proof = ''",
                    *(self.today().isoformat(), number),
                )

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
            if row.state in (SheetState.VALIDATED, SheetState.SENT) and row.lot:
                name = row.file or "(being made)"
                raise FseError(f"sheet {number}", f"file {name} carries it", "give that file up: the body may have it")
            self._move(number, Move.PAPER, reason)

    def printed(self, number: int) -> None:
        """The paper duplicate is made: nothing more is awaited of the sheet."""
        with self._db.transaction():
            row = self.sheet(number)
            if row.state is not SheetState.PAPER or row.closed is not None:
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
            if row.state in (SheetState.ACCEPTED, SheetState.PAID):
                self._settle(number)

    def abandon(self, number: int, reason: str) -> None:
        """Ask for nothing more after a rejection of payment: the sheet stays payment-rejected, for this reason."""
        with self._db.transaction():
            row = self.sheet(number)
            if row.state is not SheetState.PAYMENT_REJECTED or row.closed is not None:
                raise FseError(f"sheet {number}", f"it is {row.state.value}", "only a rejected payment is abandoned")
            self._close(number)
            self._tell(f"sheet {number}", "abandon", reason)
