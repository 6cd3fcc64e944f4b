"""What may be expected of a step, and how an expectation is held against an observation."""

from bifente.conformance.expectations.matchers import (
    BytesMatcher,
    ChoiceMatcher,
    Matcher,
    StatusMatcher,
    TlvMatcher,
    ValueMatcher,
)
from bifente.conformance.expectations.signature import Signature, SignatureMatcher

__all__ = [
    "BytesMatcher",
    "ChoiceMatcher",
    "Matcher",
    "Signature",
    "SignatureMatcher",
    "StatusMatcher",
    "TlvMatcher",
    "ValueMatcher",
]
