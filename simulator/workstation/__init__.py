"""The workstation as data: what is installed, in which version, how it is set, and the rules that this breaks.

A workstation is a mapping of facts (``facts.yaml`` names them all); rules (``rules/``) turn some facts into effects,
each with its source and how sure it is. No rule knows what a user will see: the effect strikes a component, and the
component that fails, met by the software's own texts, gives the symptom.
"""

from bifente.simulator.workstation.confidence import Confidence
from bifente.simulator.workstation.poste import Poste, PosteDifference, PosteError
from bifente.simulator.workstation.rules import MetRule, PosteEffect, PosteRule, met_rules, poste_rules, told_rows
from bifente.simulator.workstation.version import ComponentVersion, VersionSpan
from bifente.simulator.workstation.vocabulary import ABSENT, PosteFact, fact_named, poste_facts

__all__ = [
    "ABSENT",
    "ComponentVersion",
    "Confidence",
    "MetRule",
    "Poste",
    "PosteDifference",
    "PosteEffect",
    "PosteError",
    "PosteFact",
    "PosteRule",
    "VersionSpan",
    "fact_named",
    "met_rules",
    "poste_facts",
    "poste_rules",
    "told_rows",
]
