"""One call as the transactions see it, and what they answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bifente.simulator.formats.soap import SoapMessage
from bifente.simulator.formats.soap.xml import XmlElement
from bifente.simulator.formats.vihf import VerifiedVihf
from bifente.simulator.pki.judging import CertificateJudge
from bifente.simulator.services.dmp.register import DmpRegister
from bifente.simulator.services.dmp.requester import Requester


@dataclass(frozen=True, slots=True)
class DmpCall:
    """A message whose VIHF was admitted. ``content`` is what its body holds."""

    register: DmpRegister
    message: SoapMessage
    content: XmlElement
    requester: Requester
    vihf: VerifiedVihf
    trust: CertificateJudge


@dataclass(frozen=True, slots=True)
class DmpAnswer:
    """The body of an answer; ``parts`` go by MTOM: the element that holds each, its bytes and media type."""

    body: XmlElement
    parts: tuple[tuple[XmlElement, bytes, str], ...] = field(default=())


Transaction = Callable[[DmpCall], DmpAnswer]
"""Does what a call asks. Raises DmpRefusalError, SoapFaultError, MetadataError or Hl7Error."""
