"""BER-TLV data objects: encode, parse, search (ISO/IEC 8825-1 as profiled by 7816-4, 5.2.2).

Definite lengths only. A tag is the integer its bytes spell, leading bytes first: ``0x62``, ``0x7F41``, ``0xBF8101``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MAX_DEPTH = 16
MAX_SIZE = 1 << 20
_MAX_TAG_BYTES = 4
_MAX_LENGTH_BYTES = 4


class TlvError(ValueError):
    """The bytes are not well-formed BER-TLV. ``offset`` is where, in bytes from the start of what was parsed."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(f"{message} (at byte {offset})")
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Tlv:
    """One data object: ``value`` is its raw body; ``children`` its parts if the tag is constructed, else empty."""

    tag: int
    value: bytes
    children: tuple[Tlv, ...] = ()

    def encode(self) -> bytes:
        """The object's bytes."""
        return encode(self.tag, self.value)

    def find(self, *path: int) -> Tlv | None:
        """The first object below this one along a path of tags; None if there is none."""
        return find(self.children, *path)


def is_constructed(tag: int) -> bool:
    """Whether a tag says its value is made of data objects (bit 6 of its first byte)."""
    while tag > 0xFF:
        tag >>= 8
    return bool(tag & 0x20)


def encode_tag(tag: int) -> bytes:
    """A tag's bytes. Raises ValueError if the integer spells no tag of 1 to 4 bytes."""
    raw = tag.to_bytes((tag.bit_length() + 7) // 8 or 1, "big") if tag >= 0 else b""
    if not raw or len(raw) > _MAX_TAG_BYTES or _tag(raw, 0, len(raw)) != (tag, len(raw)):
        raise ValueError(f"{tag:#x} is no BER tag")
    return raw


def encode(tag: int, *values: bytes) -> bytes:
    """A data object whose value is the given parts joined. Raises ValueError for a bad tag or more than 4 GiB."""
    size = sum(map(len, values))
    if size < 0x80:
        length = bytes((size,))
    else:
        digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
        if len(digits) > _MAX_LENGTH_BYTES:
            raise ValueError(f"{size} bytes do not fit in one data object")
        length = bytes((0x80 | len(digits),)) + digits
    return b"".join((encode_tag(tag), length, *values))


def parse(data: bytes, *, max_depth: int = MAX_DEPTH) -> tuple[Tlv, ...]:
    """All objects of a string of bytes, constructed ones opened down to ``max_depth`` levels.

    Raises TlvError: truncated, indefinite or over-long, deeper than allowed, or more than 1 MiB in all.
    """
    if len(data) > MAX_SIZE:
        raise TlvError(f"more than {MAX_SIZE} bytes", MAX_SIZE)
    return tuple(_parse(data, 0, len(data), max_depth))


def parse_flat(data: bytes) -> tuple[Tlv, ...]:
    """The objects of the top level only, none opened: for lists whose inner values are not TLV. Raises TlvError."""
    if len(data) > MAX_SIZE:
        raise TlvError(f"more than {MAX_SIZE} bytes", MAX_SIZE)
    return tuple(Tlv(tag, data[start:end]) for tag, start, end in _objects(data, 0, len(data)))


def find(objects: Iterable[Tlv], *path: int) -> Tlv | None:
    """The first object along a path of tags (``find(parse(fcp), 0x62, 0xA1, 0x8C)``); None if there is none."""
    if not path:
        return None
    for item in objects:
        if item.tag == path[0]:
            found = item if len(path) == 1 else find(item.children, *path[1:])
            if found is not None:
                return found
    return None


def walk(objects: Iterable[Tlv]) -> Iterator[Tlv]:
    """Every object and all below it, outer ones first."""
    for item in objects:
        yield item
        yield from walk(item.children)


def _parse(data: bytes, start: int, end: int, depth: int) -> Iterator[Tlv]:
    for tag, body, stop in _objects(data, start, end):
        children: tuple[Tlv, ...] = ()
        if is_constructed(tag):
            if depth <= 1 and body < stop:
                raise TlvError("nested too deep", body)
            children = tuple(_parse(data, body, stop, depth - 1))
        yield Tlv(tag, data[body:stop], children)


def _objects(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(tag, start of the value, end of the value) of each object in a slice of ``data``."""
    position = start
    while position < end:
        tag, after = _tag(data, position, end)
        length, body = _length(data, after, end)
        if length > end - body:
            raise TlvError(f"tag {tag:02X} announces {length} bytes, {end - body} are left", position)
        position = body + length
        yield tag, body, position


def _tag(data: bytes, position: int, end: int) -> tuple[int, int]:
    first = data[position]
    position += 1
    if first & 0x1F != 0x1F:
        return first, position
    tag = first
    for _ in range(_MAX_TAG_BYTES - 1):
        if position >= end:
            raise TlvError("truncated tag", position)
        byte = data[position]
        position += 1
        if tag == first and byte & 0x7F == 0:
            raise TlvError("a long tag number starts with zeros", position - 1)
        tag = tag << 8 | byte
        if not byte & 0x80:
            return tag, position
    raise TlvError(f"a tag has at most {_MAX_TAG_BYTES} bytes", position)


def _length(data: bytes, position: int, end: int) -> tuple[int, int]:
    if position >= end:
        raise TlvError("length missing", position)
    first = data[position]
    position += 1
    if first < 0x80:
        return first, position
    count = first & 0x7F
    if not 1 <= count <= _MAX_LENGTH_BYTES:
        raise TlvError(
            "indefinite length" if not count else f"a length has at most {_MAX_LENGTH_BYTES} bytes", position - 1
        )
    if position + count > end:
        raise TlvError("truncated length", position)
    return int.from_bytes(data[position : position + count], "big"), position + count
