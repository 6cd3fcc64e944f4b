"""SAML 2.0 assertions as French health services use them: written, signed by a card, read from what was signed."""

from bifente.simulator.formats.saml.model import CodedValue, SamlAssertion, SamlAttribute, SamlAuthentication
from bifente.simulator.formats.saml.names import same_name
from bifente.simulator.formats.saml.reading import SamlError, read_assertion
from bifente.simulator.formats.saml.writing import ASSERTION, assertion_element, signed_assertion

__all__ = [
    "ASSERTION",
    "CodedValue",
    "SamlAssertion",
    "SamlAttribute",
    "SamlAuthentication",
    "SamlError",
    "assertion_element",
    "read_assertion",
    "same_name",
    "signed_assertion",
]
