"""SOAP 1.2 (W3C): XML read without danger, envelopes, faults, WS-Addressing, MTOM; for services and clients alike."""

from bifente.simulator.formats.soap.addressing import Addressing, addressing_of, answer_to
from bifente.simulator.formats.soap.envelope import SoapEnvelope, built, element, opened
from bifente.simulator.formats.soap.faults import FaultStyle, SoapCode, SoapFaultError, fault_of, written
from bifente.simulator.formats.soap.message import SoapMessage, received
from bifente.simulator.formats.soap.mtom import MtomError, MtomLimits, MtomPart, MtomRefusal, include, packed
from bifente.simulator.formats.soap.names import NS, qname
from bifente.simulator.formats.soap.xml import XmlLimits, XmlRefusal, XmlRefusedError, canonical, parsed

__all__ = [
    "NS",
    "Addressing",
    "FaultStyle",
    "MtomError",
    "MtomLimits",
    "MtomPart",
    "MtomRefusal",
    "SoapCode",
    "SoapEnvelope",
    "SoapFaultError",
    "SoapMessage",
    "XmlLimits",
    "XmlRefusal",
    "XmlRefusedError",
    "addressing_of",
    "answer_to",
    "built",
    "canonical",
    "element",
    "fault_of",
    "include",
    "opened",
    "packed",
    "parsed",
    "qname",
    "received",
    "written",
]
