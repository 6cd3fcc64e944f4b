"""Who is in the directory, and how an entry is made from a card (SEED-PKI-04, SEED-PKI-05)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509

from bifente.simulator.cards.cpx.personalise import PersonalisedCard

ROLES = ("signature", "authentication")
"""The certificates that the directory shows."""


SINCE = datetime(2026, 1, 1, tzinfo=UTC)
"""Since when an entry says what it says, unless it was changed: a free choice."""


@dataclass(frozen=True, slots=True)
class PracticePlace:
    """Where somebody works: one exercise situation."""

    number: int
    structure: str
    structure_id: str
    sector: str
    mode: str


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """One person. ``rpps`` has 11 digits; ``adeli`` 9, for professions that had it, empty for others."""

    rpps: str
    family: str
    given: tuple[str, ...]
    profession: str = ""
    profession_title: str = ""
    speciality: str = ""
    adeli: str = ""
    card_type: str = ""
    card_number: str = ""
    mailbox: str = ""
    department: str = "75"
    active: bool = True
    changed: datetime = SINCE
    places: tuple[PracticePlace, ...] = ()
    certificates: Mapping[str, x509.Certificate] = field(default_factory=dict, hash=False, compare=False)

    @property
    def identifier(self) -> str:
        """The id of its Practitioner."""
        return f"003-{self.rpps}"

    @property
    def national_id(self) -> str:
        """8 and the RPPS, or 0 and the ADELI number of somebody who has no RPPS."""
        return f"8{self.rpps}" if self.rpps else f"0{self.adeli}"


def entry_of(made: PersonalisedCard) -> DirectoryEntry:
    """Return the entry of a card's holder; the mailbox is made of the name, in a domain that leads nowhere."""
    template = made.template
    holder = template.holder
    given = tuple(holder.given_names or ())
    profession = holder.profession
    name = ".".join((given[0] if given else "sans-prenom", holder.family_name or "sans-nom")).lower().replace(" ", "-")
    return DirectoryEntry(
        rpps=holder.rpps or "",
        family=holder.family_name or "",
        given=given,
        profession=str(profession.code) if profession is not None else "",
        profession_title=profession.title if profession is not None else "",
        speciality=holder.speciality or "",
        card_type=str(template.card.type),
        card_number=template.card.number,
        mailbox=f"{name}@mssante.test",
        places=tuple(
            PracticePlace(
                number,
                item.structure or "",
                (item.structure_id or "")[1:],
                item.sector or "",
                "L" if item.mode == 0 else "S",
            )
            for number, item in made.activities.items()
        ),
        certificates={role: made.certificates[role] for role in ROLES},
    )


class Register:
    """The entries, by RPPS number in their order of arrival."""

    def __init__(self, entries: Iterable[DirectoryEntry] = ()) -> None:
        self._entries: dict[str, DirectoryEntry] = {}
        for entry in entries:
            self.put(entry)

    def put(self, entry: DirectoryEntry) -> None:
        """Take an entry in, in the place of one of the same number."""
        self._entries[entry.identifier] = entry

    def remove(self, rpps: str) -> bool:
        """Let somebody be unknown. Return whether somebody was known."""
        return self._entries.pop(f"003-{rpps}", None) is not None

    def close(self, rpps: str, at: datetime) -> bool:
        """Let an entry be inactive from then on. Return whether there is one."""
        found = self._entries.get(f"003-{rpps}")
        if found is not None:
            self._entries[found.identifier] = replace(found, active=False, changed=at)
        return found is not None

    def get(self, identifier: str) -> DirectoryEntry | None:
        """Return an entry by the id of its Practitioner."""
        return self._entries.get(identifier)

    def __iter__(self) -> Iterator[DirectoryEntry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)


def crowd(count: int) -> Iterator[DirectoryEntry]:
    """Return persons that have no card: a directory is full of them. Their numbers begin with 9988."""
    return map(_person, range(count))


@lru_cache(maxsize=256)
def _person(rank: int) -> DirectoryEntry:
    return DirectoryEntry(
        rpps=f"9988{rank:07d}",
        family=f"TESTFOULE{rank:04d}",
        given=("SPECIMEN",),
        profession="60",
        profession_title="Infirmier",
        adeli=f"99{rank:07d}",
        department=f"{1 + rank % 95:02d}",
        places=(PracticePlace(1, f"CABINET TEST {rank:04d}", f"99880{rank:04d}", "SA07", "L"),),
    )
