"""Reading YAML so that every mistake can be shown where it stands."""

from conformance.loading.document import Document, load_document
from conformance.loading.problems import InputError, Problem, nearest
from conformance.loading.validation import validate

__all__ = ["Document", "InputError", "Problem", "load_document", "nearest", "validate"]
