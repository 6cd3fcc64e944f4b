"""Frames: bytes after their length, how the laboratory puts sheets into lots and lots into files. Modelled.

A zone of the SSV interface ends at 65,535 bytes: a lot of signed sheets does not fit in one, so zones are framed here.
"""

from __future__ import annotations

import hashlib
from datetime import date

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.zones import Group, ZoneError, decode, encode

#: What the first group of all that is ours says: nobody may take it for the format of the field.
LABEL = "BIFENTE LABORATOIRE"
CHECKSUM_GROUP = 9509
"""The SHA-256 of the group before it: against accidents, since whoever forges that one can compute this one too."""
_LENGTH = 4


def frame(data: bytes) -> bytes:
    """The frame of some bytes: their length on four bytes, big-endian, and themselves."""
    return len(data).to_bytes(_LENGTH, "big") + data


def day_text(day: date) -> str:
    """A day as YYYYMMDD; ``strftime`` would leave out the zeros of an early year."""
    return day.isoformat().replace("-", "")


def day_of(text: str) -> date:
    """The day of YYYYMMDD. Raises ValueError for any other writing."""
    found = date.fromisoformat(text)
    if day_text(found) != text:
        raise ValueError(f"{text!r} is no day YYYYMMDD")
    return found


class FrameReader:
    """Frames read one after the other; ``what`` names the whole in errors. Bounded by what is there."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data = memoryview(data)
        self._what = what
        self.at = 0

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self._data) - self.at

    def take(self, count: int, part: str) -> bytes:
        """The next ``count`` bytes. Raises FseError if they are not all there."""
        if count > self.left:
            raise self.error(f"{part} needs {count} bytes, {self.left} are left", "send it whole again")
        self.at += count
        return bytes(self._data[self.at - count : self.at])

    def number(self, part: str) -> int:
        """The next number on four bytes. Raises FseError."""
        return int.from_bytes(self.take(_LENGTH, part), "big")

    def frame(self, part: str) -> bytes:
        """The bytes of the next frame. Raises FseError."""
        return self.take(self.number(f"the length of {part}"), part)

    def group(self, part: str, group_id: int, count: int) -> tuple[str, ...]:
        """The fields of the next frame, a zone of one group with ``count`` ASCII fields. Raises FseError."""
        start = self.at
        return _texts(self.frame(part), group_id, count, f"{self._what}, byte {start}: {part}")

    def summed_group(self, part: str, group_id: int, count: int) -> tuple[str, ...]:
        """As ``group``, for a group followed by its checksum. Raises FseError."""
        place = f"{self._what}, byte {self.at}: {part}"
        return _texts(unsummed(self.frame(part), place), group_id, count, place)

    def end(self) -> None:
        """Nothing may be left. Raises FseError."""
        if self.left:
            raise self.error(f"{self.left} bytes follow the end", "cut them off")

    def error(self, reason: str, cure: str) -> FseError:
        """What is wrong here."""
        return FseError(f"{self._what}, byte {self.at}", reason, cure)


def group_of(group_id: int, *fields: str | bytes) -> bytes:
    """A zone of one group."""
    return encode([Group(group_id, tuple(item.encode("ascii") if isinstance(item, str) else item for item in fields))])


def summed(zone: bytes) -> bytes:
    """A zone of one group, and its checksum as another: what no signature covers is covered by that."""
    return zone + group_of(CHECKSUM_GROUP, hashlib.sha256(zone).digest())


_CHECKSUM = len(summed(b""))


def unsummed(data: bytes, place: str) -> bytes:
    """The zone in what ``summed`` made. Raises FseError at ``place`` for anything else."""
    zone = data[:-_CHECKSUM]
    if summed(zone) != data:
        raise FseError(place, "its bytes are not those that were written", "send it again as it left")
    return zone


def _texts(data: bytes, group_id: int, count: int, place: str) -> tuple[str, ...]:
    fields = fields_of(data, group_id, count, place)
    try:
        return tuple(field.decode("ascii") for field in fields)
    except UnicodeDecodeError:
        raise FseError(place, "it is not ASCII", "write it as the bench does") from None


def fields_of(data: bytes, group_id: int, count: int, place: str) -> tuple[bytes, ...]:
    """The fields of a zone of one group. Raises FseError at ``place``."""
    try:
        groups = decode(data)
    except ZoneError as error:
        raise FseError(place, f"it is no zone: {error.expected} at its byte {error.offset}", error.cure) from error
    if len(groups) != 1 or groups[0].id != group_id or len(groups[0].fields) != count:
        raise FseError(place, f"a zone of one group {group_id} with {count} fields was expected", "write it so")
    return groups[0].fields
