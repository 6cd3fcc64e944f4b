"""Who may do what: the official matrices as data, and the column that a caller stands in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.formats.vihf.model import AccessPurpose


class Calling(StrEnum):
    """What kind of caller asks, as the matrices tell them apart; ``OTHER`` has no column (CDE, CDA, CPA)."""

    PHYSICIAN = "physician"
    OCCUPATIONAL = "occupational-physician"
    PROFESSIONAL = "professional"
    EMPLOYEE = "employee"
    STRUCTURE = "structure"
    OTHER = "other"


class DmpGrant(StrEnum):
    """What a cell of a matrix says: no, yes, or yes under a condition that the service checks."""

    NO = "no"
    YES = "yes"
    FOR_STRUCTURE = "for-structure"
    SAME_STRUCTURE = "same-structure"
    NEW_ONLY = "new-only"
    STRUCTURE_LIABLE = "structure-liable"
    TO_DELETE_OR_REPLACE = "to-delete-or-replace"
    OWN = "own"
    IF_ALLOWED_IN_URGENCY = "if-allowed-in-urgency"
    OF_STRUCTURE = "of-structure"


class Operation(StrEnum):
    """A row of the matrices; ``TD1.3b`` and ``TD1.4`` are rows of ours."""

    CERTIFIED_IDENTITY = "TD0.0"
    AUTHENTICATE = "TD0.1"
    EXISTENCE = "TD0.2"
    ADD_AUTHORISATION = "TD0.3-add"
    REMOVE_AUTHORISATION = "TD0.3-remove"
    GIVE_UP_TREATING = "TD0.3-mt"
    LIST_RECORDS = "TD0.4"
    FIND_PATIENT = "TD0.5"
    WEB_ACCESS = "TD0.9"
    READ_DATA = "TD1.3a"
    CHANGE_DATA = "TD1.3b"
    CLOSE = "TD1.4"
    LIST_AUTHORISED = "TD1.6"
    FEED = "TD2.1"
    FEED_AS_EMPLOYEE = "TD2.2"
    SEARCH = "TD3.1"
    REFERENCE = "TD3.1b"
    FETCH = "TD3.2"
    FETCH_MASKED = "TD3.2-masked"
    FETCH_SPECIAL = "TD3.2-special"
    MASK = "TD3.3a-mask"
    UNMASK = "TD3.3a-unmask"
    SHOW = "TD3.3b"
    ARCHIVE = "TD3.3d"
    DELETE = "TD3.3c"


@dataclass(frozen=True, slots=True)
class SeedDifference:
    """Where a founding text says something else than the matrix that rules."""

    operation: Operation
    seed: str
    what: Text


@dataclass(frozen=True, slots=True)
class RightsMatrix:
    """One official matrix: a grant for each operation and column."""

    name: str
    source: str
    columns: tuple[str, ...]
    cells: Mapping[Operation, Mapping[str, DmpGrant]]

    def grant(self, operation: Operation, column: str | None) -> DmpGrant:
        """Return what a cell says; ``NO`` for a caller that has no column (modelled: the default refusal)."""
        return self.cells[operation].get(column or "", DmpGrant.NO)


@dataclass(frozen=True, slots=True)
class Rights:
    """Both matrices, what their columns are called, and where the founding texts differ."""

    direct: RightsMatrix
    air: RightsMatrix
    columns: Mapping[str, Text]
    differences: tuple[SeedDifference, ...]
    modelled: frozenset[tuple[str, Operation]]

    def matrix(self, *, air: bool) -> RightsMatrix:
        """Return the matrix that rules; ``air`` under reinforced indirect authentication."""
        return self.air if air else self.direct


_SPECIAL = {AccessPurpose.NORMAL: 0, AccessPurpose.REGULATION: 1, AccessPurpose.EMERGENCY: 2}


def column(calling: Calling, mode: AccessPurpose, *, treating: bool, air: bool) -> str | None:
    """Return the column of a caller, None where the matrices have none: such a caller may do nothing.

    A treating doctor in régulation stands with the other physicians: the matrices have no column of their own for it.
    An occupational physician has one column whatever the mode, and none under AIR.
    """
    normal = mode is AccessPurpose.NORMAL
    match calling:
        case Calling.PHYSICIAN if treating and mode is not AccessPurpose.REGULATION:
            return "H" if normal else "I"
        case Calling.PHYSICIAN:
            return "DEF"[_SPECIAL[mode]]
        case Calling.PROFESSIONAL:
            return "ABC"[_SPECIAL[mode]]
        case Calling.OCCUPATIONAL:
            return None if air else "G"
        case Calling.EMPLOYEE:
            return ("JP" if air else "J") if normal else None
        case Calling.STRUCTURE if not air and mode is not AccessPurpose.EMERGENCY:
            return "KL"[_SPECIAL[mode]]
    return None


@cache
def rights() -> Rights:
    """Return the matrices of ``rights.yaml``."""
    data = shipped(__package__, "rights.yaml")
    notes = {number: DmpGrant(note["means"]) for number, note in data["notes"].items()}
    meaning = {"y": DmpGrant.YES, "n": DmpGrant.NO, **notes}
    extra = data["modelled"]["rows"]

    def matrix(key: str) -> RightsMatrix:
        given = data["matrices"][key]
        rows = {**given["cells"], **{row: given["cells"][like["like"]] for row, like in extra.items()}}
        return RightsMatrix(
            given["name"],
            given["source"],
            tuple(given["columns"]),
            {Operation(row): _cells(given["columns"], cells, meaning) for row, cells in rows.items()},
        )

    ours = {("air", Operation(row)) for row in data["modelled"]["air"]}
    ours |= {(key, Operation(row)) for key in ("direct", "air") for row in extra}
    return Rights(
        matrix("direct"),
        matrix("air"),
        {key: Text(text["fr"], text["en"]) for key, text in data["columns"].items()},
        tuple(
            SeedDifference(Operation(one["transaction"]), one["seed"], Text(one["fr"], one["en"]))
            for one in data["differences"]
        ),
        frozenset(ours),
    )


def _cells(columns: list[str], cells: list[Any], meaning: Mapping[str, DmpGrant]) -> Mapping[str, DmpGrant]:
    return {name: meaning[str(cell)] for name, cell in zip(columns, cells, strict=True)}
