"""A document of level 1 from its header and its file. The order of elements is that of the CDA R2 schema."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from lxml import etree

from bifente.simulator.formats.cda.model import (
    HL7,
    PERSON_OID,
    STRUCTURE_OID,
    CdaBody,
    CdaHeader,
    CdaOrganisation,
    CdaPerson,
)

_Element = etree._Element
LOINC = "2.16.840.1.113883.6.1"
#: Templates: HL7 France, CI-SIS minimal structure, IHE XDS-SD (level 1).
_TEMPLATES = ("2.16.840.1.113883.2.8.2.1", "1.2.250.1.213.1.1.1.1", "1.3.6.1.4.1.19376.1.2.20")


def write_cda(header: CdaHeader, body: CdaBody) -> bytes:
    """Return the document as UTF-8."""
    root = etree.Element(
        f"{{{HL7}}}ClinicalDocument",
        nsmap={None: HL7, "xsi": "http://www.w3.org/2001/XMLSchema-instance"},  # type: ignore[dict-item]
    )
    _add(root, "realmCode", code="FR")
    _add(root, "typeId", root="2.16.840.1.113883.1.3", extension="POCD_HD000040")
    for template in _TEMPLATES:
        _add(root, "templateId", root=template)
    _id(root, "id", header.id)
    _add(root, "code", code=header.code, displayName=header.code_label, codeSystem=LOINC, codeSystemName="LOINC")
    _add(root, "title").text = header.title
    _add(root, "effectiveTime", value=header.time)
    _add(
        root,
        "confidentialityCode",
        code=header.confidentiality,
        displayName=_LEVELS[header.confidentiality],
        codeSystem="2.16.840.1.113883.5.25",
    )
    _add(root, "languageCode", code=header.language)
    _id(root, "setId", header.set_id)
    _add(root, "versionNumber", value=str(header.version))
    _patient(root, header)
    author = _add(root, "author")
    _add(author, "time", value=header.time)
    _person(_add(author, "assignedAuthor"), header.author)
    custodian = _add(_add(_add(root, "custodian"), "assignedCustodian"), "representedCustodianOrganization")
    _organisation(custodian, header.author.organisation, setting=False)
    legal = _add(root, "legalAuthenticator")
    _add(legal, "time", value=header.time)
    _add(legal, "signatureCode", code="S")
    _person(_add(legal, "assignedEntity"), header.author)
    event = _add(_add(root, "documentationOf"), "serviceEvent")
    _add(_add(event, "effectiveTime"), "low", value=header.event or header.time)
    _person(_add(_add(event, "performer", typeCode="PRF"), "assignedEntity"), header.author)
    if header.replaces:
        parent = _add(_add(root, "relatedDocument", typeCode="RPLC"), "parentDocument")
        _id(parent, "id", header.replaces)
    encounter = _add(_add(root, "componentOf"), "encompassingEncounter")
    _add(_add(encounter, "effectiveTime"), "low", value=header.event or header.time)
    facility = _add(_add(encounter, "location"), "healthCareFacility")
    _add(facility, "code", code="SA07", displayName="Cabinet individuel", codeSystem="1.2.250.1.71.4.2.4")
    inside = _add(_add(root, "component"), "nonXMLBody")
    text = _add(inside, "text", mediaType=body.media_type, representation="B64")
    text.text = b64encode(body.content).decode("ascii")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


_LEVELS = {"N": "Normal", "R": "Restreint", "V": "Très restreint"}


def _patient(root: _Element, header: CdaHeader) -> None:
    given = header.patient
    role = _add(_add(root, "recordTarget"), "patientRole")
    _add(role, "id", extension=given.ins, root=given.oid)
    _add(role, "addr", nullFlavor="UNK")
    _add(role, "telecom", nullFlavor="UNK")
    patient = _add(role, "patient")
    name = _add(patient, "name")
    _add(name, "family", qualifier="BR").text = given.family
    _add(name, "given").text = given.given
    _add(name, "given", qualifier="BR").text = given.given.split()[0] if given.given else ""
    _add(patient, "administrativeGenderCode", code=given.sex, codeSystem="2.16.840.1.113883.5.1")
    _add(patient, "birthTime", value=given.birth)
    if given.birth_place:
        _add(_add(_add(_add(patient, "birthplace"), "place"), "addr"), "county").text = given.birth_place


def _person(parent: _Element, person: CdaPerson) -> None:
    _add(parent, "id", root=PERSON_OID, extension=person.id)
    _add(parent, "code", code=person.code, displayName=person.label, codeSystem="1.2.250.1.213.1.1.4.5")
    _add(parent, "addr", nullFlavor="UNK")
    _add(parent, "telecom", nullFlavor="UNK")
    name = _add(_add(parent, "assignedPerson"), "name")
    _add(name, "given").text = person.given
    _add(name, "family").text = person.family
    _organisation(_add(parent, "representedOrganization"), person.organisation)


def _organisation(parent: _Element, organisation: CdaOrganisation, *, setting: bool = True) -> None:
    _add(parent, "id", root=STRUCTURE_OID, extension=organisation.id)
    _add(parent, "name").text = organisation.name
    _add(parent, "telecom", nullFlavor="UNK")
    _add(parent, "addr", nullFlavor="UNK")
    if setting:
        _add(parent, "standardIndustryClassCode", code=organisation.setting, codeSystem="1.2.250.1.213.1.1.4.9")


def _id(parent: _Element, tag: str, value: str) -> None:
    """An identifier ``root`` or ``root^extension``."""
    root, circumflex, extension = value.partition("^")
    _add(parent, tag, root=root, **({"extension": extension} if circumflex else {}))


def _add(parent: _Element, tag: str, **attributes: Any) -> _Element:
    return etree.SubElement(parent, f"{{{HL7}}}{tag}", attributes)
