"""Entities of a return in their fixed form: one record of so many characters each, one way to write each value.

Widths and fields are data (``entities.yaml``). A record is its type (3), its level (1), its fields, then blanks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache

from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.formats.fse.errors import FseError

Value = str | int | date
CLOSING = "990"
MAX_RECORDS = 1_000_000
"""Far more than a return of 100,000 sheets has."""
_HEAD = 4
_ENCODING = "iso-8859-1"
_LAST_LEVEL = 9
_HEX = frozenset("0123456789abcdef")


class ValueKind(StrEnum):
    """How a value fills its field: text is padded with blanks on its right, numbers with zeros on their left; digits
    and lower-case hexadecimal fill theirs.
    """

    TEXT = "text"
    DIGITS = "digits"
    HEX = "hex"
    NUMBER = "number"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its characters are ``start`` to ``end`` of the record."""

    name: str
    kind: ValueKind
    start: int
    end: int

    @property
    def width(self) -> int:
        """Its characters."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class EntityType:
    """A type of entity. ``level`` is None for the one that closes any level."""

    code: str
    level: int | None
    name: Text
    fields: tuple[Field, ...]
    fidelity: str


@dataclass(frozen=True, slots=True)
class Entity:
    """One record: ``number`` is its place in the return, from 1 (0 where it is not in one yet)."""

    code: str
    level: int
    values: Mapping[str, Value]
    number: int = 0

    def text(self, name: str) -> str:
        """A value of kind text, digits or hex."""
        return str(self.values[name])

    def amount(self, name: str) -> int:
        """A value of kind number."""
        value = self.values[name]
        assert isinstance(value, int)  # noqa: S101 - the kinds of the catalogue say so
        return value

    def day(self, name: str) -> date:
        """A value of kind date."""
        value = self.values[name]
        assert isinstance(value, date)  # noqa: S101
        return value


def write(entities: Iterable[Entity]) -> bytes:
    """The records, one after the other. Raises FseError for a value that its field cannot hold."""
    return b"".join(_write(entity, number) for number, entity in enumerate(entities, 1))


def read(data: bytes) -> Iterator[Entity]:
    """The entities, each checked as it is reached. Raises FseError at what ``write`` would not write."""
    width, known = _catalogue()
    whole, rest = divmod(len(data), width)
    if rest or not whole:
        raise FseError(
            f"record {whole + 1}",
            f"a return is records of {width} characters, this one has {len(data)}",
            "take the file again, whole and without line ends",
        )
    if whole > MAX_RECORDS:
        raise FseError(f"record {MAX_RECORDS + 1}", f"a return has at most {MAX_RECORDS} records", "split it")
    for number in range(1, whole + 1):
        yield _read(data[(number - 1) * width : number * width], number, known)


def before(data: bytes, entity: Entity) -> bytes:
    """The bytes of all records before that of ``entity``."""
    return data[: (entity.number - 1) * _catalogue()[0]]


def record_width() -> int:
    """Return how many characters a record has."""
    return _catalogue()[0]


def types() -> Mapping[str, EntityType]:
    """Every type of entity by its three digits."""
    return _catalogue()[1]


def place_of(entity: Entity, field: str = "") -> str:
    """Where an entity is, for a person: its record, its name, a field of it."""
    return f"record {entity.number} ({entity.code} {types()[entity.code].name}){field and f', field {field}'}"


@cache
def _catalogue() -> tuple[int, Mapping[str, EntityType]]:
    data = shipped(__package__, "entities.yaml")
    width = int(data["width"])
    found = {}
    for code, item in data["entities"].items():
        fields = tuple(_fields(item["fields"]))
        if fields[-1].end > width:
            raise ValueError(f"entity {code} is longer than a record")
        found[code] = EntityType(code, item["level"], Text(**item["name"]), fields, item["fidelity"])
    return width, found


def _fields(items: Iterable[Mapping[str, object]]) -> Iterator[Field]:
    at = _HEAD
    for item in items:
        end = at + int(str(item["width"]))
        yield Field(str(item["name"]), ValueKind(str(item["kind"])), at, end)
        at = end


def _write(entity: Entity, number: int) -> bytes:
    width, known = _catalogue()
    kind = known[entity.code]
    parts = [entity.code, str(entity.level)]
    for field in kind.fields:
        told = _told(entity.values[field.name], field)
        if told is None:
            raise FseError(
                f"record {number} ({entity.code} {kind.name}), field {field.name}",
                f"{entity.values[field.name]!r} does not fit {field.width} characters of {field.kind.value}",
                "shorten or correct it",
            )
        parts.append(told)
    return "".join(parts).ljust(width).encode(_ENCODING)


def _told(value: Value, field: Field) -> str | None:
    """The characters of a value, or None if this field cannot hold it."""
    if field.kind is ValueKind.DATE:
        return f"{value:%Y%m%d}".rjust(field.width, "0") if isinstance(value, date) else None
    if field.kind is ValueKind.NUMBER:
        fits = isinstance(value, int) and 0 <= value < 10**field.width
        return f"{value:0{field.width}d}" if fits else None
    if not isinstance(value, str) or len(value) > field.width:
        return None
    if field.kind is ValueKind.DIGITS:
        return value if value.isascii() and value.isdigit() and len(value) == field.width else None
    if field.kind is ValueKind.HEX:
        return value if len(value) == field.width and set(value) <= _HEX else None
    return value.ljust(field.width) if _is_text(value) and not value.endswith(" ") else None


def _is_text(value: str) -> bool:
    return all(" " <= letter <= "~" or "\xa1" <= letter <= "\xff" for letter in value)


def _read(record: bytes, number: int, known: Mapping[str, EntityType]) -> Entity:
    text = record.decode(_ENCODING)
    kind = known.get(text[:3])
    if kind is None:
        codes = ", ".join(known)
        raise FseError(f"record {number}", f"{text[:3]!r} is no entity", f"an entity begins with one of {codes}")
    place = f"record {number} ({kind.code} {kind.name})"
    if text[3] not in "0123456789" or (kind.level is not None and int(text[3]) != kind.level):
        raise FseError(place, f"level {text[3]!r}", f"write {'a digit' if kind.level is None else kind.level}")
    values = {field.name: _value(text[field.start : field.end], field, place) for field in kind.fields}
    if text[kind.fields[-1].end :].strip(" "):
        raise FseError(place, "characters after the last field", f"leave blanks from {kind.fields[-1].end + 1} on")
    return Entity(kind.code, int(text[3]), values, number)


def _value(text: str, field: Field, place: str) -> Value:
    value: Value = text.rstrip(" ")
    if field.kind in (ValueKind.NUMBER, ValueKind.DATE):
        digits = text.isascii() and text.isdigit()
        try:
            if not digits:
                raise ValueError
            value = int(text) if field.kind is ValueKind.NUMBER else date(int(text[:4]), int(text[4:6]), int(text[6:]))
        except ValueError:
            raise FseError(
                f"{place}, field {field.name}", f"{text!r} is no {field.kind.value}", "write it in digits"
            ) from None
    if _told(value, field) != text:
        raise FseError(f"{place}, field {field.name}", f"{text!r} is no {field.kind.value}", "correct its characters")
    return value
