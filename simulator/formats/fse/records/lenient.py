"""Records of anybody, read as far as they can be: what is known by its columns, what is not as it stands, with them.

Nothing is refused here: ``read_records`` is the strict reader. A file of records is text: one record a line, or one
after the other in 128 characters. Those of another width (returns are wider) have no layout here.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bifente.ground.text import Text
from bifente.simulator.formats.fse.records.layouts import LAYOUTS, MARK, WIDTH, FieldLayout, RecordLayout

#: The most records that are looked at: a bound of ours.
MOST_RECORDS = 200_000
EBCDIC = "cp500"
"""What files of mainframes are read as: the French variants have other accents at the same places."""
_HEADER = "000"
_LEAST = 60
"""Characters of a record, in a file that has no header to be known by."""
_LEAST_HEADER = 12
_ENDS = "\r\n\x1a\x00"
_NEWLINE = re.compile(r"\r\n|[\r\n\x0c]")
_NO_LETTER = re.compile(r"[\x00-\x09\x0b\x0e-\x1f]")
_ODD = 20
"""One letter in so many may be no letter (a tab, a bell), where a header says that it is a file of records."""
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_RUN = re.compile(r"[^ ](?:[^ ]| (?! ))*")


@dataclass(frozen=True, slots=True)
class LooseField:
    """What stands in some columns, counted from 1. ``name`` is None outside every known field; ``fault`` says why a
    value is none of its field's.
    """

    at: int
    value: str
    name: str | None = None
    kind: str = ""
    fault: str | None = None

    @property
    def end(self) -> int:
        """Its last column."""
        return self.at + len(self.value) - 1


@dataclass(frozen=True, slots=True)
class LooseRecord:
    """One record as it stands. ``label`` is None for a type that no layout has."""

    rank: int
    type: str
    width: int
    label: Text | None
    fields: tuple[LooseField, ...]


def split_records(data: bytes) -> tuple[str, ...]:
    """Return the records of a file that looks like one of records, none where it does not."""
    encoding = encoding_of(data)
    text = data.decode(encoding, "replace").removeprefix("\ufeff")
    text = (text.replace("\x85", "\n") if encoding == EBCDIC else text).rstrip(_ENDS)
    whole = _NEWLINE.search(text) is None
    lines = [line for line in (_cut(text) if whole else _NEWLINE.split(text)) if line.strip()][:MOST_RECORDS]
    if not lines or not lines[0].lstrip()[:1].isdigit():
        return ()
    odd = len(_NO_LETTER.findall(text))
    if lines[0].lstrip().startswith(_HEADER) and len(lines[0]) >= _LEAST_HEADER:
        return tuple(lines) if odd * _ODD <= len(text) and _NO_LETTER.search(lines[0]) is None else ()
    if odd or (whole and len(text) % WIDTH):
        return ()
    return tuple(lines) if _alike(lines) else ()


def encoding_of(data: bytes) -> str:
    """Return the encoding of a file of records: that of its mark, EBCDIC where digits and spaces are that, UTF-8 where
    it has letters of it, else one byte a letter.
    """
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            return name
    start = data.lstrip(b"@\x15\x25")[:3]
    if start and all(0xF0 <= byte <= 0xF9 for byte in start[:1]) and data.count(b"@") > data.count(b" "):
        return EBCDIC
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "iso-8859-1"
    return "ascii" if data.isascii() else "utf-8"


def read_loosely(lines: Sequence[str]) -> Iterator[LooseRecord]:
    """Yield each record with what its columns say; spaces that an editor took off the ends are put back to read it."""
    widths = {len(line) for line in lines}
    trimmed = len(widths) > 1 and _LEAST <= max(widths) <= WIDTH
    for rank, line in enumerate(lines, 1):
        full = line.ljust(WIDTH) if trimmed else line
        kind = _type(full)
        layout = LAYOUTS.get(kind) if len(full) == WIDTH else None
        fields = tuple(_known(full, layout) if layout is not None else _runs(line, 0))
        yield LooseRecord(rank, kind, len(line), None if layout is None else layout.label, fields)


def _alike(lines: Sequence[str]) -> bool:
    """Whether lines without a header are records: most of the one width, digits first; or all of one width."""
    wide = [line for line in lines if len(line) == WIDTH]
    if 2 * len(wide) >= len(lines) and max(map(len, lines)) == WIDTH:
        return all(line[0].isdigit() for line in wide)
    same = len(lines) > 1 and len({len(line) for line in lines}) == 1 and len(lines[0]) >= _LEAST
    return same and all(line[0].isdigit() for line in lines)


def _cut(text: str) -> list[str]:
    return [text[at : at + WIDTH] for at in range(0, len(text), WIDTH)]


def _type(line: str) -> str:
    """Three digits of a header, a trailer or a record of another width; else a digit and a letter, if there is one."""
    if len(line) != WIDTH or line[0] in "09":
        return line[:3]
    if line[1].isalpha():
        return line[:2]
    return line[0] + (line[MARK] if line[MARK].isalpha() else "")


def _known(line: str, layout: RecordLayout) -> Iterator[LooseField]:
    column = 0
    for field in layout.fields:
        yield from _runs(line[: field.at - 1], column)
        column = field.end
        raw = line[field.at - 1 : field.end]
        if (other := _instead(raw, field, layout)) is not None:
            yield LooseField(other.at, raw.strip(), other.name, other.kind.value)
        elif raw.strip():
            yield LooseField(field.at, raw, field.name, field.kind.value, _fault(field, raw))
    yield from _runs(line, column)


def _instead(raw: str, field: FieldLayout, layout: RecordLayout) -> FieldLayout | None:
    """What stands alone in the columns of a field that would not hold it so."""
    for one in layout.instead:
        if field.at <= one.at <= field.end and raw.rstrip(" ") == " " * (one.at - field.at) + (one.value or ""):
            return one
    return None


def _fault(field: FieldLayout, raw: str) -> str | None:
    return field.fault(raw if field.padded_left else raw.rstrip(" "))


def _runs(line: str, start: int) -> Iterator[LooseField]:
    """What stands from a column on, in pieces that two spaces part."""
    for run in _RUN.finditer(line, start):
        yield LooseField(run.start() + 1, run.group())
