"""The small files clients read before any PKCS#15: EF.DIR, EF.ATR, EF.SN and EF_ACTUA.

Values of a CPS3 read off a real card and published (CARD-CPS3-08, -09, -10, -13), fidelity "observed"; the folder of
its contactless application is modelled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bifente.simulator.iso7816 import tlv

#: Issuer identification at the head of every card serial number; without it a client sees no token.
ISSUER = "8025000001"

#: EF_ACTUA of a card whose update was cut short: no dates, which a client reports at session opening.
DAMAGED_UPDATE = bytes.fromhex("EC12810700000000000000820700000000000000")
EMPTY_UPDATE = b""

# Tag E0 gives the largest command and answer; 46, 47 and 78 are as on the real card.
_ATR = (
    "804301B8 460404B0ECC1 4703940180 4F{size:02X}{aid} "
    "E01002020104020201040202010002020100 780806062B8122F87802 82029000"
)


@dataclass(frozen=True, slots=True)
class ApplicationTemplate:
    """One application of EF.DIR: ``path`` is its folder from the MF, two bytes a file; ``discretionary`` the data of
    its object 73.
    """

    aid: bytes
    label: str
    path: bytes | None = None
    discretionary: bytes = b""


def serial_number(serial: str, key: str = "0") -> bytes:
    """EF.SN: exactly 12 bytes, the issuer then eight digits (the PKCS#11 serial), a key that clients drop, and F.

    Raises ValueError unless ``serial`` is eight digits.
    """
    if not re.fullmatch(r"\d{8}", serial, re.ASCII):
        raise ValueError(f"a card serial number has 8 digits, not {serial!r}")
    return tlv.encode(0x5A, bytes.fromhex(f"{ISSUER}{serial}{key}F"))


def answer_file(root_aid: bytes) -> bytes:
    """EF.ATR. ``root_aid`` is the application id of the MF."""
    return bytes.fromhex(_ATR.format(size=len(root_aid), aid=root_aid.hex()))


def directory(applications: Iterable[ApplicationTemplate]) -> bytes:
    """EF.DIR, one template 61 an application."""
    return b"".join(
        tlv.encode(
            0x61,
            tlv.encode(0x4F, application.aid),
            tlv.encode(0x50, application.label.encode("ascii")),
            tlv.encode(0x51, application.path) if application.path is not None else b"",
            tlv.encode(0x73, application.discretionary) if application.discretionary else b"",
        )
        for application in applications
    )


def update_times(start: datetime, end: datetime) -> bytes:
    """EF_ACTUA of an updated card: when the last update started and ended, to the second."""
    return tlv.encode(0xEC, tlv.encode(0x81, _stamp(start)), tlv.encode(0x82, _stamp(end)))


def _stamp(moment: datetime) -> bytes:
    return bytes.fromhex(f"{moment:%Y%m%d%H%M%S}".zfill(14))
