"""Messages of the INSi teleservice (WSDL family DESIR_ICIR_EXP 1.5.0, sources#insi-guide): both sides' codec."""

from bifente.simulator.formats.insi.answers import AnswerStyle, read_answer, result_element
from bifente.simulator.formats.insi.assertions import ProfessionalAssertion, professional_assertion, read_professional
from bifente.simulator.formats.insi.contexts import InsiSender, context_blocks, read_sender
from bifente.simulator.formats.insi.model import (
    InsiAnswer,
    InsiCode,
    InsiFormError,
    InsMatricule,
    InsRecord,
    InsTraits,
    TraitSearch,
    VitaleSearch,
)
from bifente.simulator.formats.insi.names import InsiOperation, action_of
from bifente.simulator.formats.insi.requests import read_request, request_element

__all__ = [
    "AnswerStyle",
    "InsMatricule",
    "InsRecord",
    "InsTraits",
    "InsiAnswer",
    "InsiCode",
    "InsiFormError",
    "InsiOperation",
    "InsiSender",
    "ProfessionalAssertion",
    "TraitSearch",
    "VitaleSearch",
    "action_of",
    "context_blocks",
    "professional_assertion",
    "read_answer",
    "read_professional",
    "read_request",
    "read_sender",
    "request_element",
    "result_element",
]
