"""What an acknowledgement (ARL) changes."""

from __future__ import annotations

import sqlite3

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import Arl, ArlKind, LotKind
from bifente.simulator.software.billing.store.life import table_of
from bifente.simulator.software.billing.store.outbox import Outbox
from bifente.simulator.software.billing.store.returns import Returns
from bifente.simulator.software.billing.store.states import Move


class Acknowledgements(Returns, Outbox):
    """A lot is accepted or rejected by an ARL about the bytes that were sent; one about other bytes tells nothing."""

    def apply_arl(self, row: int, arl: Arl) -> None:
        """An acknowledgement: its lot is accepted, or rejected with the sheets it names; the others go out again.

        That holds if it answers the bytes that were sent, whatever its reasons: a body takes a name and its bytes once
        and answers them alike, so that what it refused it never took. One that names no lot is about all of the file.
        If it answers other bytes see ``_refuse_copy``. One that came before does nothing.

        Raises FseError for one of a lot that is unknown, that contradicts an earlier one, that accepts other bytes than
        those sent, or whose lot was given up and is on paper.
        """
        with self._db.transaction():
            if self._came_before(row, arl):
                return
            place = f"ARL {arl.return_id}, {arl.lot_kind.value} lot {arl.lot} of file {arl.file}"
            file = self._db.row("SELECT rank, name, state, sha256 FROM files WHERE name = ?", arl.file)
            if file is not None and file["sha256"] != arl.received:
                self._refuse_copy(row, arl, file, place)
                return
            lots = [] if file is None or arl.sender != self.sender else self._lots(file["rank"], arl)
            if file is None or not lots:
                raise FseError(place, f"no such lot of {self.sender} went to {arl.body}", "send it to whom it concerns")
            told = "accepted" if arl.kind is ArlKind.POSITIVE else "rejected"
            concerned = [lot["id"] for lot in lots if self._is_news(lot, told, place)]
            if not concerned:
                self._end_return(row, "again", f"the lot is {lots[0]['state']} already", arl)
                return
            if file["state"] == "ready":
                self.file_sent(file["name"])  # it was sent: only the crash that followed kept us from knowing it
            for lot in concerned:
                self._db.run("UPDATE lots SET state = ? WHERE id = ?", told, lot)
                for member in self._db.rows("SELECT number FROM members WHERE lot = ? ORDER BY number", lot):
                    self._acknowledge(member["number"], arl)
            if self._db.row("SELECT 1 FROM lots WHERE file = ? AND state = 'open'", file["rank"]) is None:
                self._db.run("UPDATE files SET state = 'answered' WHERE rank = ?", file["rank"])
            self._end_return(row, "applied", f"{arl.kind.value} {arl.lot_kind.value} {arl.lot}", arl)

    def _refuse_copy(self, row: int, arl: Arl, file: sqlite3.Row, place: str) -> None:
        """A copy that changed on its way says nothing of what was sent, even if it names lots and sheets: nobody knows
        whether the good one was taken. Only the same file again brings the answer to that; if it has come already, or
        the file was given up, nothing is to be done. Such a copy cannot be accepted: somebody must look.
        """
        if arl.kind is ArlKind.POSITIVE:
            raise FseError(
                place,
                f"it accepts other bytes (SHA-256 {arl.received}) than those sent ({file['sha256']})",
                "ask the body what it took before anything of this file goes out again",
            )
        if file["state"] not in ("ready", "sent"):
            self._end_return(row, "again", f"a copy changed on its way; file {file['name']} is {file['state']}", arl)
            return
        reason = "; ".join(f"{rejection.code} {rejection.label}" for rejection in arl.rejections)
        today = self.today().isoformat()
        self._db.run("UPDATE files SET refused = ?, refusal = ? WHERE rank = ?", today, reason, file["rank"])
        self._tell(f"file {file['name']}", "refused", reason)
        self._end_return(row, "applied", f"a copy of file {file['name']} changed on its way", arl)

    def _lots(self, file: int, arl: Arl) -> list[sqlite3.Row]:
        if arl.kind is ArlKind.NEGATIVE and not arl.lot:
            return self._db.rows("SELECT id, kind, state FROM lots WHERE file = ? ORDER BY id", file)
        return self._db.rows(
            "SELECT id, kind, state FROM lots WHERE file = ? AND kind = ? AND number = ? AND body = ?",
            *(file, arl.lot_kind.value, arl.lot, arl.body),
        )

    def _is_news(self, lot: sqlite3.Row, told: str, place: str) -> bool:
        """Whether a lot becomes what is told of it. Raises FseError if it cannot any more."""
        if lot["state"] == told or (lot["state"] == "given-up" and told == "rejected"):
            return False
        late = lot["state"] == "given-up" and not self._printed(lot)
        if lot["state"] != "open" and not late:
            raise FseError(place, f"it is {told}, the lot was {lot['state']} before", "ask the body")
        return True

    def _printed(self, lot: sqlite3.Row) -> bool:
        """Whether anything of a lot that was given up is over: a sheet is once it is printed, a claim at once."""
        question = (
            f"SELECT 1 FROM members JOIN {table_of(LotKind(lot['kind']))} AS one ON one.number = members.number"  # noqa: S608
            " WHERE members.lot = ? AND (one.state != 'paper' OR one.closed IS NOT NULL)"
        )
        return self._db.row(question, lot["id"]) is not None

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
