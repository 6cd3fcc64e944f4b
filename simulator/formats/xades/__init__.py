"""The signature of a submission: XAdES over a manifest of its documents, by a card (sources#dmp-messages, IHE DSG)."""

from bifente.simulator.formats.xades.signing import sign_submission
from bifente.simulator.formats.xades.verifying import (
    ManifestLine,
    SubmissionSignature,
    SubmissionSignatureError,
    verified_submission,
)

__all__ = [
    "ManifestLine",
    "SubmissionSignature",
    "SubmissionSignatureError",
    "sign_submission",
    "verified_submission",
]
