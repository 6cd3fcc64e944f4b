"""The people that INSi knows: a laboratory population, or another one given as data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from bifente.ground.identifiers import NIR, nir_key
from bifente.ground.shipped import shipped
from bifente.simulator.formats.insi import InsiAnswer, InsiCode, InsMatricule, InsRecord, InsTraits
from bifente.simulator.formats.vihf.patient import InsOid

_PLACE = re.compile(r"[0-9A-Z]{5}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class InsiPerson:
    """One person. ``all_given``: registered under all given names alone, the first is not enough.

    ``insured`` and ``rank``: on whose Vitale, as which child of one birth. ``tells_first``: Prenom is in the answer.
    """

    id: str
    name: str
    given: tuple[str, ...]
    sex: str
    birth_date: str
    birth_place: str
    active: InsRecord
    history: tuple[InsRecord, ...] = ()
    all_given: bool = False
    tells_first: bool = True
    insured: str = ""
    rank: str = ""

    @property
    def answer(self) -> InsiAnswer:
        """Return the answer 00 about this person."""
        first = self.given[0] if self.tells_first else ""
        traits = InsTraits(self.name, first, " ".join(self.given), self.sex, self.birth_date, self.birth_place)
        return InsiAnswer(InsiCode.ONE, self.active, self.history, traits)


class Population:
    """People by their ids. Raises ValueError for a row that is not right, or that could be somebody."""

    def __init__(self, people: Iterable[InsiPerson]) -> None:
        self._people = {one.id: one for one in people}

    def __iter__(self) -> Iterator[InsiPerson]:
        return iter(self._people.values())

    def __len__(self) -> int:
        return len(self._people)

    def __getitem__(self, name: str) -> InsiPerson:
        return self._people[name]

    def with_row(self, row: Mapping[str, Any]) -> Population:
        """Return this population and one person more, or one person told anew."""
        made = person_of(row)
        return Population({**self._people, made.id: made}.values())

    def without(self, name: str) -> Population:
        """Return this population without one person, who may not have been there."""
        return Population(one for one in self if one.id != name)


@cache
def laboratory() -> Population:
    """Return the people that come with the bench."""
    return Population(map(person_of, shipped("bifente.simulator.services.insi", "population.yaml")["people"]))


def person_of(row: Mapping[str, Any]) -> InsiPerson:
    """Return the person of a row. Raise ValueError, in words."""
    known = {"id", "name", "given", "sex", "born", "place", "number", "oid", "history", "all", "first", "insured"}
    known |= {"rank", "key", "type"}
    if unknown := set(row) - known:
        raise ValueError(f"{sorted(unknown)[0]!r} is not known of a person: one of {', '.join(sorted(known))}")
    for name, needed in (("id", str), ("name", str), ("given", list), ("sex", str), ("born", str), ("number", str)):
        if not isinstance(row.get(name), needed) or not row[name]:
            raise ValueError(f"a person needs {name}")
    if row["sex"] not in ("M", "F") or not _DAY.fullmatch(row["born"]):
        raise ValueError(f"{row['id']}: sex is M or F, born is YYYY-MM-DD")
    place = row.get("place", "")
    if place and not _PLACE.fullmatch(place):
        raise ValueError(f"{row['id']}: place has 5 characters, 99999 where it is not known")
    return InsiPerson(
        id=row["id"],
        name=row["name"],
        given=tuple(row["given"]),
        sex=row["sex"],
        birth_date=row["born"],
        birth_place=place,
        active=_record(row),
        history=tuple(_record(one) for one in row.get("history", ())),
        all_given=bool(row.get("all", False)),
        tells_first=bool(row.get("first", True)),
        insured=row.get("insured", ""),
        rank=row.get("rank", ""),
    )


def _record(row: Mapping[str, Any]) -> InsRecord:
    number = row["number"]
    NIR.check(number + nir_key(number))
    key = nir_key(number) if row.get("key", True) else ""
    oid = InsOid[row.get("oid", "TEST")]
    return InsRecord(InsMatricule(number, key, row.get("type", "")), oid, row.get("start", ""), row.get("end", ""))
