"""What the service is told to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from bifente.simulator.formats.insi import AnswerStyle
from bifente.simulator.formats.xmldsig import SignatureRules


class InsiQuirk(StrEnum):
    """What real answers do against their own schema, or against SOAP; each seen (sources#insi-client)."""

    FATAL = "fatal"
    """``severite="fatal"``, which the schema has not: it has ``fatale``."""
    LANG_EN = "lang-en"
    """French text marked ``xml:lang="en"``, and no other."""
    SUBCODE_IN_SOAP = "subcode-in-soap"
    """The subcode as a name of the SOAP namespace: ``S:siram_40``."""
    PREFIXES = "prefixes"
    """Three prefixes for one namespace in one envelope: ``soap``, ``env``, ``S``."""
    HTTP_500 = "http-500"
    """Every fault with HTTP 500, a Sender's too."""
    ODD_DATES = "odd-dates"
    """History whose dates run backwards is given as it is; without it the dates are left out."""


ALL_QUIRKS = frozenset(InsiQuirk)


@dataclass(frozen=True, slots=True)
class InsiParameters:
    """``lifetime`` of an assertion was seen in the field (about an hour); ``vitale``: after this one made as the Vitale
    was read is obsolete (CNDA test 1.02). ``software``: authorised numbers; empty lets any in.

    ``sector``: whether an assertion must say the activity sector (INSI-12; the sample of 2021 has none).
    """

    lifetime: timedelta = timedelta(hours=1)
    leeway: timedelta = timedelta(minutes=5)
    vitale: timedelta = timedelta(minutes=20)
    software: frozenset[str] = frozenset({"BIFENTE-IDAM-01"})
    sector: bool = True
    quirks: frozenset[InsiQuirk] = frozenset({InsiQuirk.ODD_DATES})
    style: AnswerStyle = AnswerStyle.NS2
    signature: SignatureRules = field(default_factory=SignatureRules)
