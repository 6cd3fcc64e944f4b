"""Reading YAML so that every mistake can be shown where it stands."""

from bifente.conformance.loading.document import MAX_BYTES, Document, load_document, parse_document
from bifente.conformance.loading.problems import InputError, Problem, nearest
from bifente.conformance.loading.validation import validate

__all__ = ["MAX_BYTES", "Document", "InputError", "Problem", "load_document", "nearest", "parse_document", "validate"]
