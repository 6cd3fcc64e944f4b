"""What of a card's contents is about a person: names, numbers and keys, found by where they stand and how they look.

What is read on a card is masked unless it is known to be harmless: of a structure only lengths, tags, object
identifiers and short numbers stay, of a text only the words of `vocabulary.yaml`. A key and a serial number lead to
their holder through the public directory, so that they go too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from bifente.ground.identifiers import nir_key
from bifente.ground.shipped import shipped

_MOST_DEPTH = 12
_NUMBER, _BITS, _OCTETS, _TIMES = 0x02, 0x03, 0x04, (0x17, 0x18)
_HARMLESS = {0x01: 1, 0x05: 0, 0x06: 24, 0x09: 16, 0x0A: 4}
"""Tags whose values are no text, and the longest value of each: a longer one is something else."""
_SERIAL = 0x5A
"""The serial number of a card; its issuer's five bytes stay (ISO/IEC 7812)."""
_CARDHOLDER = frozenset({0x5F20, 0x5F2B, 0x5F2D, 0x5F42, 0x5F50})

_LONGEST_NUMBER, _LONGEST_OCTETS, _LONGEST_BITS = 4, 15, 8
_ISSUER = 5

# Not \xff, which fills what is empty.
_LETTERS = "A-Za-z\xc0-\xd6\xd8-\xf6\xf8-\xfe"
_WORD = re.compile(rf"[{_LETTERS}]{{2,}}")
_TEXT = re.compile(rf"[{_LETTERS}0-9 .,'’@_/:;()+&=?*#!-]+")
_LOOKS_LIKE_TEXT = re.compile(rf"[{_LETTERS}][{_LETTERS} '-]{{2,}}|(?:\0[{_LETTERS} '-]){{3,}}|\d{{7,}}")
_PLAIN_LETTER = re.compile(r"[A-Za-z]")
_LONG_NUMBER = re.compile(r"\d{5,}|\b(?=(?:[A-Za-z]*\d){3})[0-9A-Za-z]{6,64}\b")
"""Five digits in a row, or a word of six characters or more with three digits among them."""
_PACKED_NIR = re.compile(r"(?=([12]\d{4}(?:\d\d|2[AB])\d{6}(\d\d)))")

Span = tuple[int, int]


def personal(content: bytes) -> list[Span]:
    """Return the places in `content` to mask, in order."""
    found: list[Span] = []
    structure = _is_structure(content, 0, len(content), lenient=True)
    if structure:
        found += _structured(content, 0, len(content), 0)
    # Bytes that begin with a primitive object may be one by chance: they are looked at as a text too.
    if not (structure and content.lstrip(b"\x00\xff")[0] & 0x20):
        found += _loose(content, 0, len(content))
    found += _packed(content)
    return sorted(span for span in found if span[0] < span[1])


def harmless(text: str) -> bool:
    """Whether a text holds known words alone, and no long number."""
    if _LONG_NUMBER.search(text):
        return False
    return all(_plain(word) in _words() for word in _WORD.findall(text))


def _objects(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, bool]]:
    """Tag, value and end of each object, and whether it is there whole; nothing for what is no object."""
    at = start
    while at < end:
        if data[at] in (0x00, 0xFF):
            at += 1  # the filling between and after objects
            continue
        tag, at = data[at], at + 1
        if tag & 0x1F == 0x1F:
            for _ in range(3):
                if at >= end:
                    return
                tag, at = tag << 8 | data[at], at + 1
                if not data[at - 1] & 0x80:
                    break
        if at >= end:
            return
        size, at = data[at], at + 1
        if size > 0x80:
            count = size & 0x7F
            if count > 3 or at + count > end:
                return
            size, at = int.from_bytes(data[at : at + count], "big"), at + count
        elif size == 0x80:
            return
        yield tag, at, min(end, at + size), at + size <= end
        at += size


def _first(tag: int) -> int:
    while tag > 0xFF:
        tag >>= 8
    return tag


def _is_structure(data: bytes, start: int, end: int, *, lenient: bool) -> bool:
    """Whether objects fill the whole; ``lenient``: one made of others may be cut, since a host may stop reading."""
    last, objects = start, 0
    for tag, _value, stop, whole in _objects(data, start, end):
        if not whole and not (lenient and _first(tag) & 0x20):
            return False
        last, objects = stop, objects + 1
    return objects > 0 and not data[last:end].strip(b"\x00\xff")


def _structured(data: bytes, start: int, end: int, depth: int) -> Iterator[Span]:
    before = 0
    only_times = all(tag in _TIMES for tag, *_rest in _objects(data, start, end))
    for rank, (tag, value, stop, _whole) in enumerate(_objects(data, start, end)):
        first = _first(tag)
        # The second value of a description of a token is the serial number of the card (PKCS#15, TokenInfo).
        if tag == _OCTETS and rank == 1 and before == _NUMBER and depth <= 1:
            yield value, stop
        elif tag == _SERIAL:
            yield min(value + _ISSUER, stop), stop
        elif tag in _CARDHOLDER:
            yield value, stop
        elif first & 0x20 and depth < _MOST_DEPTH:
            yield from _structured(data, value, stop, depth + 1)
        elif not (stop - value <= _HARMLESS.get(tag, -1) or (tag in _TIMES and only_times)):
            yield from _value(data, tag, value, stop, depth)
        before = tag


def _value(data: bytes, tag: int, start: int, end: int, depth: int) -> Iterator[Span]:
    size = end - start
    if tag == _NUMBER:
        if size > _LONGEST_NUMBER:
            # The first byte that counts stays: what follows a leading zero must remain a number.
            yield start + (2 if data[start] == 0 else 1), end
    elif tag == _BITS:
        if depth < _MOST_DEPTH and size > 2 and _is_structure(data, start + 1, end, lenient=False):
            yield from _structured(data, start + 1, end, depth + 1)
        elif size > _LONGEST_BITS:
            yield start + 2, end
    elif depth < _MOST_DEPTH and size > 2 and data[start] & 0x20 and _is_structure(data, start, end, lenient=False):
        yield from _structured(data, start, end, depth + 1)
    elif _text_of(data[start:end]) is not None:
        if not harmless(_text_of(data[start:end]) or ""):
            yield start, end
    elif size > _LONGEST_OCTETS:
        yield start, end
    else:
        yield from _loose(data, start, end)


def _text_of(value: bytes) -> str | None:
    """The text that a value is as a whole; None for bytes that read as none."""
    if len(value) >= 4 and len(value) % 2 == 0 and not any(value[::2]) and all(value[1::2]):
        return value.decode("utf-16-be", "replace")
    for encoding in ("utf-8", "latin-1"):
        try:
            text = value.decode(encoding).rstrip("\0 ")
        except UnicodeDecodeError:
            continue
        if text and _TEXT.fullmatch(text):
            return text
    return None


def _loose(data: bytes, start: int, end: int) -> Iterator[Span]:
    """Texts and numbers that stand out among other bytes."""
    text = data[start:end].decode("latin-1")
    for found in _LOOKS_LIKE_TEXT.finditer(text):
        # Accented letters alone are bytes above 7F, which stand everywhere.
        said = found[0].replace("\0", "")
        if said.isdigit() or (len(_PLAIN_LETTER.findall(said)) > 2 and not harmless(said)):
            yield start + found.start(), start + found.end()


def _packed(data: bytes) -> Iterator[Span]:
    """Social security numbers two digits a byte, by their key."""
    digits = data.hex().upper()
    for found in _PACKED_NIR.finditer(digits):
        # Odd places too: the sex may be the second digit of a byte.
        if _key_fits(found[1][:13], found[2]):
            yield found.start() // 2, (found.start() + 16) // 2


def _key_fits(body: str, key: str) -> bool:
    # Every place of a long row of digits is looked at: most are numbers, and that is quick to see.
    return 97 - int(body) % 97 == int(key) if body.isdigit() else nir_key(body) == key


def _plain(word: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", word.lower()) if not unicodedata.combining(char))


@cache
def _words() -> frozenset[str]:
    return frozenset(shipped("bifente.conformance.traces", "vocabulary.yaml")["words"].split())
