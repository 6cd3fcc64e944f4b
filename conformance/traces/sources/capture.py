"""Captures of packets, pcap and pcapng, packet by packet: what a GSMTAP trace is kept in."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from bifente.conformance.loading import InputError
from bifente.ground.files import open_file

_ORDERS = {
    b"\xa1\xb2\xc3\xd4": (">", 1),
    b"\xd4\xc3\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1000),
}
"""The first bytes of a pcap: its byte order, and how many parts of its fractions a microsecond has."""
_SECTION = b"\x0a\x0d\x0d\x0a"
_SECTION_BLOCK, _INTERFACE_BLOCK, _PACKET_BLOCK = 0x0A0D0D0A, 1, 6
_MOST_IN_BLOCK = 1 << 20
"""Bytes of the largest packet, or block, that is taken: ours have a few hundred."""
_MOST_INTERFACES = 256
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet, the kind of link it was caught on, when, and the byte of the file where it begins."""

    link: int
    data: bytes
    at: datetime
    place: int


def is_capture(head: bytes) -> bool:
    """Whether a file that begins so is a capture."""
    return head[:4] in _ORDERS or head[:4] == _SECTION


def packets(path: Path) -> Iterator[Packet]:
    """Yield each packet. Raise InputError with the byte where a capture is damaged, OSError.

    A capture cut within a packet ends before it, as one that was being written does.
    """
    with open_file(path) as file:
        magic = file.read(4)
        if magic in _ORDERS:
            yield from _Plain(path, file, *_ORDERS[magic]).packets()
        elif magic == _SECTION:
            yield from _Blocks(path, file).packets()
        else:
            raise InputError.at(str(path), "no pcap nor pcapng", cure="give a capture as Wireshark or tcpdump saves it")


def _damaged(path: Path, place: int, what: str) -> InputError:
    return InputError.at(
        str(path),
        f"byte {place}: {what}",
        cure="what comes before is sound: cut the file there, or repair it with editcap",
    )


@dataclass(slots=True)
class _Plain:
    path: Path
    file: BinaryIO
    order: str
    parts: int

    def packets(self) -> Iterator[Packet]:
        head = self.file.read(20)
        if len(head) < 20:
            raise _damaged(self.path, 4, "the header of the capture is cut")
        link = struct.unpack(f"{self.order}HHiIII", head)[5] & 0xFFFF
        place, record = 24, struct.Struct(f"{self.order}IIII")
        while len(header := self.file.read(record.size)) == record.size:
            seconds, fraction, size, _original = record.unpack(header)
            if size > _MOST_IN_BLOCK:
                raise _damaged(self.path, place, f"a packet of {size} bytes, {_MOST_IN_BLOCK} at most are taken")
            data = self.file.read(size)
            if len(data) < size:
                return
            yield Packet(link, data, _EPOCH + timedelta(seconds=seconds, microseconds=fraction // self.parts), place)
            place += record.size + size


class _Blocks:
    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self._order = "<"
        self._interfaces: list[tuple[int, int]] = []
        """Of each: the kind of its link, and how many parts its clock cuts a second into."""

    def packets(self) -> Iterator[Packet]:
        place = 0
        self._file.seek(0)
        while len(header := self._file.read(8)) == 8:
            if header[:4] == _SECTION:
                self._section(place)
            kind, size = struct.unpack(f"{self._order}II", header)
            if not 12 <= size <= _MOST_IN_BLOCK or size % 4:
                raise _damaged(self._path, place, f"a block of {size} bytes")
            body = self._file.read(size - 8)
            if len(body) < size - 8:
                return
            if kind == _INTERFACE_BLOCK and len(body) >= 12:
                self._interface(body[:-4], place)
            elif kind == _PACKET_BLOCK and len(body) >= 24:
                yield self._packet(body, place)
            place += size

    def _section(self, place: int) -> None:
        order = self._file.read(4)
        self._file.seek(-len(order), 1)
        if order not in (b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a"):
            raise _damaged(self._path, place, "a section without its byte order")
        self._order = ">" if order[0] == 0x1A else "<"
        self._interfaces.clear()

    def _interface(self, body: bytes, place: int) -> None:
        if len(self._interfaces) >= _MOST_INTERFACES:
            raise _damaged(self._path, place, f"more than {_MOST_INTERFACES} interfaces")
        link, parts, at = struct.unpack_from(f"{self._order}H", body)[0], 1_000_000, 8
        while at + 4 <= len(body):
            code, size = struct.unpack_from(f"{self._order}HH", body, at)
            if code == 9 and size == 1 and at + 4 < len(body):
                power = body[at + 4]
                parts = 2 ** min(power & 0x7F, 63) if power & 0x80 else 10 ** min(power, 18)
            if code == 0:
                break
            at += 4 + size + (-size) % 4
        self._interfaces.append((link, parts))

    def _packet(self, body: bytes, place: int) -> Packet:
        number, high, low, size, _original = struct.unpack_from(f"{self._order}IIIII", body)
        if number >= len(self._interfaces):
            raise _damaged(self._path, place, f"a packet of interface {number}, which was not described")
        if size > len(body) - 24:
            raise _damaged(self._path, place, f"a packet of {size} bytes in a block of {len(body) + 8}")
        link, parts = self._interfaces[number]
        microseconds = (high << 32 | low) * 1_000_000 // parts
        # A clock far beyond any calendar is that of a damaged or hostile file: its order is all that is left of it.
        at = _EPOCH + timedelta(microseconds=microseconds if microseconds < 1 << 57 else 0)
        return Packet(link, body[20 : 20 + size], at, place)
