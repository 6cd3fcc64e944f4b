"""What a return on payments (RSP) changes."""

from __future__ import annotations

from sqlite3 import Row

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import PaymentOutcome, Rsp, RspLine, SheetState
from bifente.simulator.software.billing.store.life import Life
from bifente.simulator.software.billing.store.returns import Returns

_STANDING = (PaymentOutcome.PAID, PaymentOutcome.PARTLY_PAID)
_CURE = "ask the body what it means before anything of it is booked"


class Payments(Returns, Life):
    """What the payers said is kept line by line; ``Life`` draws the conclusion."""

    def apply_rsp(self, row: int, rsp: Rsp) -> None:
        """A return on payments: each line is kept, and its sheet is paid or rejected once all its payers have answered.

        One that came before does nothing. Raises FseError if its total is not that of its lines, it names a sheet that
        was never made, comes from a body of which nothing was asked, tells of another amount than was asked, tells a
        payment twice, rejects what was paid, or takes back what was not: nothing of it is applied then.
        """
        with self._db.transaction():
            if self._came_before(row, rsp):
                return
            place = f"RSP {rsp.return_id}, transfer {rsp.transfer}"
            paid = sum(line.transferred for line in rsp.lines)
            if paid != rsp.total:
                raise FseError(place, f"its total is {rsp.total}, its lines pay {paid}", "ask the body for it again")
            if rsp.sender != self.sender:
                raise FseError(place, f"it is for {rsp.sender}", "send it to whom it concerns")
            for line in rsp.lines:
                self._keep_payment(row, line, rsp.body, place)
            for number in sorted({line.invoice for line in rsp.lines}):
                self._settle(number)
            self._end_return(row, "applied", f"transfer {rsp.transfer}: {rsp.total}", rsp)

    def payment_examined(self, number: int) -> None:
        """Somebody has looked at what was paid in part of a sheet: nothing more is asked. Raises FseError."""
        with self._db.transaction():
            place = f"sheet {number}"
            row = self.sheet(number)
            if row.state is not SheetState.PAID or not row.short:
                raise FseError(place, f"it is {row.state.value}: no payment in part is to examine", "check its number")
            self._db.run(
                "UPDATE payments SET examined = ? WHERE sheet = ? AND outcome = 'partly-paid' AND examined IS NULL"
                " AND generation = (SELECT generation FROM sheets WHERE number = payments.sheet)",
                *(self.today().isoformat(), number),
            )
            self._tell(place, "payment-examined", row.short)
            self._close_if_complete(number)

    def _keep_payment(self, row: int, line: RspLine, body: str, place: str) -> None:
        generation = self._generation_paid(line, body, place)
        self._check_word(line, generation, place)
        reason = line.rejection
        self._db.run(
            "INSERT INTO payments (sheet, generation, payer, outcome, asked, paid, code, label, return_id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(line.invoice, generation, line.payer, line.outcome.value, line.asked, line.paid),
            *(reason.code if reason else "", reason.label if reason else "", row),
        )
        self._tell(f"sheet {line.invoice}", line.outcome.value, f"{line.payer}: {line.paid} of {line.asked}")

    def _check_word(self, line: RspLine, generation: int, place: str) -> None:
        """What a payer says after its last word on this content: a payment stands until it is taken back."""
        last = self._db.row(
            "SELECT outcome, paid FROM payments WHERE sheet = ? AND generation = ? AND payer = ?"
            " ORDER BY id DESC LIMIT 1",
            *(line.invoice, generation, line.payer),
        )
        outcome, standing = (None, 0) if last is None else (last["outcome"], last["paid"])
        stands = outcome in _STANDING
        told = f"sheet {line.invoice}, {line.payer}"
        if line.outcome is PaymentOutcome.REVERSED:
            if not stands or standing != line.paid:
                paid = standing if stands else "nothing"
                raise FseError(place, f"{told}: it takes {line.paid} back, {paid} was paid", _CURE)
        elif stands and line.outcome is PaymentOutcome.REJECTED:
            raise FseError(place, f"{told}: it is rejected after it was paid", _CURE)
        elif stands and (outcome == PaymentOutcome.PAID or line.outcome is not PaymentOutcome.PAID):
            raise FseError(place, f"{told}: it was paid already", _CURE)

    def _generation_paid(self, line: RspLine, body: str, place: str) -> int:
        """Of which content of the sheet a line speaks: the one sent last that asked this of this body."""
        sheet = self._db.row("SELECT state, generation, body, amo, amc FROM sheets WHERE number = ?", line.invoice)
        if sheet is None:
            raise FseError(place, f"sheet {line.invoice} was never made here", "ask the body")
        contents = self._db.rows(
            "SELECT generation, body, amo, amc FROM former WHERE sheet = ? ORDER BY generation DESC", line.invoice
        )
        if not contents or sheet["state"] not in (SheetState.PENDING, SheetState.VALIDATED):
            # What a body says before a rectified content was sent is said of the one before.
            contents.insert(0, sheet)
        asked = [(one["generation"], self._asked(one, line, body)) for one in contents]
        if all(amount is None for _, amount in asked):
            raise FseError(place, f"nothing of sheet {line.invoice} was asked of {body} for {line.payer}", _CURE)
        found: int | None = next((generation for generation, amount in asked if amount == line.asked), None)
        if found is None or not 0 <= line.paid <= line.asked:
            amounts = " or ".join(dict.fromkeys(str(amount) for _, amount in asked if amount is not None))
            raise FseError(
                place,
                f"sheet {line.invoice}, {line.payer}: it tells {line.paid} paid of {line.asked}, asked were {amounts}",
                _CURE,
            )
        return found

    def _asked(self, content: Row, line: RspLine, body: str) -> int | None:
        """What a content of a sheet, or a claim beside it, asked of a body for a payer."""
        if body == content["body"]:
            parts = {"amo": content["amo"], "amc": content["amc"]}  # that of a mutuelle comes through the AMO
            return parts.get(line.payer)
        if line.payer != "amc":
            return None
        claims = [
            row["asked"]
            for row in self._db.rows(
                "SELECT asked FROM claims WHERE sheet = ? AND amc = ? AND cancels IS NULL ORDER BY number DESC",
                *(line.invoice, body),
            )
        ]
        return next((asked for asked in claims if asked == line.asked), claims[0] if claims else None)
