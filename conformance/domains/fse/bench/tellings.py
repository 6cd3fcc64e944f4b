"""A return on payments that says another thing of the lines of one before."""

from __future__ import annotations

from dataclasses import replace

from bifente.simulator.formats.fse.model import PaymentOutcome, Rsp, RspLine
from bifente.simulator.services.frontal.reasons import rejection

_REASONS = {PaymentOutcome.REJECTED: "under-control", PaymentOutcome.REVERSED: "taken-back"}


def said_again(told: Rsp, outcome: PaymentOutcome) -> Rsp:
    """Return the same lines once more, each with an outcome, under a return and a transfer of their own."""
    lines = tuple(_line(line, outcome) for line in told.lines)
    return replace(
        told,
        return_id=f"{told.return_id[:14]}-{outcome.value[:3].upper()}",
        transfer=f"{told.transfer[:24]} BIS",
        lines=lines,
        total=sum(line.transferred for line in lines),
    )


def _line(line: RspLine, outcome: PaymentOutcome) -> RspLine:
    why = _REASONS.get(outcome)
    whole = outcome is PaymentOutcome.PAID or not line.paid
    paid = 0 if outcome is PaymentOutcome.REJECTED else line.asked if whole else line.paid
    return replace(line, outcome=outcome, paid=paid, rejection=rejection(why, line.invoice) if why else None)
