"""A bench whose readers and cards are all ours: reached in process, or through a private PC/SC service."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from bifente.conformance.bench.attachment import Attachment
from bifente.conformance.bench.base import Bench
from bifente.conformance.bench.cards import SeatedCard, Workshop
from bifente.conformance.bench.facets import (
    Apdu,
    Destructive,
    Insertion,
    Inspection,
    OtherApplications,
    Personalisation,
    VirtualReaders,
)
from bifente.conformance.bench.profiles import ReaderProfile
from bifente.conformance.domain import domains, referred
from bifente.conformance.features import CONTACTLESS
from bifente.conformance.model import CardChoice
from bifente.conformance.targets.base import Connection, GuardRefusalError, PcscCode, ScardError, Target
from bifente.conformance.targets.embedded import EmbeddedTarget
from bifente.conformance.targets.facets import Facets, PrivateClock
from bifente.ground.clock import Clock, LiveClock, VirtualClock
from bifente.ground.text import Text
from bifente.simulator.iso7816.memory import MemoryStore
from bifente.simulator.readers import Reader, ReaderAccess, Share, Slot

_SEEN_WITHIN = 3.0
"""Seconds a movement may take to be seen: pcscd polls every 0.4 s."""

_BLIND = frozenset({PcscCode.UNKNOWN_READER, PcscCode.NO_SERVICE})


class _OwnReaders:
    """The readers of one bench alone: those of other profiles stand beside it on the same pcscd, their cards in."""

    def __init__(self, bench: VirtualBench) -> None:
        self._bench = bench

    def readers(self) -> tuple[str, ...]:
        """The bench's own, in the order of the service. Raises ScardError."""
        own = set(self._bench.names.values())
        return tuple(name for name in self._bench.target.readers() if name in own)

    def connect(self, reader: str) -> Connection:
        """Open a shared dialogue. Raises ScardError."""
        return self._bench.target.connect(reader)

    def wait(self, reader: str, *, present: bool, timeout: float) -> bool:
        """Wait for a card to be there, or not."""
        return self._bench.target.wait(reader, present=present, timeout=timeout)


def _brought(bench: VirtualBench) -> Iterator[Attachment]:
    """What the domains attach to a bench."""
    for domain in domains():
        for reference in domain.attachments:
            attachment = referred(domain, reference)(bench)
            if attachment is not None:
                yield attachment


class _Clock(PrivateClock):
    """The clock of a bench, which lets what is attached to it notice that time has passed."""

    def __init__(self, bench: VirtualBench, clock: VirtualClock | LiveClock) -> None:
        self._bench = bench
        self._clock = clock

    def advance(self, seconds: float) -> None:
        self._clock.advance(seconds)
        for attachment in self._bench.attachments:
            attachment.time_passed()


class VirtualBench(Bench, Apdu, OtherApplications, Insertion, Inspection, Destructive, Personalisation, VirtualReaders):
    """The reader of one profile and the cards in it; each scenario gets fresh cards.

    ``slots`` are those of the device by role.
    ``name_of`` gives the name under which the target knows a slot; ``faults`` what went wrong on the bench's own side;
    ``restore`` undoes what a scenario did to the readers themselves, ``artefacts`` is what stands before them.
    What domains attach to benches is left out unless ``attached``: a live bench keeps its device as it is.
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
        restore: Callable[[], None] | None = None,
        artefacts: frozenset[str] = frozenset(),
        *,
        attached: bool = True,
    ) -> None:
        super().__init__(profile, workshop, clock)
        self._device = reader
        self._target = target
        self._faults = faults
        self.slots = {model.role: slot for model, slot in zip(profile.slots, reader.slots, strict=True)}
        self._name_of = name_of
        self._restore = restore
        self.artefacts = artefacts
        kinds = (Apdu, OtherApplications, Insertion, Inspection, Destructive, Personalisation, VirtualReaders)
        self._own = Facets(dict.fromkeys(kinds, self))
        if isinstance(clock, VirtualClock | LiveClock):
            self._own[PrivateClock] = _Clock(self, clock)
        self.attachments = list(_brought(self)) if attached else []

    def reached_by(self, target: Target, name_of: Callable[[Slot], str]) -> None:
        """Reach the readers otherwise from now on: a service has come to stand before them."""
        self._target = target
        self._name_of = name_of

    @property
    def device(self) -> Reader:
        """The device, or several that stand together."""
        return self._device

    @property
    def target(self) -> Target:
        """The way to the readers, share modes included."""
        return self._target

    @property
    def names(self) -> Mapping[str, str]:
        """The PC/SC name of each slot by its role: it changes when the reader comes back under another."""
        return {role: self._name_of(slot) for role, slot in self.slots.items()}

    @property
    def own_facets(self) -> Facets:
        """All that is done with virtual cards and readers, and what the target can do."""
        found = Facets(self._target.facets)
        found.update(self._own)
        return found

    @property
    def access(self) -> ReaderAccess:
        """The target, narrowed to this bench: what a scenario does, a software of the workstation could."""
        return _OwnReaders(self)

    def open(self, role: str, share: Share, reader: str | None = None) -> Connection:
        """A dialogue in a share mode."""
        return self._target.open(reader or self.names[role], share)

    def look(self, role: str) -> int:
        """What SCardGetStatusChange tells of a slot."""
        return self._target.look(self.names[role])

    def state(self, role: str) -> Mapping[str, Any] | None:
        """The inner state of the card in a slot."""
        card = self.seated.get(role)
        return card.state() if card is not None else None

    def faults(self) -> Sequence[str]:
        """What went wrong on the bench's own side."""
        return self._faults()

    def slot(self, role: str) -> Slot:
        """A slot by its role. Raises KeyError."""
        return self.slots[role]

    def picture(self) -> Mapping[str, str]:
        """What answers in each slot, and how what is attached stands."""
        # Asked first: looking at a wireless device lets it notice that its time is over, and its slots with it.
        attached = super().picture()
        return {**{f"slot:{role}": self._inside(role) for role in self.slots}, **attached}

    def _inside(self, role: str) -> str:
        slot = self.slots[role]
        if slot.card is None:
            return ""
        seated = next((one for one in self.seated.values() if one.smart is slot.card), None)
        return ("" if slot.reachable else "!") + (str(seated.facts["template"]) if seated is not None else "?")

    def seat_cards(
        self,
        choices: Mapping[str, CardChoice],
        chance: random.Random,
        *,
        destructive: bool,
        day: date | None,
        memories: Mapping[str, MemoryStore],
    ) -> None:
        """Put a fresh card in each chosen slot and empty the others; ``destructive`` matters to real cards only."""
        del destructive
        for role in choices:
            if role not in self.slots:
                name = self.profile.profile
                raise GuardRefusalError(
                    Text(f"le lecteur {name} n'a pas de fente {role}", f"the reader {name} has no slot {role}")
                )
        # Time advanced by one scenario must not age the cards of the next.
        if isinstance(self.clock, VirtualClock):
            self.clock.restart(None if day is None else datetime(day.year, day.month, day.day, 9, tzinfo=UTC))
        if self._restore is not None:
            self._restore()
        for attachment in self.attachments:
            attachment.begin(chance)
        interfaces = {model.role: CONTACTLESS in model.capabilities for model in self.profile.slots}
        self.seated = {
            role: self.workshop.make(
                choice, chance, at=self.now(), contactless=interfaces[role], memory=memories.get(role)
            )
            for role, choice in choices.items()
        }
        for role, slot in self.slots.items():
            if role not in self.seated:
                if slot.card is not None:
                    self._move(role, present=False)
            elif slot.card is not None:
                # Faster than a removal and an insertion, which pcscd would take up to 0.8 s to see.
                known = slot.card.atr
                slot.replace(self.seated[role].card)
                if known != self.seated[role].card.atr:
                    self._power_anew(role)
            else:
                self._move(role, present=True)

    def follow(self) -> None:
        """Wait until the target has seen which cards a wireless device now gives, or no longer gives."""
        for role, slot in self.slots.items():
            if slot.card is not None:
                self._target.wait(self.names[role], present=slot.reachable, timeout=_SEEN_WITHIN)

    def _power_anew(self, role: str) -> None:
        """Have a real service learn the ATR of a card that came without movement: software tells cards by it."""
        if isinstance(self._target, EmbeddedTarget) or not self.slots[role].reachable:
            return
        connection = self.connect(role)
        connection.disconnect()

    def put(self, role: str, choice: CardChoice, chance: random.Random) -> SeatedCard | None:
        """Take the card of a slot out, if one is in, and put in one made for the purpose; gives the one it had.

        Raises InputError for a template or a parameter that cannot be.
        """
        contactless = next(CONTACTLESS in model.capabilities for model in self.profile.slots if model.role == role)
        before = self.seated.get(role)
        made = self.workshop.make(choice, chance, at=self.now(), contactless=contactless)
        if self.slots[role].card is not None:
            self.remove(role)
        self.seated[role] = made
        self.insert(role)
        return before

    def put_back(self, role: str, card: SeatedCard) -> None:
        """Put a card in again that ``put`` took out."""
        if self.slots[role].card is not None:
            self.remove(role)
        self.seated[role] = card
        self.insert(role)

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

    def swap(self, one: str, other: str) -> Text:
        """Take two cards out and put each where the other was: a role is a slot, its card the one now in it.

        Raises SlotError if one of the slots is empty.
        """
        first, second = self.card_in(one), self.card_in(other)
        self._move(one, present=False)
        self._move(other, present=False)
        self.seated[one], self.seated[other] = second, first
        self._move(one, present=True)
        self._move(other, present=True)
        return Text(f"cartes des fentes {one} et {other} permutées", f"cards of slots {one} and {other} swapped")

    def close(self) -> None:
        """Empty the slots."""
        super().close()
        for slot in self.slots.values():
            if slot.card is not None:
                slot.remove()

    def _move(self, role: str, *, present: bool) -> None:
        if role not in self.slots:
            self.card_in(role)
        slot = self.slots[role]
        if present:
            slot.insert(self.card_in(role).card)
        else:
            slot.remove()
        self._seen(role, present=present)

    def _seen(self, role: str, *, present: bool) -> None:
        if not self.slots[role].reachable:
            return
        try:
            seen = self._target.wait(self.names[role], present=present, timeout=_SEEN_WITHIN)
        except ScardError as error:
            if error.code not in _BLIND:
                raise
            return  # the reader is unplugged or the service stopped: nobody is there to see the movement
        if not seen:
            raise ScardError(PcscCode.TIMEOUT, f"the movement of the card in slot {role} was not seen")
