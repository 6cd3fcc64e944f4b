"""The requirement catalogue: identified rules, each with its source, that scenarios cite; ours, and an editor's own."""

from bifente.conformance.requirements.catalogue import (
    CATALOGUE,
    Catalogue,
    RequirementModel,
    RequirementSet,
    load_catalogue,
)
from bifente.conformance.requirements.own import OwnCatalogue, TestCode, load_own, with_own

__all__ = [
    "CATALOGUE",
    "Catalogue",
    "OwnCatalogue",
    "RequirementModel",
    "RequirementSet",
    "TestCode",
    "load_catalogue",
    "load_own",
    "with_own",
]
