"""What a scenario needs of a bench, whether its cards are ours or real."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from bifente.conformance.bench.attachment import Attachment
from bifente.conformance.bench.cards import SeatedCard, Workshop
from bifente.conformance.bench.profiles import ReaderProfile
from bifente.conformance.model import CardChoice
from bifente.conformance.targets.base import GuardRefusalError, ImpossibleStepError
from bifente.conformance.targets.facets import Facet, Facets
from bifente.ground.clock import Clock
from bifente.ground.text import Text
from bifente.simulator.iso7816.memory import MemoryStore
from bifente.simulator.readers import ReaderAccess

F = TypeVar("F", bound=Facet)

_FORGETFUL: Mapping[str, MemoryStore] = MappingProxyType({})


class Bench(ABC):
    """Readers, their cards and a way to reach them; serves many scenarios one after the other.

    ``profile`` is that of the readers, ``seated`` are the cards of the scenario by slot role, ``workshop`` is where
    cards come from, ``clock`` the time of the bench. What can be done with it are its facets.
    """

    artefacts: frozenset[str] = frozenset()
    """What stands before its virtual readers and shows some faults otherwise than a real reader: vpcd, pcsc-lite."""

    def __init__(self, profile: ReaderProfile, workshop: Workshop, clock: Clock) -> None:
        self.profile = profile
        self.workshop = workshop
        self.clock = clock
        self.evidence: Path | None = None
        """Where files of evidence go, if they are kept."""
        self.seated: dict[str, SeatedCard] = {}
        self.attachments: list[Attachment] = []

    @property
    @abstractmethod
    def own_facets(self) -> Facets:
        """What it can do by itself, without what is attached to it."""

    @property
    def facets(self) -> Facets:
        """What can be done with it, each object under its kind."""
        found = self.own_facets
        for attachment in self.attachments:
            for hidden in attachment.hides:
                found.pop(hidden, None)
            found.update(attachment.facets)
        return found

    def facet(self, kind: type[F]) -> F:
        """Return what does this kind of thing. Raise GuardRefusalError, which says why, if nothing does."""
        found = self.facets.find(kind)
        if found is None:
            raise GuardRefusalError(kind.lacking)
        return found

    @property
    @abstractmethod
    def access(self) -> ReaderAccess:
        """The readers as any software of the workstation reaches them."""

    @property
    @abstractmethod
    def names(self) -> Mapping[str, str]:
        """The PC/SC name of each slot by its role, in the order of the device."""

    def seat(
        self,
        choices: Mapping[str, CardChoice],
        chance: random.Random,
        *,
        destructive: bool,
        day: date | None = None,
        memories: Mapping[str, MemoryStore] = _FORGETFUL,
    ) -> None:
        """Put the cards of a scenario in their slots. Raise ScardError, GuardRefusalError.

        ``day`` is the one on which a private clock begins, today unless it is given. ``memories`` keep the counters and
        contents of cards that are to remember, by slot.
        """
        for attachment in self.attachments:
            attachment.rest()
        self.seat_cards(choices, chance, destructive=destructive, day=day, memories=memories)
        for attachment in self.attachments:
            attachment.seated(destructive=destructive)

    @abstractmethod
    def seat_cards(
        self,
        choices: Mapping[str, CardChoice],
        chance: random.Random,
        *,
        destructive: bool,
        day: date | None,
        memories: Mapping[str, MemoryStore],
    ) -> None:
        """As ``seat``, between what the attachments do before and after."""

    def settle(self) -> None:
        """Wait until applications see what became of what is attached to it."""
        for attachment in self.attachments:
            attachment.settle()

    def picture(self) -> Mapping[str, str]:
        """Return how the bench stands, as ``reports.events.BenchChange`` tells it."""
        return {key: value for attachment in self.attachments for key, value in attachment.picture().items()}

    def card_in(self, role: str) -> SeatedCard:
        """Return the card that the scenario has in a slot. Raise ImpossibleStepError if it has none there."""
        card = self.seated.get(role)
        if card is None:
            raise ImpossibleStepError(
                Text(
                    f"le scénario n'a pas de carte dans la fente {role or '?'}",
                    f"the scenario has no card in the slot {role or '?'}",
                )
            )
        return card

    def now(self) -> datetime:
        """Return the bench's time, in UTC."""
        return self.clock.now()

    def faults(self) -> Sequence[str]:
        """Return what went wrong on the bench's own side so far: it must never count against the product."""
        return ()

    def close(self) -> None:
        """Leave nothing behind."""
        for attachment in reversed(self.attachments):
            attachment.close()
