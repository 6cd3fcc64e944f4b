"""The refusals of the DMP as data, and the exception that carries one to whoever answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from bifente.ground.fidelity import Fidelity
from bifente.ground.shipped import shipped
from bifente.ground.text import Text


class ErrorShape(StrEnum):
    """How a refusal is written: a SOAP fault or a line of a RegistryErrorList."""

    FAULT = "fault"
    REGISTRY = "registry"


@dataclass(frozen=True, slots=True)
class DmpErrorRow:
    """One refusal: its code, shape, known text if any, cause and remedy, and what it rests on."""

    code: str
    shape: ErrorShape
    receiver: bool
    reason: str
    cause: Text
    remedy: Text
    source: str
    fidelity: Fidelity


@cache
def error_table() -> Mapping[str, DmpErrorRow]:
    """Return every refusal by its code."""
    return {
        code: DmpErrorRow(
            code,
            ErrorShape(row["shape"]),
            row.get("soap") == "Receiver",
            row.get("reason", ""),
            Text(row["cause"]["fr"], row["cause"]["en"]),
            Text(row["remedy"]["fr"], row["remedy"]["en"]),
            row["source"],
            Fidelity(row["fidelity"]),
        )
        for code, row in shipped(__package__, "errors.yaml")["errors"].items()
    }


class DmpRefusalError(Exception):
    """A refusal, with what exactly is wrong this time. ``location`` names the object or place, if any."""

    def __init__(self, code: str, context: Text | str, location: str = "") -> None:
        self.row = error_table()[code]
        self.context = Text.same(context) if isinstance(context, str) else context
        self.location = location
        super().__init__(f"{code}: {self.context.en}")

    @property
    def code(self) -> str:
        """Return its code."""
        return self.row.code

    @property
    def told(self) -> Text:
        """Return the reason in words: the known text, what is wrong, and the remedy."""
        known = f"{self.row.reason} : " if self.row.reason else ""
        return Text(
            f"{known}{self.context.fr}. {self.row.remedy.fr[:1].upper()}{self.row.remedy.fr[1:]}.",
            f"{known}{self.context.en}. {self.row.remedy.en[:1].upper()}{self.row.remedy.en[1:]}.",
        )
