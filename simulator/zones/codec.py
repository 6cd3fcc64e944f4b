"""Zones as bytes (SV-ZONE, sources#zone-encoding): groups of positional fields, byte-exact both ways.

A zone is groups one after the other; a group is its number on two bytes, a length and its fields; a field is a length
and its bytes. Lengths below 127 take one byte; from there on 81 and one byte, then 82 and two. 127 itself is 81 7F: one
value sooner than BER would. Nothing that would not be written back as it was read is let in.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from construct import Construct, Int16ub, Subconstruct

from bifente.simulator.zones.catalogue import GROUPS, called
from bifente.simulator.zones.errors import ZoneError

#: The longest zone and the most groups that are read or written: well above what a card or an invoice needs.
MAX_ZONE = 0xFFFF
MAX_GROUPS = 2048
#: From this length on, the long form is written.
_LONG_FORM_FROM = 0x7F
#: How many zones are remembered.
_REMEMBERED = 512


@dataclass(frozen=True, slots=True)
class Group:
    """A group as it is in a zone: its number and the raw bytes of its fields, in order."""

    id: int
    fields: tuple[bytes, ...]


def decode(data: bytes) -> tuple[Group, ...]:
    """The groups of a zone. A group of the catalogue has its count of fields, another one is kept as it is.

    Raises ZoneError at the first byte that is not as ``encode`` would write it.
    """
    return _decoded(bytes(data))


@lru_cache(maxsize=_REMEMBERED)
def _decoded(data: bytes) -> tuple[Group, ...]:
    # The same zone is read several times for one sheet, and the same cards for many.
    if len(data) > MAX_ZONE:
        raise ZoneError(MAX_ZONE, f"a zone ends here at the latest, this one has {len(data)} bytes", "split it")
    groups: tuple[Group, ...] = _ZONE.parse_stream(_Window(data, 0))
    return groups


def encode(groups: Iterable[Group]) -> bytes:
    """The bytes of a zone. Raises ZoneError, at the offset reached, for what ``decode`` would not read back."""
    return _encoded(tuple(groups))


@lru_cache(maxsize=_REMEMBERED)
def _encoded(groups: tuple[Group, ...]) -> bytes:
    out = _Window(b"", 0)
    _ZONE.build_stream(groups, out)
    return out.getvalue()


class _Window(io.BytesIO):
    """Bytes read or written inside a zone: positions are those of the whole zone."""

    def __init__(self, data: bytes, origin: int) -> None:
        super().__init__(data)
        self.origin = origin
        self.size = len(data)

    def offset(self) -> int:
        return self.origin + self.tell()


class _Length(Construct):  # type: ignore[misc]
    """A length in its only admitted form."""

    def _parse(self, stream: _Window, context: Any, path: str) -> int:
        first = stream.read(1)
        if first and first[0] < _LONG_FORM_FROM:
            return first[0]
        at = stream.offset() - len(first)
        if not first:
            raise ZoneError(
                at, "a length was expected, the zone or the group ends", "complete it or shorten its length"
            )
        head = first[0]
        if head not in (0x81, 0x82):
            raise ZoneError(
                at,
                f"{head:02X} begins no length",
                "write one byte below 7F, 81 and one byte from 7F to FF, or 82 and two bytes above",
            )
        rest = stream.read(head - 0x80)
        if len(rest) != head - 0x80:
            raise ZoneError(
                at, f"{head - 0x80} byte(s) of length were expected after {head:02X}", "complete the length"
            )
        length = int.from_bytes(rest, "big")
        if (canonical := _length_bytes(length)) != first + rest:
            raise ZoneError(
                at,
                f"a length of {length} was written {(first + rest).hex().upper()}",
                f"write {canonical.hex().upper()}",
            )
        return length

    def _build(self, obj: int, stream: _Window, context: Any, path: str) -> int:
        if obj > 0xFFFF:
            raise ZoneError(stream.offset(), f"a length is at most 65535, this one is {obj}", "split the zone")
        stream.write(_length_bytes(obj))
        return obj


def _length_bytes(length: int) -> bytes:
    if length < _LONG_FORM_FROM:
        return bytes((length,))
    if length <= 0xFF:
        return bytes((0x81, length))
    return bytes((0x82, length >> 8, length & 0xFF))


class _Sized(Construct):  # type: ignore[misc]
    """A length, then that many bytes."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what = what

    def _parse(self, stream: _Window, context: Any, path: str) -> bytes:
        at = stream.tell()
        length = _LENGTH._parse(stream, context, path)
        body = stream.read(length)
        if len(body) < length:
            raise ZoneError(
                stream.origin + at,
                f"{self._what} of {length} bytes was announced, {len(body)} are left",
                "correct the length",
            )
        return body

    def _build(self, obj: bytes, stream: _Window, context: Any, path: str) -> bytes:
        _LENGTH._build(len(obj), stream, context, path)
        stream.write(obj)
        return obj


class _ToTheEnd(Subconstruct):  # type: ignore[misc]
    """As many of one thing as there are bytes; unlike GreedyRange, a broken one is an error and not the end."""

    def __init__(self, subcon: Construct, most: int, what: str) -> None:
        super().__init__(subcon)
        self._most = most
        self._what = what

    def _parse(self, stream: _Window, context: Any, path: str) -> tuple[Any, ...]:
        found: list[Any] = []
        while stream.tell() < stream.size:
            if len(found) == self._most:
                raise self._too_many(stream.offset())
            found.append(self.subcon._parse(stream, context, path))
        return tuple(found)

    def _build(self, obj: Sequence[Any], stream: _Window, context: Any, path: str) -> Sequence[Any]:
        for rank, one in enumerate(obj):
            if rank == self._most:
                raise self._too_many(stream.offset())
            self.subcon._build(one, stream, context, path)
        return obj

    def _too_many(self, at: int) -> ZoneError:
        return ZoneError(at, f"at most {self._most} {self._what} are admitted", "split the zone")


class _Group(Subconstruct):  # type: ignore[misc]
    """A number, then fields inside one length."""

    def _parse(self, stream: _Window, context: Any, path: str) -> Group:
        at = stream.offset()
        if stream.size - stream.tell() < 2:
            raise ZoneError(at, "a group number on two bytes was expected, one is left", "complete or cut the zone")
        number = Int16ub._parse(stream, context, path)
        body = _GROUP_BODY._parse(stream, context, path)
        inside = _Window(body, stream.offset() - len(body))
        try:
            group = Group(number, self.subcon._parse(inside, context, path))
        except ZoneError as error:
            raise ZoneError(error.offset, f"in {called(number)}, {error.expected}", error.cure) from None
        _check_count(at, group)
        return group

    def _build(self, obj: Group, stream: _Window, context: Any, path: str) -> Group:
        at = stream.offset()
        _check_count(at, obj)
        if not 0 <= obj.id <= 0xFFFF:
            raise ZoneError(at, f"a group number is between 0 and 65535, not {obj.id}", "correct it")
        inside = _Window(b"", at)
        self.subcon._build(obj.fields, inside, context, path)
        Int16ub._build(obj.id, stream, context, path)
        _GROUP_BODY._build(inside.getvalue(), stream, context, path)
        if stream.offset() > MAX_ZONE:
            raise ZoneError(at, f"this group ends the zone beyond {MAX_ZONE} bytes", "split the zone")
        return obj


def _check_count(at: int, group: Group) -> None:
    known = GROUPS.get(group.id)
    if known is not None and not known.accepts(len(group.fields)):
        least = "at least " if known.open else ""
        raise ZoneError(
            at,
            f"{called(group.id)} has {least}{len(known.fields)} fields, not {len(group.fields)}",
            "write an empty field (00) for what is not known",
        )


_LENGTH = _Length()
_GROUP_BODY = _Sized("a group")
_ZONE = _ToTheEnd(_Group(_ToTheEnd(_Sized("a field"), MAX_ZONE, "fields")), MAX_GROUPS, "groups")
