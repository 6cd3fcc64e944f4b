"""A bench for software that is not ours: its cards seated once, in process or behind a PC/SC service, until the end."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bifente.conformance.bench.cards import SeatedCard, Workshop
from bifente.conformance.bench.choosing import load_readers
from bifente.conformance.bench.virtual import VirtualBench
from bifente.conformance.features import CONTACTLESS
from bifente.conformance.loading import InputError, nearest
from bifente.conformance.model import CardChoice
from bifente.conformance.targets.embedded import EmbeddedTarget
from bifente.ground.clock import WallClock
from bifente.ground.text import Text
from bifente.simulator.cards.host import NotOnThisCardError
from bifente.simulator.iso7816.memory import PersistentMemory
from bifente.simulator.pcsc.bridge import Observer
from bifente.simulator.pcsc.far import FarVpcd, VpcdAddress
from bifente.simulator.pcsc.services import RunningService, ServiceKind, start_service
from bifente.simulator.readers import Reader, Slot

_SEEN_WITHIN = 3.0
"""Seconds a client may take to see a card: pcscd polls every 0.4 s."""


@dataclass(frozen=True, slots=True)
class Device:
    """The readers of a bench in process, their slots and cards by slot role, the cards inserted."""

    bench: VirtualBench
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
        """Return the readers of a profile, or several with one each, with these cards in them.

        ``remember`` is a folder where each card's counters and contents outlive this device; ``seed`` makes the cards'
        random bytes repeatable. Raise InputError for a bad profile, slot or template, CardMemoryError for a memory
        that another bench holds or that is another card's.
        """
        model, _documents = load_readers(profile)
        roles = [slot.role for slot in model.slots]
        for role in cards:
            if role not in roles:
                raise InputError.at(profile, f"the reader has no slot {role!r}", cure=nearest(role, roles))
        clock = WallClock()
        chance = random.Random(seed) if seed is not None else random.SystemRandom()  # noqa: S311
        reader = model.reader(clock)
        target = EmbeddedTarget([reader], clock)
        bench = VirtualBench(model, reader, target, workshop, target.service.name_of, clock, attached=False)
        memories: dict[str, PersistentMemory] = {}
        by_air = {slot.role: CONTACTLESS in slot.capabilities for slot in model.slots}
        for role, choice in cards.items():
            serial = _serial(workshop, profile, choice, clock.now().date(), by_air[role])
            if remember is not None:
                memories[role] = PersistentMemory(remember / f"{serial}.json")
        try:
            bench.seat(cards, chance, destructive=True, memories=memories)
        except BaseException:
            for memory in memories.values():
                memory.close()
            raise
        return cls(bench, tuple(memories.values()))

    @property
    def reader(self) -> Reader:
        """The device, or several that stand together."""
        return self.bench.device

    @property
    def slots(self) -> Mapping[str, Slot]:
        """The slots by role."""
        return self.bench.slots

    @property
    def cards(self) -> Mapping[str, SeatedCard]:
        """The cards by role, inserted or not."""
        return self.bench.seated

    def insert(self, role: str) -> Text:
        """Put the card of a slot in, and say so. Raise SlotError if it is there, ImpossibleStepError without a card."""
        return self.bench.insert(role)

    def remove(self, role: str) -> Text:
        """Take the card of a slot out, and say so. Raise SlotError if there is none."""
        return self.bench.remove(role)

    def close(self) -> None:
        """Give the cards' memories back."""
        for memory in self.memories:
            memory.close()


def _serial(workshop: Workshop, profile: str, choice: CardChoice, day: date, contactless: bool) -> str:
    try:
        return workshop.personalised(choice, day, contactless=contactless).serial
    except NotOnThisCardError as error:
        raise InputError.at(profile, str(error)) from None


class LiveBench:
    """A device behind a PC/SC service, or seated in a vpcd elsewhere (``far``), which has clients of its own.

    A context manager; ``close`` leaves no process behind. Raises PcscdError.
    """

    def __init__(
        self,
        device: Device,
        *,
        kind: ServiceKind = ServiceKind.OWN,
        run_dir: Path | None = None,
        observer: Observer | None = None,
        far: VpcdAddress | None = None,
    ) -> None:
        self.device = device
        self.service: RunningService = (
            FarVpcd(device.reader.devices, far, observer)
            if far is not None
            else start_service(kind, [device.reader], run_dir=run_dir, observer=observer)
        )

    def __enter__(self) -> LiveBench:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the service, then give the cards' memories back."""
        self.service.close()
        self.device.close()

    def wait_seen(self) -> bool:
        """Wait until clients see every inserted card; False if they do not within three seconds."""
        return all(bridge.wait_seen(_SEEN_WITHIN) for bridge in self.service.bridges if bridge.slot.card is not None)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a client's environment needs to reach these readers and no others."""
        return self.service.environment

    def name(self, role: str) -> str:
        """Return the PC/SC name of a slot."""
        return self.service.name_of(self.device.slots[role])

    def describe(self) -> list[str]:
        """Return one line a slot: role, PC/SC name, what is inside."""
        cards = self.device.cards
        return [
            f"{role:8} {self.name(role)}  [{cards[role].facts['template'] if slot.card else 'empty'}]"
            for role, slot in self.device.slots.items()
        ]
