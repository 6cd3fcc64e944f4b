"""What the service is told to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from bifente.simulator.formats.insi import AnswerStyle
from bifente.simulator.formats.xmldsig import SignatureRules
from bifente.simulator.services.insi.quirks import InsiQuirk


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
