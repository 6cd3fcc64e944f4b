"""Securing a sheet with the two cards, checking one, taking one apart for OpenSSL. All of it is modelled: SHA-256 and
RSA of the laboratory's cards over the canonical form, with the published rules around them (sources#care-sheet).
"""

from bifente.simulator.fse.securing.cards import (
    ProfessionalSession,
    Right,
    SigningCard,
    sheet_signed_by_professional,
    sign_as_insured,
    sign_as_professional,
    signed,
)
from bifente.simulator.fse.securing.codec import SecuredFormatError, decode_secured, encode_secured
from bifente.simulator.fse.securing.desk import Batch, SecuringDesk, lacking, unsigned
from bifente.simulator.fse.securing.exporting import export
from bifente.simulator.fse.securing.modes import WITH_PAPER, wants
from bifente.simulator.fse.securing.refusals import Refusal, SecuringError
from bifente.simulator.fse.securing.verifying import Anchors, Verifier, reasons, signing_professional, verify

__all__ = [
    "WITH_PAPER",
    "Anchors",
    "Batch",
    "ProfessionalSession",
    "Refusal",
    "Right",
    "SecuredFormatError",
    "SecuringDesk",
    "SecuringError",
    "SigningCard",
    "Verifier",
    "decode_secured",
    "encode_secured",
    "export",
    "lacking",
    "reasons",
    "sheet_signed_by_professional",
    "sign_as_insured",
    "sign_as_professional",
    "signed",
    "signing_professional",
    "unsigned",
    "verify",
    "wants",
]
