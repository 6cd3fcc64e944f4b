"""The layouts of the records, from ``layouts.yaml``: which characters each type has where, and what that rests on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.formats.fse.model import LotKind


class ColumnKind(StrEnum):
    """What a field holds."""

    DIGITS = "digits"
    AMOUNT = "amount"
    TEXT = "text"
    CODE = "code"
    DATE = "date"


Basis = Literal["atih", "facts", "ours"]
_SHAPES = {
    ColumnKind.DIGITS: (re.compile(r"[0-9]*"), "digits"),
    ColumnKind.AMOUNT: (re.compile(r"[0-9]*"), "digits, in cents"),
    ColumnKind.TEXT: (
        re.compile(r"([A-Z0-9 './&()+,:=*-]*[A-Z0-9'./&()+,:=*-])?"),
        "upper-case letters, digits and signs",
    ),
    ColumnKind.CODE: (re.compile(r"[A-Z0-9]*"), "upper-case letters and digits"),
    ColumnKind.DATE: (re.compile(r"([0-9]{6})?"), "a date YYMMDD"),
}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))


class FieldLayout(_Model):
    """A field: its first column, counted from 1, and how many characters it has."""

    name: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")]
    at: Annotated[int, Field(ge=1)]
    size: Annotated[int, Field(ge=1)]
    kind: ColumnKind
    basis: Basis
    value: Annotated[str | None, Field(alias="is")] = None

    @property
    def end(self) -> int:
        """Its last column."""
        return self.at + self.size - 1

    @property
    def padded_left(self) -> bool:
        """Whether zeros complete it on the left, rather than spaces on the right."""
        return self.kind in (ColumnKind.DIGITS, ColumnKind.AMOUNT)

    def fault(self, value: str) -> str | None:
        """Why it cannot hold a value, in words; None if it can."""
        shape, words = _SHAPES[self.kind]
        if not shape.fullmatch(value):
            return f"{self.name} {value!r} is not {words}"
        if len(value) > self.size:
            return f"{self.name} {value!r} has {len(value)} characters, there is room for {self.size}"
        if self.value is not None and value != self.value:
            return f"{self.name} is {value!r} instead of {self.value}"
        return None


class RecordLayout(_Model):
    """A type of record. ``item``: it is about one sheet and begins like the others of that sheet.

    ``instead``: what may stand alone in the columns of another field; it is read, never written.
    """

    type: str
    label: Text
    forms: tuple[LotKind, ...]
    fields: tuple[FieldLayout, ...]
    instead: tuple[FieldLayout, ...] = ()
    item: bool = False
    written: bool = True

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of its fields."""
        return frozenset(field.name for field in self.fields)


class _Layouts(_Model):
    width: int
    mark: int
    types: Mapping[str, RecordLayout]

    @model_validator(mode="after")
    def _columns_apart(self) -> Self:
        for layout in self.types.values():
            last = 0
            for field in layout.fields:
                if field.at <= last or field.end > self.width:
                    raise ValueError(f"record {layout.type}: {field.name} is on another field or beyond {self.width}")
                last = field.end
            if len(layout.names) != len(layout.fields):
                raise ValueError(f"record {layout.type}: two fields have one name")
        return self


def _load() -> _Layouts:
    data: dict[str, Any] = shipped(__package__, "layouts.yaml")
    head = data["heads"]["item"]
    types = {}
    for name, layout in data["types"].items():
        fields = [*layout["fields"], *(head if layout.get("item") else ())]
        words = {"fr": layout.pop("fr"), "en": layout.pop("en")}
        fields.sort(key=lambda field: field["at"])
        types[name] = {**layout, "type": name, "label": words, "fields": fields}
    return _Layouts.model_validate({"width": data["width"], "mark": data["mark"], "types": types})


_LAYOUTS = _load()
#: How many characters a record has.
WIDTH: int = _LAYOUTS.width
#: The column, from 0, whose letter tells a continuation from the plain type.
MARK: int = _LAYOUTS.mark - 1
#: Every type that is known, by its name.
LAYOUTS: Mapping[str, RecordLayout] = _LAYOUTS.types
