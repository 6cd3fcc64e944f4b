"""What is wrong with a document as far as it shows without the official schema: its header and its plain values.

This is no schema: entries of a structured body are looked at only for the forms of identifiers and times. Where the
schema is at hand (``schema.py``) it judges too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from lxml import etree

from bifente.ground.shipped import shipped
from bifente.simulator.formats.cda.model import HL7
from bifente.simulator.formats.cda.problems import CdaProblem

_Element = etree._Element
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_UID = re.compile(
    r"[0-2](\.(0|[1-9]\d*))*|[0-9A-Za-z]{8}(-[0-9A-Za-z]{4}){3}-[0-9A-Za-z]{12}|[A-Za-z][A-Za-z0-9\-]*", re.ASCII
)
_TIME = re.compile(r"\d{4}(\d{2}(\d{2}(\d{2}(\d{2}(\d{2}(\.\d{1,4})?)?)?)?)?)?([+\-]\d{1,4})?", re.ASCII)
_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
_TIMED = ("effectiveTime", "time", "birthTime", "copyTime")


@cache
def _rules() -> Mapping[str, Any]:
    return shipped(__package__, "structure.yaml")  # type: ignore[no-any-return]


def problems(root: _Element) -> Iterator[CdaProblem]:
    """Tell every problem that is found, in the order of the document."""
    if root.tag != f"{{{HL7}}}ClinicalDocument":
        yield _at(root, f"the root is {_short(root)}, not a ClinicalDocument of HL7 v3")
        return
    yield from _order(root)
    for name, wanted in _rules()["fixed"].items():
        for one in root.iterfind(f"{{{HL7}}}{name}"):
            for key, value in wanted.items():
                if one.get(key) != value:
                    yield _at(one, f"{name}: {key} must be {value}")
    for path in _rules()["needs"]:
        yield from _needed(root, path)
    yield from _body(root)
    yield from _values(root)


def _order(root: _Element) -> Iterator[CdaProblem]:
    ranks = {f"{{{HL7}}}{name}": (rank, most) for rank, (name, _least, most) in enumerate(_rules()["children"])}
    last, counts = 0, dict[str, int]()
    for child in root:
        if not isinstance(child.tag, str):
            continue
        if child.tag not in ranks:
            if child.tag.startswith(f"{{{HL7}}}"):
                yield _at(child, f"{_short(child)} has no place in the header")
            continue
        rank, most = ranks[child.tag]
        if rank < last:
            yield _at(child, f"{_short(child)} stands too late: the order of the header is that of CDA R2")
        last = max(last, rank)
        counts[child.tag] = counts.get(child.tag, 0) + 1
        if counts[child.tag] == most + 1:
            yield _at(child, f"{_short(child)} is there more than {most} times")
    for name, least, _most in _rules()["children"]:
        if counts.get(f"{{{HL7}}}{name}", 0) < least:
            yield _at(root, f"{name} is missing in the header")


def _needed(root: _Element, path: str) -> Iterator[CdaProblem]:
    steps, _at_sign, attribute = path.partition("@")
    found = root.findall("/".join(f"{{{HL7}}}{step}" for step in steps.split("/")))
    if not found:
        yield _at(root, f"{steps} is missing in the header")
    for one in found:
        if attribute and not one.get(attribute) and not one.get("nullFlavor"):
            yield _at(one, f"{steps}: attribute {attribute} is missing")


def _body(root: _Element) -> Iterator[CdaProblem]:
    component = root.find(f"{{{HL7}}}component")
    if component is None:
        return
    inside = [child for child in component if isinstance(child.tag, str)]
    bodies = [one for one in inside if one.tag in (f"{{{HL7}}}nonXMLBody", f"{{{HL7}}}structuredBody")]
    if len(bodies) != 1 or len(inside) != 1:
        yield _at(component, "component holds exactly one nonXMLBody or structuredBody")
        return
    body = bodies[0]
    if body.tag.endswith("structuredBody"):
        if body.find(f"{{{HL7}}}component/{{{HL7}}}section") is None:
            yield _at(body, "structuredBody has no section")
        return
    text = body.find(f"{{{HL7}}}text")
    if text is None:
        yield _at(body, "nonXMLBody has no text")
    elif not text.get("mediaType"):
        yield _at(text, "nonXMLBody/text has no mediaType")


def _values(root: _Element) -> Iterator[CdaProblem]:
    flavors, attributes = frozenset(_rules()["null-flavors"]), frozenset(_rules()["attributes"])
    for one in root.iter(f"{{{HL7}}}*"):
        for name in one.attrib:
            key = str(name)
            if not key.startswith("{") and key not in attributes:
                yield _at(one, f"{_short(one)}: attribute {key} is not of CDA R2")
        flavor, uid, value = one.get("nullFlavor"), one.get("root"), one.get("value")
        if flavor is not None and flavor not in flavors:
            yield _at(one, f"{_short(one)}: nullFlavor {flavor[:20]!r} is not known")
        if uid is not None and not _UID.fullmatch(uid):
            yield _at(one, f"{_short(one)}: root {uid[:80]!r} is no OID, UUID or RUID")
        kind = one.get(f"{{{_XSI}}}type", "")
        if value is not None and etree.QName(one).localname in _TIMED and not kind and not _TIME.fullmatch(value):
            yield _at(one, f"{_short(one)}: value {value[:40]!r} is no time YYYYMMDDhhmmss+hhmm")
        if value is not None and etree.QName(one).localname == "versionNumber" and not _INTEGER.fullmatch(value):
            yield _at(one, f"versionNumber {value[:20]!r} is no number")


def _at(element: _Element, what: str) -> CdaProblem:
    return CdaProblem(line_of(element), what)


def _short(element: _Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else "(comment)"


def line_of(element: _Element) -> int:
    """Return the line that an element begins on, 0 where it is not known."""
    line = element.sourceline
    return line if isinstance(line, int) else 0
