"""What writing and reading a care sheet share: the bounds of its form, how its values are written, names of groups."""

from __future__ import annotations

import re

from bifente.simulator.formats.fse.catalogue import group_type
from bifente.simulator.formats.fse.model import Insurance, Nomenclature, Payment, Proof

#: The longest form read, the most acts and periods of rights: bounds of ours, well above what a sheet needs.
MAX_FORM = 16_384
MAX_ACTS = 99
MAX_PERIODS = 9
COEFFICIENT = re.compile(r"(0|[1-9][0-9]{0,4})(\.[0-9]{0,3}[1-9])?")
"""A decimal from 0 to 99999 without needless zeros."""

INSURANCE = {Insurance.MALADIE: "MALADIE", Insurance.MATERNITE: "MATERNITE", Insurance.AT_MP: "ATMP"}
PAYMENT = {Payment.DIRECT: "D", Payment.TIERS_PAYANT: "TP"}
PROOF = {Proof.NONE: "0", Proof.DOCUMENT: "1", Proof.ONLINE: "2", Proof.VITALE: "4"}
"""The digits of the AMO proof as public clients show them (sources#care-sheet); 3 is not known."""
NOMENCLATURE = {Nomenclature.NGAP: "NGAP", Nomenclature.CCAM: "CCAM"}


def names_of(number: int) -> tuple[str, ...]:
    """The names of the fields of a group, none if it is unknown."""
    known = group_type(number)
    return () if known is None else tuple(known.positions)


def called(number: int) -> str:
    """A group in words."""
    known = group_type(number)
    return f"group {number} ({known.name})" if known else f"group {number}"


def shown(value: bytes) -> str:
    """Bytes as an error may quote them."""
    return repr(value[:20].decode("ascii", "backslashreplace"))
