"""The strict traits of an identity, as typed, and as they are asked of INSi and compared with its answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from bifente.simulator.formats.insi import InsTraits, TraitSearch

UNKNOWN_PLACE = "99999"
_LIGATURES = str.maketrans({"Œ": "OE", "œ": "OE", "Æ": "AE", "æ": "AE", "ß": "SS", "’": "'", "‐": "-"})
_SPACES = re.compile(r"\s+")
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_NO_DAY, _NO_MONTH = "00", "00"


@dataclass(frozen=True, slots=True)
class StrictTraits:
    """Birth name, given names in order, sex, birth date (YYYY-MM-DD, 00 for what is not known), birthplace (COG)."""

    name: str
    given: tuple[str, ...]
    sex: str
    birth_date: str
    birth_place: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """Return what is not filled in of what INSi wants."""
        said = {"name": self.name, "given": self.given, "sex": self.sex, "birth-date": self.birth_date}
        return tuple(name for name, value in said.items() if not value)

    def attempts(self) -> Iterator[TraitSearch]:
        """Yield the searches in the order of the field (INSI-08): each given name, all of them, then with the place."""
        given = [capitals(one) for one in self.given]
        joined = " ".join(given)
        tries = list(dict.fromkeys([*given, joined]))
        for place in dict.fromkeys(["", self.birth_place]):
            for one in tries:
                yield TraitSearch(capitals(self.name), (one,), self.sex, completed(self.birth_date), place)

    def differences(self, found: InsTraits) -> tuple[str, ...]:
        """Return which traits of INSi are not those of the file; a place that the file has not is none."""
        listed = spaced((found.given or found.first).split(" "))
        first = spaced([capitals(self.given[0])]) if self.given else []
        said = {
            "name": capitals(self.name) == found.name,
            "given": bool(first) and listed[: len(first)] == first,
            "sex": self.sex in ("", found.sex),
            "birth-date": _same_day(completed(self.birth_date), found.birth_date),
            "birth-place": not self.birth_place or not found.birth_place or self.birth_place == found.birth_place,
        }
        return tuple(name for name, same in said.items() if not same)


def _same_day(own: str, official: str) -> bool:
    """Whether a date is the official one; of one that is no day of the calendar (SV-VITALE-07), the year."""
    try:
        date.fromisoformat(own)
    except ValueError:
        return own[:4] == official[:4]
    return own == official


def capitals(text: str) -> str:
    """Return a name as INSi takes it: upper case, no accent, no ligature, single spaces (INSI-01)."""
    plain = unicodedata.normalize("NFD", text.translate(_LIGATURES).upper().translate(_LIGATURES))
    bare = "".join(one for one in plain if not unicodedata.combining(one))
    return _SPACES.sub(" ", bare).strip()


def completed(birth_date: str) -> str:
    """Return a birth date whose unknown parts are filled by rule (INS-EXI-ID-11); as it is where it cannot be read."""
    found = _DAY.fullmatch(birth_date)
    if found is None:
        return birth_date
    year, month, day = found.groups()
    if month == _NO_MONTH and day == _NO_DAY:
        return f"{year}-12-31"
    return f"{year}-{'01' if month == _NO_MONTH else month}-{'01' if day == _NO_DAY else day}"


def spaced(names: list[str]) -> list[str]:
    """Return given names cut at hyphens and apostrophes too, as their lists are compared (INS-EXI-ID-10)."""
    return [part for one in names for part in re.split(r"[-' ]", one) if part]
