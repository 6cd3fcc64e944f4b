"""The Vitale 2 as tables: one side, T=0, its commands (sources#vitale-card; the proofs are the laboratory's own)."""

from __future__ import annotations

from bifente.simulator.cards.making import maker
from bifente.simulator.cards.vitale2.operations import ComputeSignature
from bifente.simulator.iso7816 import fcp
from bifente.simulator.iso7816.commands import selection
from bifente.simulator.iso7816.commands.authentication import (
    VERIFY_CERTIFICATE,
    VERIFY_CERTIFICATE_AS_GIVEN,
    InternalAuthenticate,
    external_authenticate,
    verify_certificate,
)
from bifente.simulator.iso7816.commands.binary import read_binary
from bifente.simulator.iso7816.commands.challenge import GetChallenge
from bifente.simulator.iso7816.commands.security import COMPUTE_SIGNATURE, PerformSecurityOperation
from bifente.simulator.iso7816.family import Class, Family, Instruction, Side
from bifente.simulator.iso7816.image import DedicatedFile, ElementaryFile

CHALLENGE_SIZE = 16
"""Bytes of a challenge of the card."""
_CARD_KEY, _CARD_ALGORITHM = 0x01, 0x42
_SIGNATURE_KEY, _SIGNATURE_ALGORITHM = 0x02, 0x43
_MAX_CERTIFICATE = 4096


def describe(file: ElementaryFile | DedicatedFile) -> bytes:
    """What the FCI or FCP tells of a file (modelled: clients do not look into it)."""
    if isinstance(file, DedicatedFile):
        return fcp.FileControl(fcp.DF, file.fid, name=file.aid).body()
    return fcp.FileControl(
        fcp.TRANSPARENT_EF, file.fid, size=len(file.content), short_identifier=file.sfi, acl=file.acl
    ).body()


VITALE = Side(
    name="vitale",
    volume="vitale",
    describe=describe,
    instructions={
        0x2A: Instruction(
            PerformSecurityOperation(
                {
                    VERIFY_CERTIFICATE: verify_certificate,
                    VERIFY_CERTIFICATE_AS_GIVEN: verify_certificate,
                    COMPUTE_SIGNATURE: ComputeSignature(_SIGNATURE_KEY, _SIGNATURE_ALGORITHM),
                }
            ),
            chaining=True,
        ),
        0x82: Instruction(external_authenticate, chaining=True),
        0x84: Instruction(GetChallenge(CHALLENGE_SIZE), outgoing=True),
        0x88: Instruction(InternalAuthenticate(_CARD_KEY, _CARD_ALGORITHM)),
        0xA4: Instruction(
            selection.Select(
                rules={
                    0x00: selection.BY_IDENTIFIER,
                    0x02: selection.CHILD_FILE,
                    0x03: selection.PARENT,
                    0x04: selection.BY_NAME,
                    0x08: selection.FROM_MASTER,
                    0x09: selection.BY_PATH,
                },
                answers={0x00: fcp.FCI_TEMPLATE, 0x04: fcp.FCP_TEMPLATE, 0x0C: None},
            )
        ),
        0xB0: Instruction(read_binary, outgoing=True),
    },
)

TABLES = Family(
    name="vitale2",
    main=VITALE.name,
    classes={0x00: Class(VITALE), 0x10: Class(VITALE, chained=True)},
    max_body=_MAX_CERTIFICATE,
)

card = maker(TABLES)
"""A card with this personalisation."""
