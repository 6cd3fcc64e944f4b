"""An act as the professional asks for it, before it is priced."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ActRequest:
    """An act as the professional gives it. ``unit``: its unit price in cents, for an act without a tariff;
    ``amount``: what is asked for the line in all, its base if None. ``association`` (a code, None: by the rule of the
    session) and ``modifiers`` (letters) are a CCAM act's.
    """

    code: str
    on: date
    quantity: int = 1
    coefficient: Decimal = Decimal(1)
    unit: int | None = None
    amount: int | None = None
    association: int | None = None
    modifiers: str = ""
