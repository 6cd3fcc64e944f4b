"""A SOAP 1.2 envelope: what is in its header, what is in its body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lxml import etree

from bifente.ground.text import Text
from bifente.simulator.formats.soap.faults import SoapCode, SoapFaultError
from bifente.simulator.formats.soap.names import NS, qname
from bifente.simulator.formats.soap.xml import XmlElement, XmlLimits, XmlRefusedError, parsed

_TRUE = frozenset({"true", "1"})
_HERE = frozenset(
    {"", f"{NS['env']}/role/next", f"{NS['env']}/role/ultimateReceiver"}  # SOAP 1.2 part 1, section 2.2
)


@dataclass(frozen=True, slots=True)
class SoapEnvelope:
    """An envelope as it was received, or as it will be sent: ``root`` with its header blocks and its body."""

    root: XmlElement

    @property
    def headers(self) -> tuple[XmlElement, ...]:
        """Return the header blocks, in order."""
        found = self.root.find(qname("env:Header"))
        return () if found is None else _children(found)

    def header(self, name: str) -> XmlElement | None:
        """Return the header block of a Clark name, None if there is none. Raise SoapFaultError if there are several."""
        found = [block for block in self.headers if block.tag == name]
        if len(found) > 1:
            local = etree.QName(name).localname
            raise SoapFaultError(
                SoapCode.SENDER,
                Text(f"l'en-tête {local} est là plusieurs fois", f"the header {local} is there several times"),
            )
        return found[0] if found else None

    @property
    def body(self) -> tuple[XmlElement, ...]:
        """Return what is in the body."""
        return _children(self.root.find(qname("env:Body")))

    @property
    def content(self) -> XmlElement:
        """Return the only element of the body. Raise SoapFaultError if there is another number of them."""
        inside = self.body
        if len(inside) != 1:
            raise SoapFaultError(
                SoapCode.SENDER,
                Text(
                    f"le corps (Body) porte {len(inside)} éléments, un seul est attendu",
                    f"the Body holds {len(inside)} elements, exactly one is expected",
                ),
            )
        return inside[0]

    def check_understood(self, understood: Iterable[str]) -> None:
        """Raise SoapFaultError for a mandatory header block of another name (SOAP 1.2 part 1, section 5.2.3)."""
        names = frozenset(understood)
        unknown = [block.tag for block in self.headers if _mandatory(block) and block.tag not in names]
        if unknown:
            shown = ", ".join(etree.QName(tag).localname for tag in unknown)
            raise SoapFaultError(
                SoapCode.MUST_UNDERSTAND,
                Text(f"en-tête obligatoire inconnu : {shown}", f"mandatory header not understood: {shown}"),
                not_understood=tuple(unknown),
            )

    def bytes(self) -> bytes:
        """Return it as UTF-8, with an XML declaration."""
        return etree.tostring(self.root, xml_declaration=True, encoding="UTF-8")


def opened(data: bytes, limits: XmlLimits | None = None) -> SoapEnvelope:
    """Return the envelope that these bytes are. Raise SoapFaultError, the fault to answer."""
    try:
        root = parsed(data, limits)
    except XmlRefusedError as error:
        said = error.refusal.sentence
        more = f" ({error.detail})" if error.detail else ""
        raise SoapFaultError(
            SoapCode.SENDER, Text(f"XML refusé : {said.fr}{more}", f"XML refused: {said.en}{more}")
        ) from None
    if root.tag == qname("env11:Envelope"):
        raise SoapFaultError(
            SoapCode.VERSION_MISMATCH,
            Text("ce message est en SOAP 1.1 : ce service parle SOAP 1.2", "this is SOAP 1.1: this service speaks 1.2"),
        )
    if root.tag != qname("env:Envelope"):
        raise SoapFaultError(
            SoapCode.VERSION_MISMATCH if etree.QName(root).localname == "Envelope" else SoapCode.SENDER,
            Text("ce n'est pas une enveloppe SOAP 1.2", "this is no SOAP 1.2 envelope"),
        )
    names = [child.tag for child in _children(root)]
    if names not in ([qname("env:Body")], [qname("env:Header"), qname("env:Body")]):
        raise SoapFaultError(
            SoapCode.SENDER,
            Text(
                "une enveloppe SOAP 1.2 porte un Header facultatif puis un Body, rien d'autre",
                "a SOAP 1.2 envelope holds an optional Header, then a Body, and nothing else",
            ),
        )
    return SoapEnvelope(root)


def built(
    body: XmlElement | Iterable[XmlElement],
    headers: Iterable[XmlElement] = (),
    prefixes: Mapping[str, str] | None = None,
) -> SoapEnvelope:
    """Return an envelope around these elements, which it takes from where they were.

    ``prefixes`` are declared on the envelope; what was signed under another prefix keeps its own.
    """
    root = etree.Element(qname("env:Envelope"), nsmap={"env": NS["env"], **(prefixes or {})})
    blocks = list(headers)
    if blocks:
        etree.SubElement(root, qname("env:Header")).extend(blocks)
    inside = [body] if isinstance(body, etree._Element) else list(body)
    etree.SubElement(root, qname("env:Body")).extend(inside)
    return SoapEnvelope(root)


def element(
    name: str,
    text: str | None = None,
    children: Iterable[XmlElement] = (),
    attributes: Mapping[str, str] | None = None,
    prefixes: Mapping[str, str] | None = None,
) -> XmlElement:
    """Return a new element of a Clark name. Raise ValueError for a text that XML cannot hold."""
    made = etree.Element(name, dict(attributes or {}), nsmap=dict(prefixes or {}))
    made.text = text
    made.extend(children)
    return made


def _children(parent: XmlElement | None) -> tuple[XmlElement, ...]:
    return () if parent is None else tuple(child for child in parent if isinstance(child.tag, str))


def _mandatory(block: XmlElement) -> bool:
    role = (block.get(qname("env:role")) or "").strip()
    return (block.get(qname("env:mustUnderstand")) or "").strip() in _TRUE and role in _HERE
