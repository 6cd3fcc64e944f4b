"""What every HL7 v3 message of the DMP begins with: who sends what to whom, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lxml import etree

from bifente.simulator.formats.dmp.names import DMP_DEVICE, HL7, INTERACTIONS, XSI

_Element = etree._Element
SOFTWARE_DEVICE = "1.2.250.1.999.1"
"""A root of this laboratory: no software that anybody sells."""


@dataclass(frozen=True, slots=True)
class MessageId:
    """An identifier of HL7: root and extension."""

    root: str
    extension: str = ""

    @classmethod
    def of(cls, element: _Element | None) -> MessageId:
        """Return the one that an element is; empty for none."""
        return cls("") if element is None else cls(element.get("root", ""), element.get("extension", ""))


def message(name: str, identifier: MessageId, at: datetime, *, to_dmp: bool) -> _Element:
    """Return a message as far as its devices; ``name`` is its interaction."""
    root = etree.Element(f"{{{HL7}}}{name}", {"ITSVersion": "XML_1.0"}, nsmap={None: HL7, "xsi": XSI})  # type: ignore[dict-item]
    put_id(root, "id", identifier)
    add(root, "creationTime", value=stamp(at))
    add(root, "interactionId", root=INTERACTIONS, extension=name)
    add(root, "processingCode", code="D" if to_dmp else "P")
    add(root, "processingModeCode", code="T")
    add(root, "acceptAckCode", code="AL" if to_dmp else "NE")
    dmp, software = (DMP_DEVICE, "DMP"), (SOFTWARE_DEVICE, "LPS BIFENTE")
    receiver, sender = (dmp, software) if to_dmp else (software, dmp)
    _device(add(root, "receiver", typeCode="RCV"), *receiver)
    _device(add(root, "sender", typeCode="SND"), *sender)
    return root


def put_id(parent: _Element, tag: str, identifier: MessageId) -> _Element:
    """Add an identifier."""
    more = {"extension": identifier.extension} if identifier.extension else {}
    return add(parent, tag, root=identifier.root, **more)


def typed(parent: _Element, kind: str, **attributes: str) -> _Element:
    """Add a value of a data type."""
    value = add(parent, "value", **attributes)
    value.set(f"{{{XSI}}}type", kind)
    return value


def add(parent: _Element, tag: str, **attributes: Any) -> _Element:
    """Add an element of HL7 v3."""
    return etree.SubElement(parent, f"{{{HL7}}}{tag}", attributes)


def stamp(at: datetime) -> str:
    """Return a moment as HL7 writes it, in UTC."""
    return at.strftime("%Y%m%d%H%M%S")


def path(steps: str) -> str:
    """Return ``a/b/c`` as an ElementPath in the namespace of HL7."""
    return "/".join(step if step.startswith(".") else f"{{{HL7}}}{step}" for step in steps.split("/"))


def value_at(element: _Element, steps: str, attribute: str) -> str:
    """Return an attribute of what a path leads to, empty where there is no such thing."""
    found = element.find(path(steps))
    return "" if found is None else found.get(attribute, "")


def _device(parent: _Element, oid: str, name: str) -> None:
    device = add(parent, "device", classCode="DEV", determinerCode="INSTANCE")
    add(device, "id", root=oid)
    add(device, "softwareName").text = name
