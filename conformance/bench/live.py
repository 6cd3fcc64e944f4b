"""A bench for software that is not ours: its cards seated once, in process or behind a PC/SC service, until the end."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from bifente.conformance.bench.cards import SeatedCard, Workshop
from bifente.conformance.bench.choosing import load_readers
from bifente.conformance.bench.scene import Scene
from bifente.conformance.bench.virtual import VirtualBench
from bifente.conformance.features import CONTACTLESS
from bifente.conformance.loading import InputError, nearest
from bifente.conformance.model import CardChoice
from bifente.conformance.targets.embedded import EmbeddedTarget
from bifente.conformance.targets.facets import Facets
from bifente.conformance.targets.messages import Messaged
from bifente.conformance.targets.own import OwnHand
from bifente.conformance.targets.pkcs11 import Called
from bifente.conformance.targets.wire import WireTarget
from bifente.ground.clock import LiveClock
from bifente.ground.text import Lang, Text
from bifente.simulator.cards.dialogue import Exchanged
from bifente.simulator.cards.host import NotOnThisCardError
from bifente.simulator.iso7816.memory import PersistentMemory
from bifente.simulator.pcsc.bridge import Observer
from bifente.simulator.pcsc.far import FarVpcd, VpcdAddress
from bifente.simulator.pcsc.own.service import OwnPcsc
from bifente.simulator.pcsc.services import RunningService, ServiceKind, start_service
from bifente.simulator.readers import Reader, ScardError, Slot

EMPTY = Text("vide", "empty")
"""What is said to be in a slot without a card."""
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
        attached: bool = False,
    ) -> Device:
        """Return the readers of a profile, or several with one each, with these cards in them.

        ``remember`` is a folder where each card's counters and contents outlive this device; ``seed`` makes the cards'
        random bytes repeatable; ``attached`` puts around the readers what domains bring, a wireless terminal for
        instance. Raise InputError for a bad profile, slot or template, CardMemoryError for a memory
        that another bench holds or that is another card's.
        """
        model, _documents = load_readers(profile)
        roles = [slot.role for slot in model.slots]
        for role in cards:
            if role not in roles:
                raise InputError.at(profile, f"the reader has no slot {role!r}", cure=nearest(role, roles))
        clock = LiveClock()
        chance = random.Random(seed) if seed is not None else random.SystemRandom()  # noqa: S311
        reader = model.reader(clock)
        target = EmbeddedTarget([reader], clock)
        bench = VirtualBench(model, reader, target, workshop, target.service.name_of, clock, attached=attached)
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


class Hearing(Protocol):
    """Who hears what the bench itself does and what passes at its services."""

    def told(self, role: str, what: Exchanged | Called | Messaged) -> None:
        """An exchange, a call or a message."""
        ...

    def changed(self, role: str | None, what: Text) -> None:
        """A change of the bench."""
        ...

    def declare(self, secret: str | bytes) -> None:
        """A secret is born."""
        ...


class LiveBench:
    """A device behind a PC/SC service, or seated in a vpcd elsewhere (``far``), whose clients are others.

    A context manager; ``close`` leaves no process behind. Raises PcscdError.
    ``scene`` is where orders are carried out as steps of a scenario are: hands, faults and clocks are the same. What it
    does is heard by ``hearing``, once there is one.
    """

    def __init__(
        self,
        device: Device,
        *,
        kind: ServiceKind = ServiceKind.OWN,
        run_dir: Path | None = None,
        observer: Observer | None = None,
        far: VpcdAddress | None = None,
        commands: bool = True,
    ) -> None:
        self.device = device
        self.hearing: Hearing | None = None
        self.service: RunningService = (
            FarVpcd(device.reader.devices, far, observer)
            if far is not None
            else start_service(kind, [device.reader], run_dir=run_dir, observer=observer, commands=commands)
        )
        own = isinstance(self.service, OwnPcsc)
        facets = OwnHand(self.service, device.reader).facets if isinstance(self.service, OwnPcsc) else Facets()
        self.target: WireTarget | None = None
        if not isinstance(self.service, FarVpcd):  # nobody here is a client of the far side
            self.target = WireTarget(Path(self.service.environment["PCSCLITE_CSOCK_NAME"]), facets)
            device.bench.reached_by(self.target, self.service.name_of)
        if not own:
            device.bench.artefacts = frozenset({"pcsc-lite", "vpcd"})
        self.scene = Scene(
            device.bench,
            random.Random(),  # noqa: S311 - a draw of a test bench
            told=lambda role, what: self.hearing.told(role, what) if self.hearing is not None else None,
            changed=lambda role, what: self.hearing.changed(role, what) if self.hearing is not None else None,
            declare=lambda secret: self.hearing.declare(secret) if self.hearing is not None else None,
            live=True,
        )

    def __enter__(self) -> LiveBench:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the faults away, stop the service, then give the cards' memories back."""
        if self.service.alive:
            self.scene.close()
        self.service.close()
        self.device.close()

    def wait_seen(self) -> bool:
        """Wait until a client sees every inserted card and its ATR; False if it does not within three seconds."""
        target = self.target
        if target is None:
            seated = [bridge for bridge in self.service.bridges if bridge.slot.answering is not None]
            return all(bridge.wait_seen(_SEEN_WITHIN) for bridge in seated)
        try:
            return all(
                target.wait(self.name(role), present=True, timeout=_SEEN_WITHIN)
                for role, slot in self.device.slots.items()
                if slot.answering is not None
            )
        except ScardError:
            return False

    @property
    def environment(self) -> Mapping[str, str]:
        """What a client's environment needs to reach these readers and no others."""
        return self.service.environment

    def name(self, role: str) -> str:
        """Return the PC/SC name of a slot."""
        return self.service.name_of(self.device.slots[role])

    def describe(self, lang: Lang = "fr") -> list[str]:
        """Return one line a slot: role, PC/SC name, what is inside."""
        cards, empty = self.device.cards, EMPTY.get(lang)
        return [
            f"{role:8} {self.name(role)}  [{cards[role].facts['template'] if slot.card else empty}]"
            for role, slot in self.device.slots.items()
        ]
