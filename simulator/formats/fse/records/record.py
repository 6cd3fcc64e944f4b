"""One record: 128 characters from its fields and back, strictly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.records.layouts import LAYOUTS, MARK, WIDTH, FieldLayout, RecordLayout


class RecordError(FseError):
    """A record that cannot be written or read: its rank in the file and its column, both counted from 1."""

    def __init__(self, record: int, column: int, reason: str, cure: str) -> None:
        super().__init__(f"record {record}, column {column}", reason, cure)
        self.record = record
        self.column = column


@dataclass(frozen=True, slots=True)
class Record:
    """A record by its fields: digits at their full width, texts without the spaces that complete them."""

    type: str
    values: Mapping[str, str]

    def number(self, name: str) -> int:
        """A field of digits as a number."""
        return int(self.values[name])

    @property
    def layout(self) -> RecordLayout:
        """Its type."""
        return LAYOUTS[self.type]


def make(kind: str, rank: int, values: Mapping[str, str | int]) -> Record:
    """A record of a type. Fields that are not given are empty, or zeros. Raises RecordError, at ``rank``."""
    layout = LAYOUTS[kind]
    if unknown := sorted(values.keys() - layout.names):
        raise RecordError(rank, 1, f"record {kind} has no field {unknown[0]!r}", "name a field of its layout")
    return Record(kind, {field.name: _value(field, rank, values.get(field.name)) for field in layout.fields})


def write(record: Record, rank: int = 1) -> str:
    """The 128 characters of a record. Raises RecordError for what ``read`` would not give back."""
    line = [" "] * WIDTH
    for field in record.layout.fields:
        value = record.values[field.name]
        _check(field, rank, value)
        if field.padded_left and len(value) != field.size:
            raise RecordError(rank, field.at, f"{field.name} {value!r} has not {field.size} digits", "complete it")
        line[field.at - 1 : field.end] = value.ljust(field.size)
    return "".join(line)


def read(line: str, rank: int = 1) -> Record:
    """A record from its characters. Raises RecordError for anything that ``write`` would not have written."""
    if len(line) != WIDTH:
        raise RecordError(rank, len(line) + 1, f"it has {len(line)} characters", f"a record has {WIDTH}")
    kind = line[:3] if line[0] in "09" else line[0] + (line[MARK] if line[MARK].isalpha() else "")
    layout = LAYOUTS.get(kind)
    if layout is None:
        raise RecordError(rank, 1, f"{kind!r} is no type of record", f"known: {', '.join(LAYOUTS)}")
    values: dict[str, str] = {}
    column = 0
    for field in layout.fields:
        _check_blank(line, column, field.at - 1, rank)
        raw = line[field.at - 1 : field.end]
        values[field.name] = raw if field.padded_left else raw.rstrip(" ")
        _check(field, rank, values[field.name])
        column = field.end
    _check_blank(line, column, WIDTH, rank)
    return Record(kind, values)


def _value(field: FieldLayout, rank: int, value: str | int | None) -> str:
    text = (field.value or "") if value is None else str(value)
    if field.padded_left:
        text = text.zfill(field.size)
    _check(field, rank, text)
    return text


def _check(field: FieldLayout, rank: int, value: str) -> None:
    if problem := field.fault(value):
        raise RecordError(rank, field.at, problem, "correct the field")


def _check_blank(line: str, start: int, end: int, rank: int) -> None:
    for column in range(start, end):
        if line[column] != " ":
            raise RecordError(rank, column + 1, f"{line[column]!r} stands where no field is", "write a space")
