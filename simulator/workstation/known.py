"""Workstations that the field tells of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.workstation.confidence import Confidence
from bifente.simulator.workstation.poste import Poste


@dataclass(frozen=True, slots=True)
class KnownPoste:
    """One workstation of the field; ``presumed`` says what of its facts no text tells."""

    title: Text
    poste: Poste
    presumed: Text | None
    source: str
    confidence: Confidence


@cache
def known_postes() -> Mapping[str, KnownPoste]:
    """Return every one by its id."""
    return {
        row["id"]: KnownPoste(
            Text(**row["title"]),
            Poste({key: str(value) for key, value in row["facts"].items()}, name=row["id"]),
            Text(**row["presumed"]) if "presumed" in row else None,
            row["source"],
            Confidence(row["confidence"]),
        )
        for row in shipped(__package__, "known.yaml")["postes"]
    }
