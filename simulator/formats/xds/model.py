"""Documents, submissions and associations as values. Times are texts ``YYYYMMDDhhmmss`` in UTC, as on the wire."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from bifente.simulator.formats.xds.names import AssociationKind, DocumentStatus


def patient_key(patient_id: str) -> tuple[str, str]:
    """Return number and OID of a patientId ``<ins>^^^&<oid>&ISO^NH``, whatever follows; the text and "" for another."""
    parts = patient_id.split("^")
    authority = parts[3].split("&") if len(parts) > 4 else []
    if len(authority) != 3 or authority[2] != "ISO" or parts[4] != "NH" or parts[1] or parts[2]:
        return patient_id, ""
    return parts[0], authority[1]


@dataclass(frozen=True, slots=True)
class CodedEntry:
    """A code with its system and what it is called."""

    code: str
    system: str
    display: str = ""


class Confidentiality(StrEnum):
    """The codes of JDV_J58 that change who sees a document, and N (sources#dmp-messages)."""

    NORMAL = "N"
    RESTRICTED = "R"
    VERY_RESTRICTED = "V"
    MASKED = "MASQUE_PS"
    HIDDEN_FROM_PATIENT = "INVISIBLE_PATIENT"
    HIDDEN_FROM_REPRESENTATIVES = "INVISIBLE_REPRESENTANTS_LEGAUX"


#: Systems of the confidentiality codes: those of HL7, and those of the DMP.
HL7_CONFIDENTIALITY, DMP_CONFIDENTIALITY = "2.16.840.1.113883.5.25", "1.2.250.1.213.1.1.4.13"


def confidentiality(code: Confidentiality) -> CodedEntry:
    """Return a confidentiality code with its system."""
    letter = len(code.value) == 1
    return CodedEntry(code.value, HL7_CONFIDENTIALITY if letter else DMP_CONFIDENTIALITY, code.value)


@dataclass(frozen=True, slots=True)
class DocumentAuthor:
    """Who wrote: person (XCN) and institutions (XON) as on the wire, role and speciality."""

    person: str
    institutions: tuple[str, ...] = ()
    role: str = ""
    speciality: str = ""


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """What is known of one document.

    ``id`` names it within its message, or is its entryUUID (``urn:uuid:``) once a registry gave it one; ``logical_id``
    stays the same over its versions. ``hash`` is SHA-1, as XDS has it.
    """

    id: str
    unique_id: str
    patient_id: str
    mime: str
    class_code: CodedEntry
    type_code: CodedEntry
    format_code: CodedEntry
    facility: CodedEntry
    practice: CodedEntry
    confidentiality: tuple[CodedEntry, ...]
    authors: tuple[DocumentAuthor, ...]
    creation_time: str
    title: str = ""
    comments: str = ""
    language: str = "fr-FR"
    legal_authenticator: str = ""
    service_start: str = ""
    service_stop: str = ""
    source_patient_id: str = ""
    source_patient_info: tuple[str, ...] = ()
    event_codes: tuple[CodedEntry, ...] = ()
    status: DocumentStatus | None = None
    hash: str = ""
    size: int | None = None
    repository: str = ""
    logical_id: str = ""
    version: int = 1

    @property
    def codes(self) -> frozenset[str]:
        """The confidentiality codes alone."""
        return frozenset(one.code for one in self.confidentiality)


@dataclass(frozen=True, slots=True)
class SubmissionSet:
    """One lot of documents sent together."""

    id: str
    unique_id: str
    source_id: str
    patient_id: str
    submission_time: str
    content_type: CodedEntry
    authors: tuple[DocumentAuthor, ...]
    title: str = ""
    comments: str = ""
    status: DocumentStatus | None = None


@dataclass(frozen=True, slots=True)
class Association:
    """A tie between two objects, by their ids; ``slots`` as on the wire (SubmissionSetStatus, NewStatus ...)."""

    id: str
    kind: AssociationKind
    source: str
    target: str
    slots: tuple[tuple[str, str], ...] = ()

    def slot(self, name: str) -> str:
        """Return the value of a slot, empty without it."""
        return dict(self.slots).get(name, "")


@dataclass(frozen=True, slots=True)
class Submission:
    """All that one message registers."""

    sets: tuple[SubmissionSet, ...] = ()
    entries: tuple[DocumentEntry, ...] = ()
    associations: tuple[Association, ...] = ()


@dataclass(frozen=True, slots=True)
class RegistryError:
    """One line of a RegistryErrorList."""

    code: str
    context: str
    location: str = ""


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """A stored query: its UUID and parameters, a parenthesised list told from a bare value by ``lists``."""

    query: str
    returns: str
    parameters: tuple[tuple[str, tuple[str, ...]], ...]
    lists: frozenset[str] = field(default_factory=frozenset)

    def values(self, name: str) -> tuple[str, ...]:
        """Return all values of a parameter, empty without it."""
        return tuple(value for key, values in self.parameters if key == name for value in values)
