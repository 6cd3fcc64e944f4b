"""What the models of the tables have in common: keys with hyphens, labels in two languages, a source."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bifente.ground.text import Text

Fidelity = Literal["documented", "observed", "modelled"]
Percent = Annotated[int, Field(ge=0, le=100)]


class TableModel(BaseModel):
    """A row or a part of a table, as the YAML has it."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, alias_generator=lambda name: name.replace("_", "-")
    )


class LabelledRow(TableModel):
    """Something with a label in the two languages."""

    label: Text

    @model_validator(mode="before")
    @classmethod
    def _words_apart(cls, value: dict[str, Any]) -> dict[str, Any]:
        rest = {key: part for key, part in value.items() if key not in ("fr", "en")}
        return {**rest, "label": {"fr": value.get("fr"), "en": value.get("en")}}


class BillingTable(TableModel):
    """A table, with what it rests on."""

    source: str
    fidelity: Fidelity
