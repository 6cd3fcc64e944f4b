"""Records of anybody, read as far as they can be: what is known by its columns, what is not as it stands, with them.

Nothing is refused here: ``read_records`` is the strict reader. A file of records is text: one record a line, or one
after the other in 128 characters. Those of another width (returns are wider) have no layout here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bifente.ground.text import Text
from bifente.simulator.formats.fse.records.layouts import LAYOUTS, MARK, WIDTH, FieldLayout, RecordLayout

#: The most records that are looked at: a bound of ours.
MOST_RECORDS = 200_000
_HEADER = "000"
_LEAST = 60
"""Characters of a record, in a file that has no header to be known by."""
_LEAST_HEADER = 12
_ENDS = "\r\n\x1a\x00"
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
    text = data.decode("iso-8859-1").rstrip(_ENDS)
    if not text[:1].isdigit() or any(letter < " " and letter not in _ENDS for letter in set(text)):
        return ()
    lines = text.splitlines() if "\n" in text or "\r" in text else _cut(text)
    lines = [line for line in lines if line.strip()][:MOST_RECORDS]
    if text.startswith(_HEADER) and len(lines[0]) >= _LEAST_HEADER:
        return tuple(lines)
    alike = len(lines) > 1 and len({len(line) for line in lines}) == 1 and len(lines[0]) >= _LEAST
    return tuple(lines) if alike and all(line[0].isdigit() for line in lines) else ()


def read_loosely(lines: Sequence[str]) -> Iterator[LooseRecord]:
    """Yield each record with what its columns say."""
    for rank, line in enumerate(lines, 1):
        kind = _type(line)
        layout = LAYOUTS.get(kind) if len(line) == WIDTH else None
        fields = tuple(_known(line, layout) if layout is not None else _runs(line, 0))
        yield LooseRecord(rank, kind, len(line), None if layout is None else layout.label, fields)


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
