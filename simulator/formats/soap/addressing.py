"""WS-Addressing 1.0: who is asked what, and what an answer answers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bifente.ground.text import Text
from bifente.simulator.formats.soap.envelope import SoapEnvelope, element
from bifente.simulator.formats.soap.faults import SoapCode, SoapFaultError
from bifente.simulator.formats.soap.names import NS, qname
from bifente.simulator.formats.soap.xml import XmlElement

ANONYMOUS = f"{NS['wsa']}/anonymous"
_NO_URI = re.compile(r"\s")
_LONGEST = 2048


@dataclass(frozen=True, slots=True)
class Addressing:
    """The message addressing properties that are used. Empty: not there."""

    action: str = ""
    message_id: str = ""
    to: str = ""
    relates_to: str = ""
    reply_to: str = ""

    def blocks(self, *, mandatory_action: bool = False) -> tuple[XmlElement, ...]:
        """Return the header blocks; ``mandatory_action`` marks Action with mustUnderstand, as the DMP's samples do."""
        made = []
        for name, value in (
            ("wsa:Action", self.action),
            ("wsa:MessageID", self.message_id),
            ("wsa:To", self.to),
            ("wsa:RelatesTo", self.relates_to),
        ):
            if value:
                made.append(element(qname(name), value, prefixes={"wsa": NS["wsa"]}))
        if self.reply_to:
            address = element(qname("wsa:Address"), self.reply_to)
            made.append(element(qname("wsa:ReplyTo"), None, [address], prefixes={"wsa": NS["wsa"]}))
        if mandatory_action and self.action:
            made[0].set(qname("env:mustUnderstand"), "true")
        return tuple(made)


def addressing_of(envelope: SoapEnvelope) -> Addressing:
    """Return the addressing of a message. Raise SoapFaultError InvalidAddressingHeader for a bad or double header."""
    reply = _only(envelope, "wsa:ReplyTo")
    address = None if reply is None else reply.find(qname("wsa:Address"))
    return Addressing(
        action=_uri(envelope, "wsa:Action"),
        message_id=_uri(envelope, "wsa:MessageID"),
        to=_uri(envelope, "wsa:To"),
        relates_to=_uri(envelope, "wsa:RelatesTo"),
        reply_to="" if address is None else (address.text or "").strip(),
    )


def answer_to(asked: Addressing, action: str, message_id: str) -> Addressing:
    """Return the addressing of the answer to a message."""
    return Addressing(action=action, message_id=message_id, relates_to=asked.message_id)


def check_action(asked: Addressing, content_type_action: str) -> None:
    """Raise SoapFaultError where the ``action`` of the HTTP content type is not that of the header, both there."""
    if asked.action and content_type_action and asked.action != content_type_action:
        raise _invalid("Action", Text("Action et type MIME disent autre chose", "Action and media type disagree"))


def _uri(envelope: SoapEnvelope, name: str) -> str:
    block = _only(envelope, name)
    if block is None:
        return ""
    text = (block.text or "").strip()
    local = name.partition(":")[2]
    if not text or len(text) > _LONGEST or _NO_URI.search(text) or len(block):
        raise _invalid(local, Text(f"wsa:{local} n'est pas une URI", f"wsa:{local} is no URI"))
    return text


def _only(envelope: SoapEnvelope, name: str) -> XmlElement | None:
    found = [block for block in envelope.headers if block.tag == qname(name)]
    if len(found) > 1:
        local = name.partition(":")[2]
        raise _invalid(local, Text(f"wsa:{local} est là plusieurs fois", f"wsa:{local} is there several times"))
    return found[0] if found else None


def _invalid(local: str, why: Text) -> SoapFaultError:
    """WS-Addressing SOAP binding, section 6.4.1."""
    problem = element(qname("wsa:ProblemHeaderQName"), f"wsa:{local}", prefixes={"wsa": NS["wsa"]})
    return SoapFaultError(SoapCode.SENDER, why, qname("wsa:InvalidAddressingHeader"), detail=(problem,))
