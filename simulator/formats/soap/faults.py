"""SOAP 1.2 faults: code, subcode, reason, detail; written as the standard has them, or as servers of the field do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from enum import StrEnum

from lxml import etree

from bifente.ground.text import Text
from bifente.simulator.formats.soap.names import NS, qname
from bifente.simulator.formats.soap.xml import XmlElement

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class SoapCode(StrEnum):
    """The codes of SOAP 1.2 part 1, section 5.4.6."""

    SENDER = "Sender"
    RECEIVER = "Receiver"
    VERSION_MISMATCH = "VersionMismatch"
    MUST_UNDERSTAND = "MustUnderstand"
    DATA_ENCODING_UNKNOWN = "DataEncodingUnknown"

    @property
    def http(self) -> int:
        """Return the HTTP status that SOAP 1.2 part 2 (table 20) gives it: 400 for a Sender, else 500."""
        return 400 if self is SoapCode.SENDER else 500


class SoapFaultError(Exception):
    """A fault to answer, or one that was answered.

    ``subcodes`` are Clark names (or plain ones), the outermost first. ``detail`` are the elements of the detail.
    ``http`` is None where the code decides. ``not_understood`` are the Clark names of header blocks.
    """

    def __init__(
        self,
        code: SoapCode,
        reason: Text,
        *subcodes: str,
        detail: tuple[XmlElement, ...] = (),
        http: int | None = None,
        not_understood: tuple[str, ...] = (),
    ) -> None:
        self.code = code
        self.reason = reason
        self.subcodes = subcodes
        self.detail = detail
        self.http = code.http if http is None else http
        self.not_understood = not_understood
        super().__init__(f"{code}{''.join(f' / {etree.QName(one).localname}' for one in subcodes)}: {reason.en}")


@dataclass(frozen=True, slots=True)
class FaultStyle:
    """How a server writes a fault. The defaults are the standard's; the rest was seen in the field.

    ``prefix`` of the envelope, ``body_prefix`` of Body and ``fault_prefix`` of what is inside, all of one namespace;
    ``lang``: the code of the language that the Text, which is French, says it is in. There is one Text: SOAP allows
    several, yet gSOAP drops the whole fault over the second, and node-soap tells ``[object Object]`` instead of both.
    """

    prefix: str = "env"
    body_prefix: str | None = None
    fault_prefix: str | None = None
    lang: str = "fr"


def written(fault: SoapFaultError, style: FaultStyle | None = None, headers: tuple[XmlElement, ...] = ()) -> bytes:
    """Return the envelope of a fault as UTF-8."""
    style = style or FaultStyle()
    inner = style.fault_prefix or style.prefix
    root = etree.Element(qname("env:Envelope"), nsmap={style.prefix: NS["env"]})
    more: tuple[XmlElement, ...] = ()
    if fault.not_understood:
        more = tuple(_not_understood(name) for name in fault.not_understood)
    if fault.code is SoapCode.VERSION_MISMATCH:
        more = (_upgrade(style.prefix),)
    if headers or more:
        etree.SubElement(root, qname("env:Header")).extend((*more, *headers))
    body = etree.SubElement(root, qname("env:Body"), nsmap={style.body_prefix or style.prefix: NS["env"]})
    node = etree.SubElement(body, qname("env:Fault"), nsmap={inner: NS["env"]})
    code = etree.SubElement(node, qname("env:Code"))
    etree.SubElement(code, qname("env:Value")).text = f"{inner}:{fault.code}"
    for name in fault.subcodes:
        code = etree.SubElement(code, qname("env:Subcode"))
        _put_qname(code, name, inner)
    reason = etree.SubElement(node, qname("env:Reason"))
    text = etree.SubElement(reason, qname("env:Text"), {qname("xml:lang"): style.lang})
    # A reason may repeat what was received, and XML holds no control characters.
    text.text = _NOT_XML.sub("?", fault.reason.fr)
    if fault.detail:
        etree.SubElement(node, qname("env:Detail")).extend(deepcopy(one) for one in fault.detail)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def fault_of(content: XmlElement, http: int | None = None) -> SoapFaultError | None:
    """Return the fault that the content of a body is, None if it is none. What is missing in it reads as empty."""
    if content.tag != qname("env:Fault"):
        return None
    codes: list[str] = []
    node = content.find(qname("env:Code"))
    while node is not None and len(codes) < 16:
        codes.append(_resolved(node))
        node = node.find(qname("env:Subcode"))
    texts = {
        (text.get(qname("xml:lang")) or "")[:2]: (text.text or "").strip()
        for text in content.iterfind(f"{qname('env:Reason')}/{qname('env:Text')}")
    }
    some = next(iter(texts.values()), "")
    detail = content.find(qname("env:Detail"))
    local = etree.QName(codes[0]).localname if codes and codes[0] else ""
    return SoapFaultError(
        SoapCode(local) if local in {*SoapCode} else SoapCode.RECEIVER,
        Text(texts.get("fr", some), texts.get("en", some)),
        *codes[1:],
        detail=() if detail is None else tuple(one for one in detail if isinstance(one.tag, str)),
        http=http,
    )


def _put_qname(parent: XmlElement, name: str, inner: str) -> None:
    """A QName as the text of a Value, its prefix declared there."""
    parts = etree.QName(name)
    if parts.namespace is None or parts.namespace == NS["env"]:
        prefix: Mapping[str, str] = {}
        text = f"{inner}:{parts.localname}" if parts.namespace else parts.localname
    else:
        prefix, text = {"sub": parts.namespace}, f"sub:{parts.localname}"
    etree.SubElement(parent, qname("env:Value"), nsmap=dict(prefix)).text = text


def _resolved(node: XmlElement) -> str:
    """The Clark name in the Value of a Code or Subcode; a plain one if its prefix is not declared."""
    value = node.find(qname("env:Value"))
    if value is None:
        return ""
    prefix, colon, local = (value.text or "").strip().rpartition(":")
    namespace = value.nsmap.get(prefix or None) if colon else None
    return f"{{{namespace}}}{local}" if namespace else local


def _not_understood(name: str) -> XmlElement:
    parts = etree.QName(name)
    block = etree.Element(qname("env:NotUnderstood"), nsmap={"q": parts.namespace or ""} if parts.namespace else None)
    block.set("qname", f"q:{parts.localname}" if parts.namespace else parts.localname)
    return block


def _upgrade(prefix: str) -> XmlElement:
    block = etree.Element(qname("env:Upgrade"), nsmap={prefix: NS["env"]})
    etree.SubElement(block, qname("env:SupportedEnvelope"), {"qname": f"{prefix}:Envelope"})
    return block
