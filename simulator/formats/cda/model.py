"""A clinical document as values."""

from __future__ import annotations

from dataclasses import dataclass, field

CDA_TYPE = "text/xml"
"""The media type of a CDA document in the metadata of the DMP."""

HL7 = "urn:hl7-org:v3"
PERSON_OID, STRUCTURE_OID = "1.2.250.1.71.4.2.1", "1.2.250.1.71.4.2.2"


@dataclass(frozen=True, slots=True)
class CdaPatient:
    """Whose document it is: INS with its OID, traits as INSi gave them. ``birth`` is ``YYYYMMDD``."""

    ins: str
    oid: str
    family: str
    given: str
    sex: str
    birth: str
    birth_place: str = ""


@dataclass(frozen=True, slots=True)
class CdaOrganisation:
    """A structure; ``setting`` is a code of TRE_A01 such as AMBULATOIRE."""

    id: str
    name: str
    setting: str = "AMBULATOIRE"


@dataclass(frozen=True, slots=True)
class CdaPerson:
    """A professional; ``code`` is profession and speciality, ``G15_10/SM26``."""

    id: str
    family: str
    given: str
    code: str
    label: str
    organisation: CdaOrganisation


@dataclass(frozen=True, slots=True)
class CdaHeader:
    """What the header says. Times are ``YYYYMMDDhhmmss+hhmm``; ``replaces`` is the id of the document it replaces."""

    id: str
    set_id: str
    version: int
    code: str
    code_label: str
    title: str
    time: str
    patient: CdaPatient
    author: CdaPerson
    confidentiality: str = "N"
    language: str = "fr-FR"
    replaces: str = ""
    event: str = ""


@dataclass(frozen=True, slots=True)
class CdaBody:
    """A body of level 1: one file of another format."""

    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CdaDocument:
    """What was read of a document; ``patient_ids`` are (root, extension). ``body`` is None for a structured one."""

    id: str
    set_id: str
    version: str
    code: str
    title: str
    time: str
    confidentiality: str
    language: str
    patient_ids: tuple[tuple[str, str], ...]
    author_ids: tuple[tuple[str, str], ...]
    author_organisations: tuple[str, ...]
    custodian: str
    replaces: tuple[str, ...]
    body: CdaBody | None
