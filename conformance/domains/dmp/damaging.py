"""Documents and metadata damaged in one named way each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from bifente.simulator.formats.xds.model import CodedEntry, DocumentAuthor, Submission
from bifente.simulator.software.lps.submission import PreparedSubmission


def damaged_cda(how: str, content: bytes) -> bytes:
    """Return a CDA that is damaged so."""
    return _DOCUMENTS[how](content)


def damaged_submission(how: str, prepared: PreparedSubmission) -> PreparedSubmission:
    """Return a submission whose metadata are damaged so."""
    return replace(prepared, submission=_METADATA[how](prepared.submission))


def _cut(pattern: bytes) -> Callable[[bytes], bytes]:
    return lambda content: re.sub(pattern, b"", content, count=1, flags=re.DOTALL)


_DOCUMENTS: Mapping[str, Callable[[bytes], bytes]] = {
    "no-author": _cut(rb"<author>.*?</author>"),
    "no-patient": _cut(rb"<recordTarget>.*?</recordTarget>"),
    "no-body": _cut(rb"<component>.*</component>"),
    "bad-date": lambda content: re.sub(
        rb'<effectiveTime value="\d{4}', b'<effectiveTime value="year', content, count=1
    ),
    "wrong-id": lambda content: re.sub(rb'<id root="[\d.]+"', b'<id root="1.2.250.1.999.77"', content, count=1),
}


def _entry(**changes: object) -> Callable[[Submission], Submission]:
    return lambda given: replace(given, entries=(replace(given.entries[0], **changes), *given.entries[1:]))  # type: ignore[arg-type]


_METADATA: Mapping[str, Callable[[Submission], Submission]] = {
    "no-type": _entry(type_code=CodedEntry("", "")),
    "two-sets": lambda given: replace(given, sets=(*given.sets, replace(given.sets[0], id="SubmissionSet02"))),
    "no-signature": lambda given: replace(
        given, entries=(given.entries[0], replace(given.entries[1], type_code=given.entries[0].type_code))
    ),
    "unknown-confidentiality": _entry(confidentiality=(CodedEntry("N", "x"), CodedEntry("SECRET_PATIENT", "x"))),
    "other-author": _entry(authors=(DocumentAuthor("899900000999^AUTRE^", ("AUTRE^^^^^&x&ISO^IDNST^^^1990000010",)),)),
    "wrong-hash": _entry(hash="da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    "same-unique-id": lambda given: replace(
        given, entries=(given.entries[0], replace(given.entries[1], unique_id=given.entries[0].unique_id))
    ),
}
