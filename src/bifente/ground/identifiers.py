"""French identifiers of people and places: their check digits (SV-ID-01, SV-ID-02) and test marks (SV-ID-03)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from stdnum import luhn
from stdnum.fr import nir, siret

# A and B of Corsican (2A, 2B) and test (0B) FINESS numbers count as 1 and 2. From memory of the field, not from a
# text: fidelity "modelled". python-stdnum has no FINESS.
_LETTERS = str.maketrans("AB", "12")
#: Establishments of La Poste, by the number of their company: their digits add up to a multiple of 5.
_LA_POSTE = "356000000"


def luhn_sum(digits: str) -> int:
    """The Luhn sum modulo 10 of a string of digits: 0 if its last digit is the right check digit."""
    return luhn.checksum(digits)


def luhn_key(digits: str) -> str:
    """The check digit to append to ``digits``."""
    return luhn.calc_check_digit(digits)


def nir_key(body: str) -> str:
    """The two-digit key of the 13 characters of a NIR, 2A and 2B for Corsica included.

    For test data alone: software must ask its user for the key and never compute it.
    """
    return nir.calc_check_digits(body)


def _luhn_fault(value: str) -> str | None:
    digits = value.translate(_LETTERS)
    if luhn_sum(digits):
        return f"fails the Luhn check: its last digit should be {luhn_key(digits[:-1])}"
    return None


def _siret_fault(value: str) -> str | None:
    # python-stdnum knows La Poste, but asks everywhere that the first nine digits pass Luhn by themselves (a SIREN):
    # no text says that a card is refused for it, and laboratory numbers do without.
    if value.startswith(_LA_POSTE):
        return None if siret.is_valid(value) else "is no number of La Poste: its digits must add up to a multiple of 5"
    return _luhn_fault(value)


def _nir_fault(value: str) -> str | None:
    # python-stdnum computes the key; it also drops spaces and dots, turns letters to upper case, and lets any sex digit
    # and month through, month 00 included: the shape has already been checked here.
    key = nir_key(value[:13])
    return None if value[13:] == key else f"fails its key check: {value[:13]} has the key {key}"


@dataclass(frozen=True, slots=True)
class Identifier:
    """A kind of identifier: its shape, its check, and the shape of its laboratory range."""

    name: str
    shape: str
    shape_in_words: str
    test_range: str
    test_range_in_words: str
    #: What is wrong with a value of the right shape, None if nothing; no check digit is known for a kind without one.
    fault: Callable[[str], str | None] | None = _luhn_fault

    def verify(self, value: str) -> str:
        """``value`` itself, real or not. Raises ValueError, in words, if it is malformed or its check digit wrong."""
        if not re.fullmatch(self.shape, value, re.ASCII):
            raise ValueError(f"{self.name} {value!r} must be {self.shape_in_words}")
        if self.fault is not None and (problem := self.fault(value)):
            raise ValueError(f"{self.name} {value} {problem}")
        return value

    def check(self, value: str) -> str:
        """``value`` itself. Raises ValueError, in words, if ``verify`` does or if it could be a real one."""
        self.verify(value)
        if not re.match(self.test_range, value, re.ASCII):
            raise ValueError(f"{self.name} {value} could be a real one: a laboratory number {self.test_range_in_words}")
        return value


RPPS = Identifier("RPPS", r"\d{11}", "11 digits", r"99[79]", "begins with 997 or 999")
#: ADELI or AM number: department 2, profession 1, order 5, check digit.
BILLING = Identifier("billing number", r"\d{9}", "9 digits", r"99", "begins with 99")
FINESS = Identifier(
    "FINESS",
    r"\d[\dAB]\d{7}",
    "9 characters, digits but for an A or B in second place",
    r"0B|99",
    "begins with 0B or 99",
)
SIRET = Identifier("SIRET", r"\d{14}", "14 digits", r"99", "begins with 99", _siret_fault)
#: Practice identifier made from the RPPS of its holder. No public text gives its check digit: none is checked.
RPPS_PRACTICE = Identifier("RPPS practice id", r"\d{14}", "14 digits", r"99[79]", "begins with 997 or 999", None)
#: Sex 1 or 2, 3 or 4 (provisional), 7 or 8 (born abroad): the last four from memory of the field. Month 01 to 12, or
#: above when it is not known; nobody is born in month 19, which most test cards bear.
NIR = Identifier(
    "NIR",
    r"[123478]\d{2}(0[1-9]|[1-9]\d)(\d{2}|2[AB])\d{8}",
    "15 characters: sex (1, 2, 3, 4, 7 or 8), year 2, month 2 (not 00), department 2 (2A and 2B included), "
    "commune 3, order 3, key 2",
    r"\d{3}19",
    "has month 19",
    _nir_fault,
)

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


def laboratory_nir(*, sex: str = "1", year: int = 80, department: str = "13", commune: int = 55, order: int = 1) -> str:
    """A NIR of 15 characters that is nobody's: month 19, right key.

    Raises ValueError, in words, for a sex, year, department, commune or order that a NIR cannot have.
    """
    body = f"{sex}{year:02d}19{department}{commune:03d}{order:03d}"
    if not re.fullmatch(NIR.shape, body + "00", re.ASCII):
        raise ValueError(f"NIR {body!r} and a key must be {NIR.shape_in_words}")
    return body + nir_key(body)
