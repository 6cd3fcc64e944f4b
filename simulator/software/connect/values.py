"""The numbers and bits by which the wrapper names states, visibilities, formats, and what they are in the DMP."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from bifente.simulator.formats.vihf.patient import InsOid
from bifente.simulator.formats.xds.model import Confidentiality
from bifente.simulator.formats.xds.names import DocumentStatus
from bifente.simulator.middleware.dmpconnect.conventions import malformed


class RecordState(IntEnum):
    """``i_dmpStatus``."""

    EXISTS = 1
    CLOSED = 2
    NOT_FOUND = 3
    ERROR = 4


class OwnAuthorisation(IntEnum):
    """``i_userAuthorization``."""

    ERROR = 1
    EXISTS = 2
    EXPIRED = 3
    DENIED = 4
    NONE = 5


class ConnectSex(IntEnum):
    """``i_sex``."""

    UNKNOWN = 1
    MALE = 2
    FEMALE = 3

    @property
    def letter(self) -> str:
        """Return M or F, empty for the unknown one."""
        return {1: "", 2: "M", 3: "F"}[self.value]

    @classmethod
    def letter_of(cls, number: object) -> str:
        """Return the letter of a number, empty for one that is none."""
        return next((one.letter for one in cls if one == number), "")

    @classmethod
    def of(cls, letter: str) -> ConnectSex:
        """Return the sex of a letter."""
        return {"M": cls.MALE, "F": cls.FEMALE}.get(letter, cls.UNKNOWN)


AUTHORISATIONS: Mapping[str, OwnAuthorisation] = {
    "VALIDE": OwnAuthorisation.EXISTS,
    "EXPIRE": OwnAuthorisation.EXPIRED,
    "INTERDIT": OwnAuthorisation.DENIED,
    "NON_EXISTE": OwnAuthorisation.NONE,
}
INS_TYPES: Mapping[str, InsOid] = {"N": InsOid.NIR, "A": InsOid.NIA, "T": InsOid.TEST, "D": InsOid.DEMO}
"""``s_insType``; which letter a NIA has is ours."""
MODES: Mapping[int, str] = {1: "normal", 2: "bris_de_glace", 3: "centre_15"}
"""``i_accessMode``."""

STATUSES: Mapping[DocumentStatus, int] = {
    DocumentStatus.APPROVED: 1,
    DocumentStatus.DEPRECATED: 2,
    DocumentStatus.ARCHIVED: 4,
}
VISIBILITIES: Mapping[int, Confidentiality] = {
    2: Confidentiality.HIDDEN_FROM_PATIENT,
    4: Confidentiality.MASKED,
    8: Confidentiality.HIDDEN_FROM_REPRESENTATIVES,
}
_SEEN_BY_ALL, _BITS = 1, 15

MEDIA: Mapping[int, tuple[str, str]] = {
    1: ("text/plain", "urn:ihe:iti:xds-sd:text:2008"),
    2: ("text/rtf", "urn:ihe:iti-fr:xds-sd:rtf:2010"),
    3: ("image/jpeg", "urn:ihe:iti-fr:xds-sd:jpeg:2010"),
    4: ("image/tiff", "urn:ihe:iti-fr:xds-sd:tiff:2010"),
    5: ("application/pdf", "urn:ihe:iti:xds-sd:pdf:2008"),
}
"""Formats of one file in a document."""
STRUCTURED: Mapping[int, str] = {
    6: "urn:asip:ci-sis:vsm:2013",
    7: "urn:ihe:lab:xd-lab:2008",
    40: "urn:asip:ci-sis:dlu-ehpad:2018",
    41: "urn:asip:ci-sis:dlu-ehpad-fludt:2018",
    42: "urn:asip:ci-sis:dlu-ehpad-fludr:2018",
}
"""Formats of documents that are CDA themselves; which formatCode each has is ours, any is taken."""


def hidden_from(bits: int) -> frozenset[Confidentiality]:
    """Return the codes that visibility bits ask for. Raise ConnectError for bits that do not go together."""
    if not 0 < bits <= _BITS or (bits & _SEEN_BY_ALL and bits != _SEEN_BY_ALL):
        raise malformed("the visibility is 1 (seen by all), or any of 2 (patient), 4 (professionals), 8 (guardian)")
    return frozenset(code for bit, code in VISIBILITIES.items() if bits & bit)


def bits_of(codes: frozenset[str]) -> int:
    """Return the visibility bits of confidentiality codes."""
    return sum(bit for bit, code in VISIBILITIES.items() if code in codes) or _SEEN_BY_ALL


def statuses(bits: int) -> tuple[DocumentStatus, ...]:
    """Return the states that status bits ask for. Raise ConnectError for none."""
    found = tuple(status for status, bit in STATUSES.items() if bits & bit)
    if not found:
        raise malformed("i_status: 1 (approved), 2 (deprecated), 4 (archived), added up")
    return found
