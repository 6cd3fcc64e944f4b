"""What one line of a sheet comes to, in whole cents: its base of reimbursement and the AMO part of it.

Rounding, a choice of ours: half a cent goes up, once for the base of a line (unit price x coefficient x quantity), once
for the AMO part of that line.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from bifente.simulator.formats.fse.model import CareAct

FLAT_PARTICIPATIONS = (2400, 1800)
"""What a heavy act leaves to the insured, in cents: since 2019, and before (sources#flat-participation)."""
_CENT = Decimal(1)


def cents(value: Decimal) -> int:
    """Return whole cents: half a cent goes up."""
    return int(value.quantize(_CENT, ROUND_HALF_UP))


def reimbursable(act: CareAct) -> int:
    """Return the base of reimbursement of a line: unit price x coefficient x quantity, or what is asked if less."""
    return min(act.amount, cents(act.base * act.coefficient * act.quantity))


def amo_part(act: CareAct) -> int:
    """Return the AMO part of a line."""
    return cents(Decimal(reimbursable(act) * act.rate) / 100)
