"""The CPS3 as tables: two sides (IAS ECC, and CPS2ter under class A0), their commands, how they select and describe."""

from __future__ import annotations

from bifente.simulator.cards.cps3.operations import (
    internal_authenticate,
    manage_security_environment,
    perform_security_operation,
)
from bifente.simulator.cards.cps3.sdo import get_data
from bifente.simulator.cards.making import maker
from bifente.simulator.iso7816 import fcp
from bifente.simulator.iso7816.commands import selection
from bifente.simulator.iso7816.commands.binary import read_binary, update_binary
from bifente.simulator.iso7816.commands.challenge import GetChallenge
from bifente.simulator.iso7816.commands.codes import ByParameter, exchange, present, unblock_anew
from bifente.simulator.iso7816.family import Class, Family, Instruction, Side
from bifente.simulator.iso7816.image import DedicatedFile, ElementaryFile
from bifente.simulator.iso7816.status import StatusWord

_MF_TYPE, _DF_TYPE, _EF_TYPE = 0x01, 0x02, 0x04
_MF = 0x3F00
_FILE_HEADER = 0x85


def describe(file: ElementaryFile | DedicatedFile) -> bytes:
    """What the FCP tells of a file, in the very layout of the real card (CARD-CPS3-12)."""
    if isinstance(file, DedicatedFile):
        return fcp.FileControl(fcp.DF, file.fid, name=file.aid, acl=file.acl).body()
    return fcp.FileControl(
        fcp.TRANSPARENT_EF,
        file.fid,
        size=len(file.content),
        short_identifier=file.sfi or 0,
        acl=file.acl,
        contactless_acl=file.contactless_acl,
    ).body()


def describe_cps2ter(file: ElementaryFile | DedicatedFile) -> bytes:
    """What the CPS2ter side tells: ``<size> <identifier> <type> 00 00 00`` (CARD-CPS3-32)."""
    if isinstance(file, ElementaryFile):
        size, kind = len(file.content), _EF_TYPE
    else:
        size, kind = 0, _MF_TYPE if file.fid == _MF else _DF_TYPE
    return size.to_bytes(2, "big") + file.fid.to_bytes(2, "big") + bytes((kind, 0, 0, 0))


IAS = Side(
    name="ias",
    volume="ias",
    describe=describe,
    instructions={
        0x20: Instruction(ByParameter({0x00: present})),
        0x22: Instruction(manage_security_environment),
        0x24: Instruction(ByParameter({0x00: exchange})),
        0x2A: Instruction(perform_security_operation, chaining=True),
        0x2C: Instruction(ByParameter({0x02: unblock_anew})),
        0x84: Instruction(GetChallenge(8), outgoing=True),
        0x88: Instruction(internal_authenticate),
        0xA4: Instruction(
            selection.Select(
                rules={
                    0x00: selection.BY_IDENTIFIER,
                    0x01: selection.CHILD_FOLDER,
                    0x02: selection.CHILD_FILE,
                    0x03: selection.PARENT,
                    0x04: selection.BY_NAME,
                    0x08: selection.FROM_MASTER,
                    0x09: selection.BY_PATH,
                },
                answers={0x00: fcp.FCP_TEMPLATE, 0x04: fcp.FCP_TEMPLATE, 0x0C: None},
                # `00 A4 00 00 02 3F 00` fails on a CPS: so clients know a Vitale (sources#vitale-card).
                unserved={(0x00, 0x00)},
                silent_root=True,
            )
        ),
        0xB0: Instruction(read_binary, outgoing=True),
        0xCB: Instruction(get_data),
        0xD6: Instruction(update_binary),
    },
)

CPS2TER = Side(
    name="cps2ter",
    volume="cps2ter",
    describe=describe_cps2ter,
    instructions={
        0xA4: Instruction(
            selection.Select(
                rules={0x00: selection.BY_IDENTIFIER},
                answers={0x00: _FILE_HEADER},
                not_found=StatusWord.A0_FILE_NOT_FOUND,
            )
        ),
        0xB0: Instruction(read_binary, outgoing=True),
    },
    more=0x9F,
)

# CARD-CPS3-04: no other class is served.
TABLES = Family(
    name="cps3",
    main=IAS.name,
    classes={0x00: Class(IAS), 0x10: Class(IAS, chained=True), 0xA0: Class(CPS2TER)},
)

card = maker(TABLES)
"""A card with this personalisation."""
