"""The reference file of a body: what it knows of its insured and of professionals, whatever a signed sheet says.

Two signatures prove which cards were there and what was signed, not that the insured is entitled to it, nor that the
professional bills under a number of his own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from bifente.simulator.formats.fse.model import CareBeneficiary


@dataclass(frozen=True, slots=True)
class BillingNumber:
    """A billing number of a professional: its specialty, and what its holder may sign under it."""

    specialty: str
    may_sign_invoice: bool
    may_sign_lot: bool


class ReferenceFile(Protocol):
    """What a body looks up. Modelled: the real files are not public."""

    @property
    def complete(self) -> bool:
        """Whether somebody who is not in it is unknown, rather than not looked up."""
        ...

    def insured(self, serial: str, on: date) -> Sequence[CareBeneficiary] | None:
        """Return those whom a card covers, as they are on a day; None for a card that is not in the file."""
        ...

    def accidents(self, serial: str) -> Mapping[str, date | None]:
        """Return the accidents at work of a card's insured: the day that was declared, None if not known, by number."""
        ...

    def home_km(self, serial: str) -> int | None:
        """Return the kilometres from the practice to the home of a card's insured; None: not known."""
        ...

    def treating(self, serial: str) -> str | None:
        """Return the RPPS number of the treating doctor of a card's insured, empty for none; None: not known."""
        ...

    def agreements(self, serial: str) -> frozenset[str]:
        """Return the exoneration codes that the body agreed to for a card's insured, beside those of an ALD."""
        ...

    def maternity(self, serial: str) -> bool | None:
        """Return whether a pregnancy or a birth is declared for a card's insured; None: not known."""
        ...

    def opposed(self, serial: str, on: date) -> bool:
        """Return whether a card was reported lost or stolen by a day."""
        ...

    def numbers(self, rpps: str) -> Mapping[str, BillingNumber] | None:
        """Return the billing numbers of a professional; None for one who is not in the file."""
        ...

    def knows_number(self, billing_id: str) -> bool:
        """Return whether a billing number is somebody's."""
        ...
