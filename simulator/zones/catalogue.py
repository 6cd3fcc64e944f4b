"""The groups and fields by name, from ``groups.yaml``: what each holds, what that rests on, and the order of groups."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bifente.ground.shipped import shipped
from bifente.ground.text import Text

Fidelity = Literal["documented", "observed", "modelled"]


class FieldKind(StrEnum):
    """The characters a field may hold."""

    TEXT = "text"
    LABEL = "label"
    DIGITS = "digits"
    CODE = "code"
    DATE = "date"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))


class FieldType(_Model):
    """A field at its position. ``min`` and ``max`` count the characters of one that is not empty; None: not known."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
    label: Text
    kind: FieldKind
    min: Annotated[int, Field(ge=1)] = 1
    max: Annotated[int, Field(ge=1)] | None = None
    #: What is known of a code, not all that it can be.
    values: Mapping[str, Text] = {}
    #: A date whose month may be above 12, as for a birth date that is not known.
    lunar: bool = False

    @model_validator(mode="before")
    @classmethod
    def _words_apart(cls, value: dict[str, Any]) -> dict[str, Any]:
        rest = {key: part for key, part in value.items() if key not in ("fr", "en")}
        return {**rest, "label": {"fr": value.get("fr"), "en": value.get("en")}}


class GroupType(_Model):
    """A group: its fields in order. ``open``: others may follow them, that no public text names."""

    id: Annotated[int, Field(ge=0, le=0xFFFF)]
    name: Text
    fields: tuple[FieldType, ...]
    fidelity: Fidelity
    source: str
    open: bool = False

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if len(self.positions) != len(self.fields):
            raise ValueError(f"group {self.id} gives one name to two fields")
        return self

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """The index of each field by its name, from 0."""
        return {field.name: index for index, field in enumerate(self.fields)}

    def accepts(self, count: int) -> bool:
        """Whether a group of this type may have ``count`` fields."""
        return count >= len(self.fields) if self.open else count == len(self.fields)


class GroupPlace(_Model):
    """Where a group comes in a zone, and what may follow each of its occurrences."""

    group: int
    min: int = 0
    max: int | None = None
    then: tuple[GroupPlace, ...] = ()


class _Catalogue(_Model):
    groups: Mapping[int, GroupType]
    orders: Mapping[str, tuple[GroupPlace, ...]]


def _load() -> _Catalogue:
    data = shipped(__package__, "groups.yaml")
    groups = {
        number: {**group, "id": number, "source": data["sources"][group["source"]]}
        for number, group in data["groups"].items()
    }
    return _Catalogue.model_validate({"groups": groups, "orders": data["orders"]})


_CATALOGUE = _load()
#: Every group that is known, by its number.
GROUPS: Mapping[int, GroupType] = _CATALOGUE.groups
#: The order of groups in the zones where it is known: ``carte-ps`` and ``vitale``.
ORDERS: Mapping[str, tuple[GroupPlace, ...]] = _CATALOGUE.orders


def called(number: int) -> str:
    """A group in words: its number, and its name if it is known."""
    known = GROUPS.get(number)
    return f"group {number} ({known.name})" if known else f"group {number}"
