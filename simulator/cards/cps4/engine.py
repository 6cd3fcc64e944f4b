"""The CPS4 as tables: its applications on logical channels, their commands, how they select and describe."""

from __future__ import annotations

from bifente.simulator.cards.cps4.codes import by_local_reference, counted
from bifente.simulator.cards.cps4.operations import manage_security_environment, perform_security_operation
from bifente.simulator.cards.making import maker
from bifente.simulator.iso7816 import fcp
from bifente.simulator.iso7816.commands import selection
from bifente.simulator.iso7816.commands.binary import read_binary, update_binary
from bifente.simulator.iso7816.commands.challenge import GetChallenge
from bifente.simulator.iso7816.commands.codes import ByParameter, assign, present, unblock
from bifente.simulator.iso7816.family import Class, Family, Instruction, Side
from bifente.simulator.iso7816.image import DedicatedFile, ElementaryFile

_CHAINED = 0x10
_CHANNELS = range(4)


def describe(file: ElementaryFile | DedicatedFile) -> bytes:
    """What the FCI or FCP tells of a file: neither short identifier nor access rules (CARD-CPS4-06)."""
    if isinstance(file, DedicatedFile):
        return fcp.FileControl(fcp.DF, file.fid, name=file.aid).body()
    return fcp.FileControl(fcp.TRANSPARENT_EF, file.fid, size=len(file.content)).body()


# The module uses 08 with 00; an older one, whose sources are public, uses 09 and 00 with 04 (facts, 9.1).
_SELECT = Instruction(
    selection.Select(
        rules={
            0x00: selection.BY_IDENTIFIER,
            0x04: selection.BY_NAME,
            0x08: selection.FROM_MASTER,
            0x09: selection.BY_PATH,
        },
        answers={0x00: fcp.FCI_TEMPLATE, 0x04: fcp.FCP_TEMPLATE, 0x0C: None},
    )
)

CHIPDOC = Side(
    name="chipdoc",
    volume="chipdoc",
    describe=describe,
    instructions={
        0x20: Instruction(ByParameter({0x00: counted(present, presents=True)})),
        0x22: Instruction(manage_security_environment),
        0x24: Instruction(ByParameter({0x01: counted(assign)})),
        0x2A: Instruction(perform_security_operation, chaining=True),
        0x2C: Instruction(ByParameter({0x03: counted(unblock, by_local_reference)})),
        0x84: Instruction(GetChallenge(8), outgoing=True),
        0xA4: _SELECT,
        0xB0: Instruction(read_binary, outgoing=True),
        0xD6: Instruction(update_binary),
    },
)
# Only ever selected (CARD-CPS4-03): what else they do on a real card is unknown.
CPS2TER = Side(name="cps2ter", volume="cps2ter", describe=describe, instructions={0xA4: _SELECT})
SECURITY_DOMAIN = Side(
    name="security-domain", volume="security-domain", describe=describe, instructions={0xA4: _SELECT}
)

# CARD-CPS4-02: the class says the channel, and that more of the body follows. No class A0.
TABLES = Family(
    name="cps4",
    main=CHIPDOC.name,
    classes={
        chained | number: Class(channel=number, chained=bool(chained))
        for chained in (0, _CHAINED)
        for number in _CHANNELS
    },
    applications=(CHIPDOC, CPS2TER, SECURITY_DOMAIN),
)

card = maker(TABLES)
"""A card with this personalisation."""
