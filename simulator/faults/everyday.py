"""The everyday causes: what a desk hears every day and no fault of the bench makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from bifente.ground.shipped import shipped
from bifente.ground.text import Text


@dataclass(frozen=True, slots=True)
class EverydayCause:
    """One cause outside the catalogue of faults: a wrong code, a card reported lost, closed rights.

    ``said_codes`` are codes as people write them, ``see`` the command or place to look at next.
    """

    id: str
    place: str
    symptoms: tuple[Text, ...]
    said_codes: tuple[str, ...]
    cause: Text
    remedy: Text
    see: str
    source: str
    fidelity: str


@cache
def everyday_causes() -> Mapping[str, EverydayCause]:
    """Return every everyday cause by its id."""
    return {row["id"]: _cause(row) for row in shipped(__package__, "everyday.yaml")["causes"]}


def _cause(row: Mapping[str, Any]) -> EverydayCause:
    return EverydayCause(
        id=row["id"],
        place=row["place"],
        symptoms=tuple(Text(**said) for said in row["symptoms"]),
        said_codes=tuple(row.get("codes", ())),
        cause=Text(**row["cause"]),
        remedy=Text(**row["remedy"]),
        see=row["see"],
        source=row["source"],
        fidelity=row["fidelity"],
    )
