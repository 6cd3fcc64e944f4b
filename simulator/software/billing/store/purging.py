"""Forgetting what was kept long enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from bifente.simulator.software.billing.store.core import Core
from bifente.simulator.software.billing.store.rows import SHEETS_WITHOUT_BYTES, SheetRow


class Purging(Core):
    """Bytes go, numbers, states and history stay."""

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
