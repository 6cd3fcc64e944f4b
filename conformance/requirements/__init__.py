"""The requirement catalogue: identified rules from public texts, cited by scenarios."""

from bifente.conformance.requirements.catalogue import CATALOGUE, Catalogue, RequirementSet, load_catalogue

__all__ = ["CATALOGUE", "Catalogue", "RequirementSet", "load_catalogue"]
