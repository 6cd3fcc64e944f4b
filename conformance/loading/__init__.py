"""Reading YAML so that every mistake can be shown where it stands."""

from bifente.conformance.loading.document import Document, load_document
from bifente.conformance.loading.problems import InputError, Problem, nearest
from bifente.conformance.loading.validation import validate

__all__ = ["Document", "InputError", "Problem", "load_document", "nearest", "validate"]
