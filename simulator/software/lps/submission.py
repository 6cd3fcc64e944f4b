"""A submission made: the document in CDA, its metadata, the signature of the set by the card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bifente.simulator.formats.cda import CDA_TYPE, CdaBody, CdaHeader, CdaPatient, write_cda
from bifente.simulator.formats.vihf import InsIdentifier
from bifente.simulator.formats.xades import sign_submission
from bifente.simulator.formats.xds.model import (
    Association,
    CodedEntry,
    Confidentiality,
    DocumentEntry,
    Submission,
    SubmissionSet,
    confidentiality,
)
from bifente.simulator.formats.xds.names import AssociationKind
from bifente.simulator.software.lps.chart import PatientChart
from bifente.simulator.software.lps.identity import LpsUser

LOINC, CLASSES, FORMATS = "2.16.840.1.113883.6.1", "1.2.250.1.213.1.1.4.1", "1.3.6.1.4.1.19376.1.2.3"
FACILITIES, SETTINGS, CONTENTS = "1.2.250.1.71.4.2.4", "1.2.250.1.213.1.1.4.9", "1.2.250.1.213.2.2"
SOURCE_ID = "1.2.250.1.999.2"
_FORMAT_CODES = {
    "application/pdf": "urn:ihe:iti:xds-sd:pdf:2008",
    "text/plain": "urn:ihe:iti:xds-sd:text:2008",
    "text/rtf": "urn:ihe:iti-fr:xds-sd:rtf:2010",
    "image/jpeg": "urn:ihe:iti-fr:xds-sd:jpeg:2010",
    "image/tiff": "urn:ihe:iti-fr:xds-sd:tiff:2010",
}


@dataclass(frozen=True, slots=True)
class LpsDocument:
    """What a user wants to send: the file, what it is, who is not to see it, which document it replaces.

    ``replaces`` is (uniqueId, entryUUID). ``cda`` is a finished document that is sent as it is,
    ``unique_id`` the id that it bears; without one an id is made.
    """

    media_type: str
    content: bytes = field(repr=False)
    title: str = "Compte rendu"
    code: str = "11488-4"
    label: str = "CR ou fiche de consultation ou de visite"
    class_code: str = "10"
    visibility: frozenset[Confidentiality] = frozenset()
    replaces: tuple[str, str] | None = None
    cda: bytes | None = field(default=None, repr=False)
    format_code: str = ""
    setting: str = "AMBULATOIRE"
    unique_id: str = ""


@dataclass(frozen=True, slots=True)
class PreparedSubmission:
    """All that a message carries: metadata, and the bytes of each entry by its id. ``unique_id`` is the document's."""

    unique_id: str
    lot: str
    submission: Submission
    contents: Mapping[str, bytes] = field(repr=False)

    @property
    def unique_ids(self) -> tuple[str, ...]:
        """Return those of the documents, the signature left out."""
        return tuple(one.unique_id for one in self.submission.entries if one.type_code.code != "E1762")


def prepare(
    user: LpsUser,
    patient: PatientChart,
    document: LpsDocument,
    number: int,
    at: datetime,
    *,
    other_in_cda: InsIdentifier | None = None,
    other_in_metadata: InsIdentifier | None = None,
) -> PreparedSubmission:
    """Return a signed submission of one document, as ``prepare_all`` does."""
    return prepare_all(
        user,
        patient,
        (document,),
        number,
        at,
        title=document.title,
        other_in_cda=other_in_cda,
        other_in_metadata=other_in_metadata,
    )


def prepare_all(
    user: LpsUser,
    patient: PatientChart,
    documents: Sequence[LpsDocument],
    number: int,
    at: datetime,
    *,
    title: str = "",
    other_in_cda: InsIdentifier | None = None,
    other_in_metadata: InsIdentifier | None = None,
) -> PreparedSubmission:
    """Return a signed submission; ``number`` makes its OIDs. The two ``other`` put another INS into one place.

    What the user's signer raises comes through: nothing is left half made.
    """
    lot, written = f"{SOURCE_ID}.2.{number}", (other_in_metadata or patient.ins).written
    contents: dict[str, bytes] = {}
    entries: list[DocumentEntry] = []
    for rank, document in enumerate(documents, 1):
        unique_id = document.unique_id or f"{SOURCE_ID}.1.{number}" + (f".{rank}" if rank > 1 else "")
        entry = _entry(user, patient, document, f"Document{rank:02}", unique_id, written, at)
        entries.append(entry)
        contents[entry.id] = document.cda or _cda(user, patient, document, unique_id, at, other_in_cda or patient.ins)
    signature = sign_submission(lot, {entry.unique_id: contents[entry.id] for entry in entries}, user.signer, at)
    signed = _signature(entries[0], f"{SOURCE_ID}.3.{number}")
    whole = SubmissionSet(
        "SubmissionSet01",
        lot,
        SOURCE_ID,
        written,
        at.strftime("%Y%m%d%H%M%S"),
        CodedEntry("04", CONTENTS, "Consultation"),
        (user.author,),
        title or documents[0].title,
    )
    ties = [(AssociationKind.HAS_MEMBER, whole.id, one.id) for one in (*entries, signed)]
    ties.append((AssociationKind.SIGNS, signed.id, whole.id))
    ties += [
        (AssociationKind.REPLACES, entry.id, document.replaces[1])
        for entry, document in zip(entries, documents, strict=True)
        if document.replaces is not None
    ]
    return PreparedSubmission(
        entries[0].unique_id,
        lot,
        Submission((whole,), (*entries, signed), tuple(_tie(rank, *tie) for rank, tie in enumerate(ties, 1))),
        {**contents, signed.id: signature},
    )


def _entry(
    user: LpsUser,
    patient: PatientChart,
    document: LpsDocument,
    name: str,
    unique_id: str,
    written: str,
    at: datetime,
) -> DocumentEntry:
    moment = at.strftime("%Y%m%d%H%M%S")
    return DocumentEntry(
        id=name,
        unique_id=unique_id,
        patient_id=written,
        mime=CDA_TYPE,
        class_code=CodedEntry(document.class_code, CLASSES, "Compte rendu"),
        type_code=CodedEntry(document.code, LOINC, document.label),
        format_code=CodedEntry(
            document.format_code or _FORMAT_CODES.get(document.media_type, document.media_type), FORMATS
        ),
        facility=CodedEntry(user.sector, FACILITIES, user.sector),
        practice=CodedEntry(document.setting, SETTINGS, document.setting.capitalize()),
        confidentiality=(
            confidentiality(Confidentiality.NORMAL),
            *(confidentiality(one) for one in sorted(document.visibility)),
        ),
        authors=(user.author,),
        creation_time=moment,
        title=document.title,
        legal_authenticator=user.author.person,
        service_start=moment,
        source_patient_id=patient.ins.written,
        source_patient_info=(
            f"PID-5|{patient.family}^{patient.given}^^^^^L",
            f"PID-7|{patient.birth}",
            f"PID-8|{patient.sex}",
        ),
    )


def _signature(of: DocumentEntry, unique_id: str) -> DocumentEntry:
    """The entry of the signature of a set, beside one of its documents."""
    return replace(
        of,
        id="Signature01",
        unique_id=unique_id,
        class_code=CodedEntry("urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1", "URN", "Digital Signature"),
        type_code=CodedEntry("E1762", "ASTM", "Full Document"),
        format_code=CodedEntry("http://www.w3.org/2000/09/xmldsig#", "URN", "Default Signature Style"),
        confidentiality=tuple(
            confidentiality(one)
            for one in (Confidentiality.NORMAL, Confidentiality.MASKED, Confidentiality.HIDDEN_FROM_PATIENT)
        ),
        title="Source",
        language="art",
        event_codes=(CodedEntry("1.2.840.10065.1.12.1.14", "1.2.840.10065.1.12", "Source"),),
        source_patient_info=(),
    )


def _tie(number: int, kind: AssociationKind, source: str, target: str) -> Association:
    return Association(f"association{number}", kind, source, target, (("SubmissionSetStatus", "Original"),))


def _cda(
    user: LpsUser, patient: PatientChart, document: LpsDocument, unique_id: str, at: datetime, ins: InsIdentifier
) -> bytes:
    header = CdaHeader(
        id=unique_id,
        set_id=f"{unique_id}.0",
        version=2 if document.replaces else 1,
        code=document.code,
        code_label=document.label,
        title=document.title,
        time=at.strftime("%Y%m%d%H%M%S+0000"),
        patient=CdaPatient(ins.whole, ins.oid, patient.family, patient.given, patient.sex, patient.birth),
        author=user.person,
        replaces=document.replaces[0] if document.replaces else "",
    )
    return write_cda(header, CdaBody(document.media_type, document.content))
