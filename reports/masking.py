"""The forms of a secret and how each is found and blanked; `bifente.reports.secrets` has the secrets of a run."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

MARK = "••••"
"""What a masked word becomes, whatever its length."""

BYTE_MARK = "••"
"""What one masked byte becomes in hexadecimal: a byte is two digits or this, so that lengths stay readable."""

SHORTEST_SECRET = 4
"""Fewest characters (or bytes) of a secret: masking anything shorter would blank the report and hide nothing."""

_Place: TypeAlias = tuple[int, int]

# A text this long, or bytes this many, do not turn up by chance: masked wherever they appear.
LONG = 8
LONG_HEX_DIGITS = 16

# VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER, each with its odd (BER-TLV) twin; DISABLE and ENABLE VERIFICATION.
_CODE_INSTRUCTIONS = frozenset({0x20, 0x21, 0x24, 0x25, 0x26, 0x28, 0x2C, 0x2D})

_LONGEST_CODE = 16
_CHANGES = frozenset({0x24, 0x25, 0x2C, 0x2D})
_BLANKS = re.compile(r"[\s:]+")
_WORD_BEFORE = re.compile(r"[0-9A-Za-z]*\Z")
_WORD_AFTER = re.compile(r"[0-9A-Za-z]*")
NOT_HEX = re.compile(r"[^0-9A-Fa-f]")


def mask_command(command: str) -> str:
    """Return a command APDU in hexadecimal with the data field of a code command blanked.

    The header and Lc stay, each data byte becomes `BYTE_MARK`: `00 20 00 01 04 •• •• •• ••`. Works on every class
    byte, short and extended length; one that is blanked already stays as it is. When the lengths do not add up,
    everything after the header is blanked. Other commands, and text that is no APDU, come back unchanged; nothing is
    ever raised.
    """
    compact = _BLANKS.sub("", command)
    readable = NOT_HEX.split(compact.replace(BYTE_MARK, "00"), maxsplit=1)[0]
    header = bytes.fromhex(readable[:8]) if len(readable) >= 8 else b""
    if not header or header[1] not in _CODE_INSTRUCTIONS or len(compact) <= 10:
        return command
    if len(readable) == len(compact) and len(compact) % 2 == 0:
        kept, masked = _data_field(bytes.fromhex(readable))
    else:
        kept, masked = 4, math.ceil((len(compact) - 8) / 2)
    tail = compact[2 * (kept + masked) :]
    parts = [*_pairs(compact[: 2 * kept]), *([BYTE_MARK] * masked), *_pairs(tail)]
    return (" " if _BLANKS.search(command.strip()) else "").join(parts)


def _data_field(apdu: bytes) -> _Place:
    """Return (offset, length) of what must be blanked in `apdu`, which has at least six bytes."""
    if apdu[4] == 0 and len(apdu) >= 7:
        start, length, le = 7, int.from_bytes(apdu[5:7], "big"), 2
    else:
        start, length, le = 5, apdu[4], 1
    rest = len(apdu) - start
    if rest == 0:
        return start, 0
    return (start, length) if length and rest in (length, length + le) else (4, len(apdu) - 4)


def _pairs(digits: str) -> list[str]:
    return [digits[i : i + 2] for i in range(0, len(digits), 2)]


@dataclass(frozen=True, slots=True)
class Needle:
    """A secret as it is written, and where it counts: anywhere, or only as a word of its own.

    ``folded``: it is found whatever its case and accents, and is written without (`fold_case`). ``is_hex``: hexadecimal
    digits, found in capitals or not.
    """

    written: str
    anywhere: bool
    folded: bool = False
    is_hex: bool = False

    def spans(self, text: str, *, in_bytes: bool) -> Iterator[_Place]:
        """Yield where the secret counts in `text`; `in_bytes` when each character stands for a byte."""
        haystack, written = text, self.written
        if self.folded:
            haystack = fold_case(text)
        elif self.is_hex and not written.isdecimal():
            haystack, written = lower_hex(text), lower_hex(written)
        at = haystack.find(written)
        while at >= 0:
            span = at, at + len(written)
            if self.anywhere or self._is_word(text, span, in_bytes):
                yield span
            at = haystack.find(written, at + 1)

    def _is_word(self, text: str, span: _Place, in_bytes: bool) -> bool:
        before, after = text[max(0, span[0] - 80) : span[0]], text[span[1] : span[1] + 80]
        if not self.is_hex:
            # Among bytes, those above 7F are lengths and tags more often than letters.
            return not any(c.isalnum() and (c.isascii() or not in_bytes) for c in (before[-1:], after[:1]))
        # "code1234" is a label glued to a code, "31234" and "deadbeef1234" are longer numbers.
        if before[-1:].isdecimal() or after[:1].isdecimal():
            return False
        around = _WORD_BEFORE.findall(before)[0] + _WORD_AFTER.findall(after)[0]
        return not around or bool(NOT_HEX.search(around))


@dataclass(frozen=True, slots=True)
class Needles:
    """Needles looked for together: each string is searched for all of them before any is looked at closely.

    They are kept by how they are found, beside what is searched for: as written, in small letters, without case.
    """

    _written: tuple[tuple[str, Needle], ...] = ()
    _small: tuple[tuple[str, Needle], ...] = ()
    _folded: tuple[tuple[str, Needle], ...] = ()

    def __bool__(self) -> bool:
        return bool(self._written or self._small or self._folded)

    def with_more(self, *needles: Needle) -> Needles:
        """Return these and others."""
        written, small, folded = self._written, self._small, self._folded
        for needle in needles:
            if needle.folded:
                folded += ((needle.written, needle),)
            elif needle.is_hex and not needle.written.isdecimal():
                small += ((lower_hex(needle.written), needle),)
            else:
                written += ((needle.written, needle),)
        return Needles(written, small, folded)

    def held(self, text: str) -> bool:
        """Return whether any of them stands in `text`, whether it counts there or not."""
        return bool(self._held(text))

    def spans(self, text: str, *, in_bytes: bool) -> list[_Place]:
        """Return where any of them counts in `text`; `in_bytes` when each character stands for a byte."""
        return [span for needle in self._held(text) for span in needle.spans(text, in_bytes=in_bytes)]

    def _held(self, text: str) -> list[Needle]:
        held = [needle for written, needle in self._written if written in text]
        if self._small:
            small = lower_hex(text)
            held += [needle for written, needle in self._small if written in small]
        if self._folded:
            folded = fold_case(text)
            held += [needle for written, needle in self._folded if written in folded]
        return held


def fold_case(text: str) -> str:
    """Return `text` without case nor accents, character for character."""
    if text.isascii():
        return text.lower()
    return "".join((unicodedata.normalize("NFD", char)[0].lower() or char)[0] for char in text)


def lower_hex(text: str) -> str:
    """Return `text` with its hexadecimal digits in small letters, character for character.

    The small letters of bytes are those of ASCII alone, and quick: a body of a message may be long.
    """
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def as_latin(text: str) -> str:
    """Return the UTF-8 bytes of `text` as one character a byte, the form in which bytes are searched."""
    return text.encode("utf-8", "replace").decode("latin-1")


def new_codes(command: bytes) -> frozenset[str | bytes]:
    """Return the codes that a command changing a code (CHANGE REFERENCE DATA, RESET RETRY COUNTER) carries.

    Old and new code follow each other without a mark between them, and may differ in length: the whole counts, and both
    sides of every cut that leaves two codes, each without its filling, as text where printable and from a PIN block
    (ISO 9564, format 2) where it is one.
    """
    if len(command) < 9 or command[1] not in _CHANGES:
        return frozenset()
    start, length = _data_field(command)
    data = command[start : start + length]
    cuts = range(SHORTEST_SECRET, len(data) - SHORTEST_SECRET + 1) if len(data) <= 2 * _LONGEST_CODE else ()
    parts = [data, *(side for cut in cuts for side in (data[:cut], data[cut:]))]
    return frozenset(code for part in parts for code in _codes(part))


def carried_codes(command: bytes) -> frozenset[str | bytes]:
    """Return the codes that a command of somebody else's carries, whether it presents one or changes it."""
    if len(command) < 6 or command[1] not in _CODE_INSTRUCTIONS:
        return frozenset()
    start, length = _data_field(command)
    return new_codes(command) | frozenset(_codes(command[start : start + length]))


def _codes(part: bytes) -> Iterator[str | bytes]:
    if (
        part
        and part[0] >> 4 == 2
        and 4 <= part[0] & 15 <= 12
        and (digits := part[1:].hex()[: part[0] & 15]).isdecimal()
    ):
        yield digits
        return
    code = part.rstrip(b"\xff\x00 ")
    if len(code) < SHORTEST_SECRET:
        return
    yield code.decode("ascii") if code.isascii() and code.decode("ascii").isprintable() else code
