"""The claims (DRE) beside sheets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import SheetState
from bifente.simulator.software.billing.store.life import Life
from bifente.simulator.software.billing.store.rows import CLAIMS, ClaimRow


class Claims(Life):
    """A sheet has one claim that stands, or none."""

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
        if row["state"] not in (SheetState.SENT, SheetState.ACCEPTED):
            raise FseError(place, f"claim {cancels} is {row['state']}", "only what was sent is cancelled")
        if self._db.row("SELECT 1 FROM claims WHERE cancels = ?", cancels):
            raise FseError(place, f"claim {cancels} is cancelled already", "nothing is to be done")

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
