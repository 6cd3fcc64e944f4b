"""A bench whose readers and cards are all ours: reached in process, or through a private PC/SC service."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from conformance.bench.cards import SeatedCard, Workshop
from conformance.bench.profiles import ReaderProfile
from conformance.model import CardChoice
from conformance.targets.base import Capability, Connection, GuardRefusalError, PcscCode, ScardError, Target
from reports.text import Text
from simulator.clock import Clock, VirtualClock
from simulator.readers import Reader, ReaderAccess, Slot

_SEEN_WITHIN = 3.0
"""Seconds a movement may take to be seen: pcscd polls every 0.4 s."""


class VirtualBench:
    """The reader of one profile and the cards in it; each scenario gets fresh cards.

    ``name_of`` gives the name under which the target knows a slot; ``faults`` what went wrong on the bench's own side.
    """

    def __init__(
        self,
        profile: ReaderProfile,
        reader: Reader,
        target: Target,
        workshop: Workshop,
        name_of: Callable[[Slot], str],
        clock: Clock,
        faults: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self.profile = profile
        self.seated: dict[str, SeatedCard] = {}
        self.device = reader
        self.clock = clock
        self._target = target
        self.faults = faults
        self._workshop = workshop
        self._slots = {model.role: slot for model, slot in zip(profile.slots, reader.slots, strict=True)}
        self.names = {role: name_of(slot) for role, slot in self._slots.items()}

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the target can do."""
        return self._target.capabilities

    @property
    def access(self) -> ReaderAccess:
        """The target itself: what a scenario does, a software of the workstation could."""
        return self._target

    def slot(self, role: str) -> Slot:
        """A slot by its role. Raises KeyError."""
        return self._slots[role]

    def picture(self) -> Mapping[str, str]:
        """What answers in each slot."""
        return {
            f"slot:{role}": self._inside(role) if slot.answering is not None else ""
            for role, slot in self._slots.items()
        }

    def _inside(self, role: str) -> str:
        card = self._slots[role].card
        seated = next((one for one in self.seated.values() if one.smart is card), None)
        return str(seated.facts["template"]) if seated is not None else "?"

    def seat(self, choices: Mapping[str, CardChoice], chance: random.Random, *, destructive: bool) -> None:
        """Put a fresh card in each chosen slot and empty the others; ``destructive`` matters to real cards only."""
        del destructive
        for role in choices:
            if role not in self._slots:
                name = self.profile.profile
                raise GuardRefusalError(
                    Text(f"le lecteur {name} n'a pas de fente {role}", f"the reader {name} has no slot {role}")
                )
        # Time advanced by one scenario must not age the cards of the next.
        if isinstance(self.clock, VirtualClock):
            self.clock.restart()
        interfaces = {model.role: Capability.CONTACTLESS in model.capabilities for model in self.profile.slots}
        self.seated = {
            role: self._workshop.make(choice, chance, at=self.now(), contactless=interfaces[role])
            for role, choice in choices.items()
        }
        for role, slot in self._slots.items():
            if role not in self.seated:
                if slot.card is not None:
                    self._move(role, present=False)
            elif slot.card is not None:
                # Faster than a removal and an insertion, which pcscd would take up to 0.8 s to see.
                slot.replace(self.seated[role].card)
            else:
                self._move(role, present=True)

    def connect(self, role: str) -> Connection:
        """A dialogue with the card just powered: what an earlier scenario did to the slot is gone."""
        connection = self._target.connect(self.names[role])
        connection.reset(cold=True)
        return connection

    def join(self, role: str) -> Connection:
        """A further dialogue with the same card, as another application opens one."""
        return self._target.connect(self.names[role])

    def insert(self, role: str) -> Text:
        """Put the slot's card back. Raises SlotError if it is there."""
        self._move(role, present=True)
        return Text(f"carte insérée dans la fente {role}", f"card inserted in slot {role}")

    def remove(self, role: str) -> Text:
        """Take the slot's card out. Raises SlotError if there is none."""
        self._move(role, present=False)
        return Text(f"carte retirée de la fente {role}", f"card removed from slot {role}")

    def advance(self, seconds: int) -> None:
        """Let time pass; steps that ask for it need a target with the clock capability."""
        if not isinstance(self.clock, VirtualClock):
            raise TypeError("the time of this bench is the machine's: it cannot be advanced")
        self.clock.advance(seconds)

    def now(self) -> datetime:
        """The bench clock's time."""
        return self.clock.now()

    def close(self) -> None:
        """Empty the slots."""
        for slot in self._slots.values():
            if slot.card is not None:
                slot.remove()

    def _move(self, role: str, *, present: bool) -> None:
        slot = self._slots[role]
        if present:
            slot.insert(self.seated[role].card)
        else:
            slot.remove()
        if not self._target.wait(self.names[role], present=present, timeout=_SEEN_WITHIN):
            raise ScardError(PcscCode.TIMEOUT, f"the movement of the card in slot {role} was not seen")
