"""Who is on a Vitale, as the SSV functions read it, and the search that each of them is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bifente.simulator.formats.insi import InsMatricule, VitaleSearch
from bifente.simulator.software.identity.traits import StrictTraits
from bifente.simulator.zones import Group, named

_INSURED, _PERSON = 101, 104


@dataclass(frozen=True, slots=True)
class VitalePerson:
    """One beneficiary. ``certified`` is his own number, empty where the card has none."""

    name: str
    birth_name: str
    first_name: str
    birth_date: str
    rank: str
    certified: str
    certified_key: str

    @property
    def traits(self) -> StrictTraits:
        """Return what a file begins with: a Vitale tells no sex, but for the certified number, and no birthplace."""
        sex = {"1": "M", "3": "M", "7": "M", "2": "F", "4": "F", "8": "F"}.get(self.certified[:1], "")
        day = self.birth_date[:8]
        return StrictTraits(self.birth_name or self.name, (self.first_name,), sex, f"{day[:4]}-{day[4:6]}-{day[6:8]}")


@dataclass(frozen=True, slots=True)
class VitaleReading:
    """A Vitale as it was read at a time (aware)."""

    serial: str
    insured: str
    insured_key: str
    people: tuple[VitalePerson, ...]
    at: datetime

    def search(self, who: VitalePerson) -> VitaleSearch:
        """Return the search of one of them: by his own number, else by the insured person's, birth date and rank."""
        insured = InsMatricule(self.insured, self.insured_key)
        own = InsMatricule(who.certified, who.certified_key) if who.certified else None
        alone = who is self.people[0]
        return VitaleSearch(
            own or (insured if alone else None),
            None if alone and own is None else insured,
            "",
            who.birth_date,
            who.rank,
        )


def vitale_reading(groups: Sequence[Group], at: datetime) -> VitaleReading:
    """Return what a zone of LireDroitsVitale says of the people on a card. Raise ValueError for another zone."""
    if not groups or groups[0].id != _INSURED:
        raise ValueError("this is no zone of a Vitale")
    head = named(groups[0])
    people = [named(group) for group in groups if group.id == _PERSON]
    return VitaleReading(
        head["serial-number"],
        head["nir"],
        head["nir-key"],
        tuple(
            VitalePerson(
                one["usual-name"],
                one["birth-name"],
                one["first-name"],
                one["birth-date"][:8],
                one["birth-rank"].strip() or "1",
                one["certified-nir"],
                one["certified-nir-key"],
            )
            for one in people
        ),
        at,
    )
