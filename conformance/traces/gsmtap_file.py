"""A trace as a pcap of GSMTAP packets, which Wireshark decodes (`gsm_sim`)."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import BinaryIO

from bifente.conformance.traces.digits import filled
from bifente.conformance.traces.seen import Seen, SeenApdu, SeenAtr
from bifente.conformance.traces.sources.gsmtap import APDU, ATR, PORT, SIM
from bifente.simulator.iso7816.apdu import ApduError, Command

_RAW_IP = 101
_MASKED = 0x00
_LONGEST = 65_535 - 20 - 8 - 16
_HOME = bytes((127, 0, 0, 1))


def write_capture(seen: Iterable[Seen], file: BinaryIO) -> tuple[int, int]:
    """Write each exchange and answer to reset; return how many were, and how many were not, being too long.

    Masked bytes are zeros there. The expected length of a command that carries data is left out, as on a T=0 line:
    a decoder takes what follows the data for the answer.
    """
    file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0x40000, _RAW_IP))
    written = left = 0
    for one in seen:
        if isinstance(one, SeenApdu):
            if not one.response:
                continue
            payload = _line(filled(one.command, _MASKED)) + filled(one.response, _MASKED)
            kind = APDU
        elif isinstance(one, SeenAtr):
            payload, kind = filled(one.atr, _MASKED), ATR
        else:
            continue
        if len(payload) > _LONGEST:
            left += 1
            continue
        file.write(_packet(kind, payload, one.at))
        written += 1
    return written, left


def _line(command: bytes) -> bytes:
    try:
        parsed = Command.parse(command)
    except ApduError:
        return command
    return command[: -(2 if parsed.extended else 1)] if parsed.data and parsed.ne is not None else command


def _packet(kind: int, payload: bytes, at: datetime) -> bytes:
    tap = struct.pack(">BBBBHBBIBBBB", 2, 4, SIM, 0, 0, 0, 0, 0, kind, 0, 0, 0) + payload
    datagram = struct.pack(">HHHH", PORT, PORT, 8 + len(tap), 0) + tap
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(datagram), 0, 0, 64, 17, 0) + _HOME + _HOME
    total = sum(struct.unpack(">10H", head))
    head = head[:10] + struct.pack(">H", ~(total + (total >> 16)) & 0xFFFF) + head[12:]
    ip = head + datagram
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    seconds = since.days * 86_400 + since.seconds
    return struct.pack("<IIII", seconds & 0xFFFFFFFF, since.microseconds, len(ip), len(ip)) + ip
