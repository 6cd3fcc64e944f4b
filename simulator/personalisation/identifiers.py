"""French identifiers of people and places: their Luhn check (SV-ID-02) and their test marks (SV-ID-03, BENCH-01)."""

from __future__ import annotations

import re
from dataclasses import dataclass

# A and B of Corsican (2A, 2B) and test (0B) FINESS numbers count as 1 and 2. From memory of the field, not from a
# text: fidelity "modelled".
_LETTERS = str.maketrans("AB", "12")


def luhn_sum(digits: str) -> int:
    """The Luhn sum modulo 10 of a string of digits: 0 if its last digit is the right check digit."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10


def luhn_key(digits: str) -> str:
    """The check digit to append to ``digits``."""
    return str(-luhn_sum(digits + "0") % 10)


@dataclass(frozen=True, slots=True)
class Identifier:
    """A kind of identifier: its shape, the shape of its laboratory range, and whether it ends in a Luhn digit."""

    name: str
    shape: str
    shape_in_words: str
    test_range: str
    test_range_in_words: str
    luhn: bool = True

    def check(self, value: str) -> str:
        """``value`` itself. Raises ValueError, in words, if it is malformed, fails Luhn or could be real."""
        if not re.fullmatch(self.shape, value, re.ASCII):
            raise ValueError(f"{self.name} {value!r} must be {self.shape_in_words}")
        if self.luhn and luhn_sum(value.translate(_LETTERS)):
            key = luhn_key(value[:-1].translate(_LETTERS))
            raise ValueError(f"{self.name} {value} fails the Luhn check: its last digit should be {key}")
        if not re.match(self.test_range, value, re.ASCII):
            raise ValueError(f"{self.name} {value} could be a real one: a laboratory number {self.test_range_in_words}")
        return value


RPPS = Identifier("RPPS", r"\d{11}", "11 digits", r"99[79]", "begins with 997 or 999")
BILLING = Identifier("billing number", r"\d{9}", "9 digits", r"99", "begins with 99")
FINESS = Identifier(
    "FINESS",
    r"\d[\dAB]\d{7}",
    "9 characters, digits but for an A or B in second place",
    r"0B|99",
    "begins with 0B or 99",
)
SIRET = Identifier("SIRET", r"\d{14}", "14 digits", r"99", "begins with 99")
#: Practice identifier made from the RPPS of its holder. No public text gives its check digit: none is checked.
RPPS_PRACTICE = Identifier("RPPS practice id", r"\d{14}", "14 digits", r"99[79]", "begins with 997 or 999", luhn=False)

#: Structures by the type digit that precedes their number on cards and in certificates.
STRUCTURES = {"1": FINESS, "3": SIRET, "4": RPPS_PRACTICE}


def check_structure_id(value: str) -> str:
    """A structure identifier with its type digit, such as ``1`` + FINESS. Raises ValueError, in words."""
    kind = STRUCTURES.get(value[:1])
    if kind is None:
        known = ", ".join(f"{digit} + {identifier.name}" for digit, identifier in STRUCTURES.items())
        raise ValueError(f"structure id {value!r} has an unknown type digit; known: {known}")
    kind.check(value[1:])
    return value
