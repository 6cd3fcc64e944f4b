"""What a running scenario has at hand: its cards, its dialogues, its captured values."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bifente.conformance.bench.base import Bench
from bifente.conformance.bench.cards import SeatedCard
from bifente.conformance.domains.vitale.apcv import ApcvBench
from bifente.conformance.domains.vitale.workstation import Workstation
from bifente.conformance.targets.base import Connection
from bifente.conformance.targets.pkcs11 import Called
from bifente.ground.text import Text
from bifente.simulator.hosts import CardHost, host_for
from bifente.simulator.hosts.dialogue import Dialogue, Exchanged

if TYPE_CHECKING:
    from bifente.conformance.domains.fse.bench import FseBench

DEFAULT_ROLE = "cps"
"""The main slot, where there is one of that name; else the main slot is the first that has a card."""


@dataclass(slots=True)
class Scene:
    """One scenario under way. ``told`` hears exchanges and calls, ``changed`` what the bench did to the world."""

    bench: Bench
    random: random.Random
    told: Callable[[str, Exchanged | Called], None]
    changed: Callable[[str | None, Text], None]
    captured: dict[str, Any] = field(default_factory=dict)
    dialogues: dict[str, Dialogue] = field(default_factory=dict)
    others: dict[str, Connection] = field(default_factory=dict)
    """The dialogues of another application, by slot."""
    looks: dict[str, int] = field(default_factory=dict)
    """The event counter of each slot when it was last looked at."""
    injected: dict[str, Callable[[], None]] = field(default_factory=dict)
    """What takes each fault of the scene away, by the fault and its slot, in the order they were made."""
    workstation: Workstation = field(init=False)
    apcv: ApcvBench = field(init=False)
    _fse: FseBench | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.workstation = Workstation(self.bench, self.told, self.random.randbytes)
        self.apcv = ApcvBench(self.bench, self.workstation, self.random.randbytes)

    @property
    def fse(self) -> FseBench:
        """The billing software and the front end of the scene, made at first use."""
        if self._fse is None:
            # Here, not above: it brings mail servers, a store and envelopes along, which no other scenario needs.
            from bifente.conformance.domains.fse.bench import FseBench

            self._fse = FseBench(self.bench, self.workstation, self.apcv, self.random)
        return self._fse

    @property
    def main(self) -> str:
        """The slot a step speaks to unless it says otherwise, and whose card is ``$card``."""
        seated = self.bench.seated
        return DEFAULT_ROLE if DEFAULT_ROLE in seated else next(iter(seated))

    def dialogue(self, role: str) -> Dialogue:
        """The open dialogue with the card of a slot, opened at first use. Raises ScardError."""
        if role not in self.dialogues:
            self.adopt(role, self.bench.connect(role))
        return self.dialogues[role]

    def adopt(self, role: str, connection: Connection) -> None:
        """Let an open connection be the dialogue with a slot from now on."""
        self.dialogues[role] = Dialogue(connection, lambda exchanged: self.told(role, exchanged))

    def hang_up(self, role: str) -> None:
        """Close the dialogue with a slot, if one is open."""
        if (dialogue := self.dialogues.pop(role, None)) is not None:
            dialogue.connection.disconnect()

    def scope(self) -> Mapping[str, Any]:
        """What references may name: ``card`` (the main one), ``cards`` by slot, and captured values."""
        facts = {role: card.facts for role, card in self.bench.seated.items()}
        return {**self.captured, "card": facts.get(self.main, {}), "cards": facts}

    def state(self, role: str) -> Mapping[str, Any] | None:
        """The inner state of the card in a slot; None when it cannot be looked into."""
        card = self.bench.seated.get(role)
        return card.state() if card is not None else None

    def clear_faults(self) -> None:
        """Take every fault away, the last one first."""
        while self.injected:
            self.injected.popitem()[1]()

    def close(self) -> None:
        """Hang up everywhere, the other application too."""
        self.clear_faults()
        if self._fse is not None:
            self._fse.close()
        self.workstation.close()
        for role in list(self.dialogues):
            self.hang_up(role)
        while self.others:
            self.others.popitem()[1].disconnect()


@dataclass(frozen=True, slots=True)
class Act:
    """What one step may touch: the scene, and the slot it speaks to."""

    scene: Scene
    role: str

    @property
    def bench(self) -> Bench:
        """The bench of the scene."""
        return self.scene.bench

    @property
    def dialogue(self) -> Dialogue:
        """The dialogue with this slot's card."""
        return self.scene.dialogue(self.role)

    @property
    def card(self) -> SeatedCard:
        """The card that was seated in this slot."""
        return self.scene.bench.seated[self.role]

    @property
    def host(self) -> CardHost:
        """A middleware's way with this slot's card, by its family."""
        return host_for(self.dialogue, self.card.layout)
