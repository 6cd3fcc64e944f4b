"""A document from outside: read without danger, judged, its header and its body as values."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator

from lxml import etree

from bifente.simulator.formats.cda.model import HL7, STRUCTURE_OID, CdaBody, CdaDocument
from bifente.simulator.formats.cda.problems import CdaError, CdaProblem
from bifente.simulator.formats.cda.schema import CdaSchema
from bifente.simulator.formats.cda.structure import line_of, problems
from bifente.simulator.formats.soap.xml import XmlLimits, XmlRefusedError, parsed

__all__ = ["CdaError", "CdaProblem", "read_cda"]

_Element = etree._Element
_BLANKS = re.compile(r"\s+")
LARGEST = 67_108_864
"""Bytes of the largest document that is read, before any limit of the DMP."""


def read_cda(data: bytes, schema: CdaSchema | None = None, largest: int = LARGEST) -> CdaDocument:
    """Return what a document says. Raise CdaError with every problem found; the schema judges where it is given."""
    try:
        # Deep tables and rich entries: an official example has 2,400 lines and 30 levels.
        root = parsed(data, XmlLimits(size=largest, depth=200, nodes=2_000_000), instructions=True)
    except XmlRefusedError as error:
        raise CdaError([CdaProblem(0, str(error))]) from None
    found = list(schema.problems(root)) if schema else []
    found += problems(root)
    if found:
        raise CdaError(found)
    try:
        return _document(root)
    except _BodyError as error:
        raise CdaError([CdaProblem(error.line, str(error))]) from None


class _BodyError(ValueError):
    def __init__(self, element: _Element, what: str) -> None:
        super().__init__(what)
        self.line = line_of(element)


def _document(root: _Element) -> CdaDocument:
    return CdaDocument(
        id=_joined(_one(root, "id")),
        set_id=_joined(root.find(f"{{{HL7}}}setId")),
        version=_attribute(root, "versionNumber", "value"),
        code=_attribute(root, "code", "code"),
        title="".join(map(str, _one(root, "title").itertext())).strip()
        if root.find(f"{{{HL7}}}title") is not None
        else "",
        time=_attribute(root, "effectiveTime", "value"),
        confidentiality=_attribute(root, "confidentialityCode", "code"),
        language=_attribute(root, "languageCode", "code"),
        patient_ids=tuple(_pairs(root, "recordTarget/patientRole/id")),
        author_ids=tuple(_pairs(root, "author/assignedAuthor/id")),
        author_organisations=tuple(
            extension
            for oid, extension in _pairs(root, "author/assignedAuthor/representedOrganization/id")
            if oid == STRUCTURE_OID
        ),
        custodian=next(
            (
                extension
                for _oid, extension in _pairs(root, "custodian/assignedCustodian/representedCustodianOrganization/id")
            ),
            "",
        ),
        replaces=tuple(
            _joined(parent)
            for related in root.iterfind(f"{{{HL7}}}relatedDocument")
            if related.get("typeCode") == "RPLC"
            for parent in related.iterfind(f"{{{HL7}}}parentDocument/{{{HL7}}}id")
        ),
        body=_body(root),
    )


def _body(root: _Element) -> CdaBody | None:
    text = root.find(f"{{{HL7}}}component/{{{HL7}}}nonXMLBody/{{{HL7}}}text")
    if text is None:
        return None
    content = "".join(map(str, text.itertext()))
    if text.get("representation", "TXT") == "B64":
        try:
            return CdaBody(text.get("mediaType", ""), b64decode(_BLANKS.sub("", content), validate=True))
        except (Base64Error, ValueError):
            raise _BodyError(text, "nonXMLBody/text says B64 and is no base64") from None
    return CdaBody(text.get("mediaType", ""), content.encode())


def _one(root: _Element, name: str) -> _Element:
    found = root.find(f"{{{HL7}}}{name}")
    assert found is not None  # noqa: S101 - the structure was judged before
    return found


def _attribute(root: _Element, name: str, attribute: str) -> str:
    found = root.find(f"{{{HL7}}}{name}")
    return "" if found is None else found.get(attribute, "")


def _joined(element: _Element | None) -> str:
    if element is None:
        return ""
    root, extension = element.get("root", ""), element.get("extension")
    return f"{root}^{extension}" if extension else root


def _pairs(root: _Element, path: str) -> Iterator[tuple[str, str]]:
    for one in root.iterfind("/".join(f"{{{HL7}}}{step}" for step in path.split("/"))):
        yield one.get("root", ""), one.get("extension", "")
