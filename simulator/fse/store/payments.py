"""What a return on payments (RSP) changes."""

from __future__ import annotations

from simulator.fse.errors import FseError
from simulator.fse.model import Rsp, RspLine, State
from simulator.fse.store.life import Life
from simulator.fse.store.returns import Returns


class Payments(Returns, Life):
    """What the payers said is kept line by line; ``Life`` draws the conclusion."""

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
