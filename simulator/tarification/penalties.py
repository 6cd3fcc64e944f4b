"""What a body owes for paying late (sources#css-d161, SV-LAW-01): a flat amount at first, then a part of the due."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from bifente.simulator.formats.fse.amounts import cents
from bifente.simulator.tarification.deadlines import Deadlines

FLAT, PERCENT = 100, 10
_FROM = 3
"""The working day after the deadline from which it is the part: the tenth of all."""


def penalty(due: int, sent: date, today: date, deadlines: Deadlines) -> int:
    """Return the penalty in cents that a body owes by a day for an amount that was sent to it on another.

    That its days are working ones as those of the deadline are is modelled.
    """
    rule = deadlines.rules.payment
    if not due or today <= deadlines.after(sent, rule):
        return 0
    tenth = deadlines.after(sent, rule.model_copy(update={"days": rule.days + _FROM}))
    return FLAT if today < tenth else cents(Decimal(due * PERCENT) / 100)
