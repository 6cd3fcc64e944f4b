"""What is asked of INSi and what it answers, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class InsiFormError(ValueError):
    """A message that has not the form of INSi. ``place`` names the element; the text never holds its value."""

    def __init__(self, place: str, problem: str) -> None:
        self.place = place
        self.problem = problem
        super().__init__(f"{place}: {problem}")


class InsiCode(StrEnum):
    """The CodeCR of an answer (INSI-07)."""

    ONE = "00"
    NONE = "01"
    SEVERAL = "02"

    @property
    def label(self) -> str:
        """Return the LibelleCR that goes with it."""
        return {"00": "OK", "01": "Aucune identite trouvee", "02": "Plusieurs identites trouvees"}[self.value]


@dataclass(frozen=True, slots=True)
class InsMatricule:
    """A number as requests and answers have it; key and type may be left out."""

    number: str
    key: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class TraitSearch:
    """A search on identity traits. Texts are as sent; ``matricule`` was seen in messages, the schema has it not."""

    name: str
    given: tuple[str, ...]
    sex: str
    birth_date: str
    birth_place: str = ""
    matricule: InsMatricule | None = None


@dataclass(frozen=True, slots=True)
class VitaleSearch:
    """A search with what a Vitale says of one beneficiary. ``individual``: his certified number, if he has one."""

    individual: InsMatricule | None
    insured: InsMatricule | None
    name: str = ""
    birth_date: str = ""
    birth_rank: str = ""


@dataclass(frozen=True, slots=True)
class InsRecord:
    """An INS, in force or of before. Dates are as received: they may be missing, or the end before the start."""

    matricule: InsMatricule
    oid: str
    start: str = ""
    end: str = ""


@dataclass(frozen=True, slots=True)
class InsTraits:
    """The official traits (TIQ). ``first`` may be missing: then the first of ``given`` is it."""

    name: str = ""
    first: str = ""
    given: str = ""
    sex: str = ""
    birth_date: str = ""
    birth_place: str = ""


@dataclass(frozen=True, slots=True)
class InsiAnswer:
    """An answer; ``active`` and ``traits`` come with ONE alone."""

    code: InsiCode
    active: InsRecord | None = None
    history: tuple[InsRecord, ...] = ()
    traits: InsTraits | None = None
    label: str = ""
