"""What happens to the readers themselves, and what a PC/SC client sees of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import ClassVar

from pydantic import Field

from bifente.conformance.bench.facets import Apdu, Insertion, VirtualReaders
from bifente.conformance.bench.scene import Act, Scene
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.model import Identifier
from bifente.conformance.scenario.step import CardStep, ImpossibleStepError, Observation, Observes, Seconds, Step
from bifente.conformance.targets.base import PcscCode, ScardError
from bifente.conformance.targets.facets import Facet, HotPlug, ServiceControl
from bifente.ground.french import in_both
from bifente.ground.text import Text
from bifente.simulator.middleware.recognition import CardKind, kind_of
from bifente.simulator.readers import State
from bifente.simulator.readers.sharing import COUNTER

_SERIAL = re.compile(r"\d{6,}")
_PCSC_LITE = re.compile(r"(?P<stem>.*) [0-9A-F]{2} (?P<slot>[0-9A-F]{2})")
_NUMBER = re.compile(r" ?\d+$")


class ListReaders(CardStep):
    """What a PC/SC client lists: the names of this bench's slots, in the order of the service."""

    name: ClassVar[str] = "list-readers"
    of_a_card = False
    title: ClassVar[Text] = Text("Lister les lecteurs", "List the readers")
    needs = frozenset[type[Facet]]({Apdu, VirtualReaders})
    observes: ClassVar[Observes] = {key: ValueMatcher() for key in ("count", "names", "first", "bear-the-device-name")}

    def run(self, act: Act) -> Observation:
        """List them. Without any, the error a client gets."""
        ours, device = set(act.bench.names.values()), act.facet(VirtualReaders).device
        names = [name for name in act.bench.access.readers() if name in ours]
        if not names:
            raise ScardError(PcscCode.NO_READERS_AVAILABLE)
        stems = (*(part.name for part in device.parts), act.bench.profile.device)
        return Observation(
            {
                "count": len(names),
                "names": ", ".join(names),
                "first": names[0],
                "bear-the-device-name": all(name.startswith(stems) for name in names),
            },
            decoded=tuple((f"{number}", name) for number, name in enumerate(names)),
        )


class IdentifyCards(CardStep):
    """Which slot holds which card, by their ATRs alone: what software does that assumes no order of the slots."""

    name: ClassVar[str] = "identify-cards"
    of_a_card = False
    title: ClassVar[Text] = Text("Reconnaître les cartes", "Tell the cards apart")
    needs = frozenset[type[Facet]]({Apdu, VirtualReaders})
    observes: ClassVar[Observes] = {
        **{key: ValueMatcher() for key in ("cps", "vitale", "other", "mute", "held", "empty", "unreachable")},
        "several-of-a-type": ValueMatcher(),
    }

    def run(self, act: Act) -> Observation:
        """Look at every slot; each observation lists the roles of slots, in the device's order."""
        found: dict[str, list[str]] = {key: [] for key in self.observes if key != "several-of-a-type"}
        for role, name in act.bench.names.items():
            found[self._kind(act, name)].append(role)
        several = len(found["cps"]) > 1 or len(found["vitale"]) > 1
        return Observation({**{key: ", ".join(roles) for key, roles in found.items()}, "several-of-a-type": several})

    @staticmethod
    def _kind(act: Act, name: str) -> str:
        try:
            connection = act.bench.access.connect(name)
        except ScardError as error:
            return _SEEN_AS.get(error.code, "mute")
        try:
            kind = kind_of(connection.atr)
        finally:
            connection.disconnect()
        return {CardKind.CPS: "cps", CardKind.VITALE_1: "vitale", CardKind.VITALE_2: "vitale"}.get(kind, "other")


_SEEN_AS: Mapping[int, str] = {
    PcscCode.NO_SMARTCARD: "empty",
    PcscCode.SHARING_VIOLATION: "held",
    PcscCode.READER_UNAVAILABLE: "unreachable",
    PcscCode.UNKNOWN_READER: "unreachable",
}


class SwapCards(Step):
    """The hand swaps the cards of two slots. A slot keeps its role; ``$cards.<role>`` is the card now in it."""

    name: ClassVar[str] = "swap-cards"
    title: ClassVar[Text] = Text("Permuter les deux cartes", "Swap the two cards")
    shorthand: ClassVar[str] = "with_slot"
    moves_cards = True
    needs = frozenset[type[Facet]]({Insertion, VirtualReaders})

    with_slot: Identifier = Field(default="vitale", description="role of the other slot")

    def run(self, act: Act) -> Observation:
        """Swap them."""
        act.scene.changed(act.role, act.facet(VirtualReaders).swap(act.role, self.with_slot))
        return Observation({})


class WaitForCard(CardStep):
    """Wait until a card is in the slot, or until none is."""

    name: ClassVar[str] = "wait-for-card"
    of_a_card = False
    title: ClassVar[Text] = Text("Attendre une carte", "Wait for a card")
    shorthand: ClassVar[str] = "present"
    needs = frozenset[type[Facet]]({Apdu, VirtualReaders})
    observes: ClassVar[Observes] = {"seen": ValueMatcher()}

    present: bool = Field(default=True, description="whether a card is waited for, or its absence")
    seconds: Seconds = Field(default=2.0, description="how long, at most")

    def run(self, act: Act) -> Observation:
        """Wait."""
        seen = act.bench.access.wait(act.bench.names[act.role], present=self.present, timeout=self.seconds)
        return Observation({"seen": seen})


class Looks:
    """The event counter of each slot when a step last looked at it."""

    def __init__(self) -> None:
        self.events: dict[str, int] = {}

    @classmethod
    def of(cls, scene: Scene) -> Looks:
        """Return what was seen so far in a scene: nothing."""
        return cls()

    def close(self) -> None:
        """Nothing to close."""


class LookAtSlot(CardStep):
    """What SCardGetStatusChange tells of the slot, and how often cards came or went since the look before."""

    name: ClassVar[str] = "look-at-slot"
    of_a_card = False
    title: ClassVar[Text] = Text("Regarder la fente", "Look at the slot")
    needs = frozenset[type[Facet]]({Apdu, VirtualReaders})
    observes: ClassVar[Observes] = {key: ValueMatcher() for key in ("holds", "in-use", "exclusive", "mute", "moves")}

    def run(self, act: Act) -> Observation:
        """Look."""
        told = act.facet(VirtualReaders).look(act.role)
        flags, events = State(told & 0xFFFF), told >> COUNTER
        looks = act.scene.part(Looks).events
        before = looks.get(act.role, events)
        looks[act.role] = events
        holds = "card" if State.PRESENT in flags else "unavailable" if State.UNAVAILABLE in flags else "nothing"
        return Observation(
            {
                "holds": holds,
                "in-use": State.INUSE in flags,
                "exclusive": State.EXCLUSIVE in flags,
                "mute": State.MUTE in flags,
                "moves": events - before,
            }
        )


@contextmanager
def mistaken() -> Iterator[None]:
    """What cannot be done with a reader as it stands is a mistake of the scenario."""
    try:
        yield
    except ValueError as error:
        raise ImpossibleStepError(in_both(error)) from None


class UnplugReader(Step):
    """The hand pulls the reader out, cards inside or not."""

    name: ClassVar[str] = "unplug-reader"
    title: ClassVar[Text] = Text("Débrancher le lecteur", "Unplug the reader")
    needs = frozenset[type[Facet]]({HotPlug, VirtualReaders})

    def run(self, act: Act) -> Observation:
        """Pull it out. Raises SlotError-like mistakes of the scenario as ValueError."""
        with mistaken():
            act.facet(HotPlug).unplug(act.facet(VirtualReaders).device)
        act.scene.changed(None, Text("lecteur débranché", "reader unplugged"))
        return Observation({})


class PlugReader(Step):
    """The hand plugs the reader in again: under the same names, or under another serial or index."""

    name: ClassVar[str] = "plug-reader"
    title: ClassVar[Text] = Text("Rebrancher le lecteur", "Plug the reader in again")
    needs = frozenset[type[Facet]]({HotPlug, VirtualReaders})
    observes: ClassVar[Observes] = {"names": ValueMatcher(), "renamed": ValueMatcher()}

    serial: str | None = Field(default=None, pattern=r"^[0-9]{6,12}$", description="the device is another of its kind")
    index: int | None = Field(default=None, ge=0, le=99, description="the system gives it another number at the end")

    def run(self, act: Act) -> Observation:
        """Plug it in."""
        device, hand = act.facet(VirtualReaders).device, act.facet(HotPlug)
        before = [slot.name for slot in device.slots]
        with mistaken():
            names = renamed(before, self.serial, self.index)
            hand.plug(device, names)
        act.scene.changed(None, Text(f"lecteur rebranché : {names[0]}", f"reader plugged in: {names[0]}"))
        return Observation({"names": ", ".join(names), "renamed": names != before})


def renamed(names: Sequence[str], serial: str | None, index: int | None) -> list[str]:
    """The names of a reader's slots under another serial, or another number given by the system.

    "STEM XX YY" (pcsc-lite) has the reader's number first; elsewhere a number at the end counts what has one stem.
    Raises ValueError if a serial is asked for and a name bears none.
    """
    found = []
    counted: Counter[str] = Counter()
    for name in names:
        new = name
        if serial is not None:
            new, changed = _SERIAL.subn(serial, name, count=1)
            if not changed:
                raise ValueError(f"the name {name!r} bears no serial: give an index")
        if index is not None:
            if (lite := _PCSC_LITE.fullmatch(new)) is not None:
                new = f"{lite['stem']} {index:02X} {lite['slot']}"
            else:
                stem = _NUMBER.sub("", new)
                new = f"{stem} {index + counted[stem]}"
                counted[stem] += 1
        found.append(new)
    return found


class StopService(Step):
    """The workstation's PC/SC service stops; every dialogue open through it is dead for good."""

    name: ClassVar[str] = "stop-service"
    title: ClassVar[Text] = Text("Arrêter le service PC/SC", "Stop the PC/SC service")
    needs = frozenset[type[Facet]]({ServiceControl})

    def run(self, act: Act) -> Observation:
        """Stop it."""
        act.facet(ServiceControl).stop()
        act.scene.changed(None, Text("service PC/SC arrêté", "PC/SC service stopped"))
        return Observation({})


class StartService(Step):
    """The PC/SC service starts again; software must connect anew."""

    name: ClassVar[str] = "start-service"
    title: ClassVar[Text] = Text("Redémarrer le service PC/SC", "Start the PC/SC service again")
    needs = frozenset[type[Facet]]({ServiceControl})

    def run(self, act: Act) -> Observation:
        """Start it."""
        act.facet(ServiceControl).start()
        act.scene.changed(None, Text("service PC/SC redémarré", "PC/SC service started again"))
        return Observation({})
