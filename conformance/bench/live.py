"""A bench for software that is not ours: a device with cards in it, in process or behind a private pcscd."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bifente.conformance.bench.cards import SeatedCard, Workshop
from bifente.conformance.bench.profiles import load_profile
from bifente.conformance.features import CONTACTLESS
from bifente.conformance.loading import InputError, nearest
from bifente.conformance.model import CardChoice
from bifente.ground.clock import WallClock
from bifente.simulator.cards.host import NotOnThisCardError
from bifente.simulator.iso7816.memory import MemoryStore, PersistentMemory, VolatileMemory
from bifente.simulator.pcsc import Observer, PrivatePcscd
from bifente.simulator.readers import Reader, Slot

_SEEN_WITHIN = 3.0
"""Seconds a client may take to see a card: pcscd polls every 0.4 s."""


@dataclass(frozen=True, slots=True)
class Device:
    """A reader in process, its slots and its cards by slot role."""

    reader: Reader
    slots: Mapping[str, Slot]
    cards: Mapping[str, SeatedCard]
    memories: tuple[PersistentMemory, ...] = ()

    @classmethod
    def assemble(
        cls,
        profile: str,
        cards: Mapping[str, CardChoice],
        workshop: Workshop,
        *,
        remember: Path | None = None,
        seed: int | None = None,
    ) -> Device:
        """The device of a profile, its cards inserted.

        ``remember`` is a folder where each card's counters and contents outlive this device; ``seed`` makes the cards'
        random bytes repeatable. Raises InputError for a bad profile, slot or template, CardMemoryError for a memory
        that another bench holds or that is another card's.
        """
        model, _document = load_profile(profile)
        roles = [slot.role for slot in model.slots]
        for role in cards:
            if role not in roles:
                raise InputError.at(profile, f"the reader has no slot {role!r}", cure=nearest(role, roles))
        clock = WallClock()
        chance = random.Random(seed) if seed is not None else random.SystemRandom()  # noqa: S311
        contactless = {slot.role: CONTACTLESS in slot.capabilities for slot in model.slots}
        seated, memories = {}, []
        for role, choice in cards.items():
            now, by_air = clock.now(), contactless[role]
            try:
                serial = workshop.personalised(choice, now.date(), contactless=by_air).serial
            except NotOnThisCardError as error:
                raise InputError.at(profile, str(error)) from None
            memory: MemoryStore = VolatileMemory()
            if remember is not None:
                memories.append(memory := PersistentMemory(remember / f"{serial}.json"))
            seated[role] = workshop.make(choice, chance, at=now, contactless=by_air, memory=memory)
        reader = model.reader(clock)
        device = cls(reader, dict(zip(roles, reader.slots, strict=True)), seated, tuple(memories))
        for role in seated:
            device.insert(role)
        return device

    def insert(self, role: str) -> None:
        """Put the card of a slot in. Raises SlotError if it is there, KeyError for a slot that was given no card."""
        self.slots[role].insert(self.cards[role].card)

    def remove(self, role: str) -> None:
        """Take the card of a slot out. Raises SlotError if there is none."""
        self.slots[role].remove()

    def close(self) -> None:
        """Give the cards' memories back."""
        for memory in self.memories:
            memory.close()


class LiveBench:
    """A device behind a private pcscd. A context manager; ``close`` leaves no process behind. Raises PcscdError."""

    def __init__(self, device: Device, *, run_dir: Path | None = None, observer: Observer | None = None) -> None:
        self.device = device
        self.pcscd = PrivatePcscd.start([device.reader], run_dir=run_dir, observer=observer)

    def __enter__(self) -> LiveBench:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop pcscd, then give the cards' memories back."""
        self.pcscd.close()
        self.device.close()

    def wait_seen(self) -> bool:
        """Wait until pcscd has seen every inserted card; False if it has not within three seconds."""
        return all(bridge.wait_seen(_SEEN_WITHIN) for bridge in self.pcscd.bridges if bridge.slot.card is not None)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a client's environment needs to reach these readers and no others."""
        return self.pcscd.environment

    def name(self, role: str) -> str:
        """The PC/SC name of a slot."""
        return self.pcscd.name_of(self.device.slots[role])

    def describe(self) -> list[str]:
        """One line a slot: role, PC/SC name, what is inside."""
        cards = self.device.cards
        return [
            f"{role:8} {self.name(role)}  [{cards[role].facts['template'] if slot.card else 'empty'}]"
            for role, slot in self.device.slots.items()
        ]
