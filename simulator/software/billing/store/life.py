"""The life of a sheet and of its claims: the one place where a state changes, and what a change brings about."""

from __future__ import annotations

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import LotKind, PaymentOutcome, SheetState
from bifente.simulator.software.billing.store.core import Core
from bifente.simulator.software.billing.store.rows import CLAIMS, SHEETS, ClaimRow, PaymentRow, SheetRow, day
from bifente.simulator.software.billing.store.states import Move, after

_WITH_REASON = (Move.REJECT, Move.RETRY, Move.REFUSE_PAYMENT, Move.REVERSE, Move.PAPER)

_NOTHING = (PaymentOutcome.REJECTED, PaymentOutcome.REVERSED)
"""The words of a payer after which nothing of it is there."""


class Life(Core):
    """Sheets and claims one by one: what they are, what was paid, what follows from that."""

    def sheet(self, number: int) -> SheetRow:
        """A sheet. Raises FseError if there is none of this number."""
        row = self._db.row(SHEETS + "WHERE sheets.number = ?", number)
        if row is None:
            raise FseError(f"sheet {number}", "there is none", "check its number")
        return SheetRow.of(row)

    def claim(self, number: int) -> ClaimRow:
        """A claim. Raises FseError if there is none of this number."""
        row = self._db.row(CLAIMS + "WHERE claims.number = ?", number)
        if row is None:
            raise FseError(f"claim {number}", "there is none", "check its number")
        return ClaimRow.of(row)

    def payments(self, number: int) -> tuple[PaymentRow, ...]:
        """What was said of a sheet as it is now, the last word of each payer."""
        rows = self._db.rows(
            "SELECT payments.* FROM payments JOIN sheets ON sheets.number = payments.sheet"
            " WHERE sheet = ? AND payments.generation = sheets.generation ORDER BY id",
            number,
        )
        last = {row["payer"]: row for row in rows}
        return tuple(
            PaymentRow(
                number,
                payer,
                PaymentOutcome(row["outcome"]),
                *(row["asked"], row["paid"], row["code"], row["label"]),
                day(row["examined"]),
            )
            for payer, row in last.items()
        )

    def _move(self, number: int, move: Move, reason: str = "", kind: LotKind = LotKind.FSE) -> None:
        """The only way a state changes."""
        table = table_of(kind)
        place = f"{'sheet' if kind is LotKind.FSE else 'claim'} {number}"
        found = self._db.value(f"SELECT state FROM {table} WHERE number = ?", number)  # noqa: S608
        if found is None:
            raise FseError(place, "there is none", "check its number")
        state = after(SheetState(found), move, place)
        today = self.today().isoformat()
        self._db.run(
            f"UPDATE {table} SET state = ?, since = ?, reason = ?, closed = NULL WHERE number = ?",  # noqa: S608
            *(state.value, today, reason if move in _WITH_REASON else "", number),
        )
        self._tell(place, move.value, f"{found} -> {state.value}" + (f": {reason}" if reason else ""))
        if move in (Move.RETRY, Move.RECTIFY):
            self._db.run(f"UPDATE {table} SET lot = NULL WHERE number = ?", number)  # noqa: S608
        if kind is LotKind.DRE:
            if state in (SheetState.ACCEPTED, SheetState.PAPER):
                self._db.run("UPDATE claims SET closed = ? WHERE number = ?", today, number)
            if state is SheetState.PAPER:
                self._settle(self.claim(number).sheet)
            return
        if move is Move.RETRY:
            self._db.run("UPDATE sheets SET retry_since = ? WHERE number = ?", today, number)
        if state is SheetState.ACCEPTED:
            self._settle(number)
        elif state is SheetState.PAID:
            self._close_if_complete(number)
        elif state is SheetState.PAPER:
            where = "WHERE sheet = ? AND state = 'validated' AND lot IS NULL"
            for claim in self._db.rows(f"SELECT number FROM claims {where}", number):  # noqa: S608
                self._move(claim["number"], Move.PAPER, reason, LotKind.DRE)

    def _settle(self, number: int) -> None:
        """Draw the conclusion from what the payers said, once the sheet is accepted (or went on paper)."""
        row = self.sheet(number)
        said = self.payments(number)
        refused = [one for one in said if one.outcome in _NOTHING]
        reason = "; ".join(f"{one.payer}: {one.code} {one.label}" for one in refused)
        if row.state is SheetState.PAID and any(one.outcome is PaymentOutcome.REVERSED for one in refused):
            self._move(number, Move.REVERSE, reason)
            return
        if row.state is SheetState.PAID:
            self._close_if_complete(number)
        if row.state not in (SheetState.ACCEPTED, SheetState.PAYMENT_REJECTED, SheetState.PAPER):
            return
        if refused and row.state is not SheetState.PAYMENT_REJECTED:
            self._move(number, Move.REFUSE_PAYMENT, reason)
        elif said and not refused and sum(one.asked for one in said) >= row.amo + row.amc - self._claimed_on_paper(row):
            self._move(number, Move.PAY, f"{sum(one.paid for one in said)} of {row.amo + row.amc}")
        elif row.state is SheetState.ACCEPTED and (not row.third_party or row.amo + row.amc == 0):
            self._close_if_complete(number)  # nothing comes to the practice: the insured is paid

    def _claimed_on_paper(self, row: SheetRow) -> int:
        """What no return will ever speak of, since its claim was given up electronically."""
        question = "SELECT coalesce(sum(asked), 0) FROM claims WHERE sheet = ? AND state = 'paper'"
        return int(self._db.value(question, row.number))

    def _close_if_complete(self, number: int) -> None:
        row = self.sheet(number)
        if row.short and row.closed is not None:  # it was paid, and one more payer paid less
            self._db.run(
                "UPDATE sheets SET closed = NULL, since = ? WHERE number = ?", self.today().isoformat(), number
            )
        elif row.proof in ("", "sent") and not row.short:
            self._close(number)

    def _close(self, number: int) -> None:
        self._db.run("UPDATE sheets SET closed = ? WHERE number = ?", self.today().isoformat(), number)


def table_of(kind: LotKind) -> str:
    """The table of sheets or that of claims."""
    return "sheets" if kind is LotKind.FSE else "claims"
