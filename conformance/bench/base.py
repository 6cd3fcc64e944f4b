"""What a scenario needs of a bench, whether its cards are ours or real."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from bifente.conformance.bench.cards import SeatedCard, Workshop
from bifente.conformance.bench.profiles import ReaderProfile
from bifente.conformance.model import CardChoice
from bifente.conformance.targets.base import Capability, Connection
from bifente.ground.clock import Clock
from bifente.ground.text import Text
from bifente.simulator.readers import Reader, ReaderAccess, Slot


class Bench(Protocol):
    """A reader, its cards and a way to reach them; serves many scenarios one after the other."""

    @property
    def profile(self) -> ReaderProfile:
        """The reader's."""
        ...

    @property
    def seated(self) -> dict[str, SeatedCard]:
        """The cards of the scenario, by slot role."""
        ...

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What can be done with it."""
        ...

    @property
    def workshop(self) -> Workshop:
        """Where its cards come from, with the keys and authorities of the laboratory."""
        ...

    @property
    def clock(self) -> Clock:
        """The time of the bench."""
        ...

    @property
    def access(self) -> ReaderAccess:
        """The readers as any software of the workstation reaches them."""
        ...

    @property
    def names(self) -> Mapping[str, str]:
        """The PC/SC name of each slot by its role, in the order of the device."""
        ...

    @property
    def device(self) -> Reader | None:
        """The virtual device itself; None for a real one."""
        ...

    @property
    def artefacts(self) -> bool:
        """Whether its readers are virtual ones behind vpcd, which shows some faults otherwise than a real reader."""
        ...

    def slot(self, role: str) -> Slot:
        """A slot of the virtual device. Raises LookupError for an unknown role, and for a real device."""
        ...

    def picture(self) -> Mapping[str, str]:
        """How the device stands, as ``bifente.reports.events.BenchChange`` tells it; empty for a real one."""
        ...

    def seat(
        self,
        choices: Mapping[str, CardChoice],
        chance: random.Random,
        *,
        destructive: bool,
        day: date | None = None,
    ) -> None:
        """Put the cards of a scenario in their slots. Raises ScardError, GuardRefusalError.

        ``day`` is the one on which a virtual clock begins, today unless it is given.
        """
        ...

    def connect(self, role: str) -> Connection:
        """A dialogue with the freshly powered card of a slot. Raises ScardError."""
        ...

    def join(self, role: str) -> Connection:
        """A further dialogue with the same card, nothing reset. Raises ScardError."""
        ...

    def insert(self, role: str) -> Text:
        """Put the card of a slot back, and say so."""
        ...

    def remove(self, role: str) -> Text:
        """Take the card of a slot out, and say so."""
        ...

    def advance(self, seconds: int) -> None:
        """Let time pass."""
        ...

    def now(self) -> datetime:
        """The bench's time, in UTC."""
        ...

    def faults(self) -> Sequence[str]:
        """What went wrong on the bench's own side so far: it must never count against the product."""
        ...

    def close(self) -> None:
        """Leave nothing behind."""
        ...
