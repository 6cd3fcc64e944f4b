"""Who a new document is hidden from: what is allowed together, for a minor, in a secret connection."""

from __future__ import annotations

from bifente.ground.text import Text
from bifente.simulator.formats.xds.errors import MetadataError
from bifente.simulator.formats.xds.model import Confidentiality, DocumentEntry
from bifente.simulator.services.dmp.errors import DmpRefusalError
from bifente.simulator.services.dmp.record import MedicalRecord
from bifente.simulator.services.dmp.requester import Requester

PATIENT_CLASS = "90"
"""The classCode of documents that the patient puts in."""


def check_visibility(record: MedicalRecord, requester: Requester, entry: DocumentEntry) -> None:
    """Raise DmpRefusalError or MetadataError for a visibility that a new document may not have."""
    codes = entry.codes
    if unknown := codes - {*Confidentiality}:
        raise MetadataError(f"confidentiality {sorted(unknown)[0][:40]!r} is not of JDV_J58", location=entry.unique_id)
    if not codes & {Confidentiality.NORMAL, Confidentiality.RESTRICTED, Confidentiality.VERY_RESTRICTED}:
        raise MetadataError("one of N, R and V is needed beside the codes of the DMP", location=entry.unique_id)
    hidden, masked = Confidentiality.HIDDEN_FROM_PATIENT in codes, Confidentiality.MASKED in codes
    guarded = Confidentiality.HIDDEN_FROM_REPRESENTATIVES in codes
    if masked and hidden and not record.parameters.cumul:
        raise _refused(
            entry,
            "masqué aux professionnels et invisible au patient à la fois (CumulVisibilité non)",
            "masked to professionals and hidden from the patient at once (CumulVisibilité no)",
        )
    if guarded and not record.minor:
        raise _refused(entry, "le patient est majeur : pas de représentants légaux", "the patient is of age")
    if requester.secret and record.minor and not guarded:
        raise _refused(
            entry,
            "en connexion secrète, chaque document est invisible aux représentants légaux",
            "in a secret connection each document is hidden from the legal representatives",
        )


def _refused(entry: DocumentEntry, fr: str, en: str) -> DmpRefusalError:
    return DmpRefusalError("DMPVisibilityRefused", Text(fr, en), entry.unique_id)
