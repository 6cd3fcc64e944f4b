"""The memory of a Vitale 1: words of 32 bits whose two top bits are ignored, found by addresses that count quartets.

Areas (sources#vitale-card): 0200h is the first address, 2188h the end, the free area is about 0288h to 2128h, the
production area with its pointers 2128h to 2188h. That addresses count quartets (4 bits) is inferred: two words that
follow each other are 8 apart, and 0200h to 2188h then is the 4 KB the card is known for. What the words of the free
area say is not public: here they hold the groups of the SSV zones, 30 bits a word (modelled). The coverage (group 106)
is not on this card at all, since no public text tells how a professional's card opens it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bifente.simulator.cards.layout import Layout
from bifente.simulator.iso7816.image import Interface
from bifente.simulator.zones import Group, ZoneError, decode, encode

FIRST, FREE, PRODUCTION, END = 0x0200, 0x0288, 0x2128, 0x2188
"""Addresses: of the first word, of the free and the production area, and of what follows the last word."""
QUARTETS = 8
"""Quartets in a word."""
WORD_SIZE = 4
"""Bytes of a word on the line."""

COVERAGE = 106
_PAYLOAD_BITS = 30
_BLANK = 0x3FFFFFFF
_POINTER = 0x20800000
_POINTER_MASK = 0xFFFF
_LENGTH_SIZE = 2


class MemoryImageError(ValueError):
    """The groups do not fit in the memory, or the words hold no groups."""


@dataclass(frozen=True, slots=True)
class MemoryImage:
    """A personalised Vitale 1: its ATR and its words from ``FIRST`` on."""

    family: str
    atr: bytes
    words: tuple[int, ...] = field(repr=False)


def index(address: int) -> int:
    """The rank of the word at an address. Raises ValueError if none begins there."""
    if not FIRST <= address < END or address % QUARTETS:
        raise ValueError(f"no word begins at {address:04X}h")
    return (address - FIRST) // QUARTETS


def write(rules: Layout, groups: Iterable[Group], *, atr: str | None = None) -> MemoryImage:
    """The image of a card with these groups, less the coverage. Raises MemoryImageError if they are too many."""
    zone = encode([group for group in groups if group.id != COVERAGE])
    words = _pack(len(zone).to_bytes(_LENGTH_SIZE, "big") + zone)
    room = index(PRODUCTION) - index(FREE)
    if len(words) > room:
        raise MemoryImageError(f"{len(words)} words do not fit in the {room} of the free area")
    memory = [_BLANK] * ((END - FIRST) // QUARTETS)
    memory[index(FREE) : index(FREE) + len(words)] = words
    start = index(PRODUCTION)
    memory[start : start + 2] = [_POINTER | FREE, _POINTER | FREE + len(words) * QUARTETS]
    return MemoryImage(rules.family, rules.atr[Interface.CONTACT].named(atr), tuple(memory))


def read(free: bytes, production: bytes) -> tuple[Group, ...]:
    """The groups in the words of the two areas, as they come from the line. Raises MemoryImageError."""
    pointers = _words(production)[:2]
    if len(pointers) < 2:
        raise MemoryImageError("the production area has no pointers")
    start, end = (word & _POINTER_MASK for word in pointers)
    if not FREE <= start < end <= PRODUCTION or start % QUARTETS or end % QUARTETS:
        raise MemoryImageError(f"the pointers {start:04X}h and {end:04X}h are no area of the card")
    data = _unpack(_words(free)[(start - FREE) // QUARTETS : (end - FREE) // QUARTETS])
    size = int.from_bytes(data[:_LENGTH_SIZE], "big")
    zone = data[_LENGTH_SIZE : _LENGTH_SIZE + size]
    if len(zone) < size or not size:
        raise MemoryImageError(f"{size} bytes announced, {len(zone)} there")
    try:
        return decode(zone)
    except ZoneError as error:
        raise MemoryImageError(str(error)) from error


def _pack(data: bytes) -> list[int]:
    bits = len(data) * 8
    count = -(-bits // _PAYLOAD_BITS)
    number = int.from_bytes(data, "big") << (count * _PAYLOAD_BITS - bits)
    return [number >> (_PAYLOAD_BITS * rank) & _BLANK for rank in reversed(range(count))]


def _unpack(words: Sequence[int]) -> bytes:
    number = 0
    for word in words:
        number = number << _PAYLOAD_BITS | word & _BLANK
    bits = len(words) * _PAYLOAD_BITS
    return (number >> bits % 8).to_bytes(bits // 8, "big")


def _words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + WORD_SIZE], "big") for at in range(0, len(data) - WORD_SIZE + 1, WORD_SIZE)]
