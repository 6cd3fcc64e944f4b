"""Returns as they came: each kept once, applied once, or laid aside for somebody to look at."""

from __future__ import annotations

import hashlib
from datetime import date

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import Arl, Rsp
from bifente.simulator.software.billing.store.core import Core
from bifente.simulator.software.billing.store.rows import ReturnRow

# The partial indexes hold few rows, those of which something is awaited, and only serve a state that is written out;
# for ``+id`` see ``rows``.
_RETURNS_IN = {
    state: f"SELECT * FROM returns WHERE state = '{state}' ORDER BY +id"  # noqa: S608
    for state in ("new", "refused")
}


class Returns(Core):
    """What came back, whatever it says."""

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
