"""What a running scenario has at hand: its bench, its dialogues, its parts, its captured values."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeVar

from pydantic import BaseModel

from bifente.conformance.bench.base import Bench
from bifente.conformance.bench.cards import SeatedCard
from bifente.conformance.bench.facets import Apdu, Inspection
from bifente.conformance.targets.base import Connection
from bifente.conformance.targets.facets import Facet
from bifente.conformance.targets.messages import Messaged, messaged
from bifente.conformance.targets.pkcs11 import Called
from bifente.ground.text import Text
from bifente.simulator.cards.dialogue import Dialogue, Exchanged
from bifente.simulator.cards.families import host_for
from bifente.simulator.cards.host import CardHost
from bifente.simulator.serving.recording import Passed
from bifente.simulator.serving.service import Service

DEFAULT_ROLE = "cps"
"""The main slot, where there is one of that name; else the main slot is the first that has a card."""


class ScenePart(Protocol):
    """Something that a domain keeps for the length of a scenario, made when it is first asked for."""

    @classmethod
    def of(cls, scene: Scene) -> Self:
        """Return the part of a scene."""
        ...

    def close(self) -> None:
        """The scenario is over."""
        ...


P = TypeVar("P", bound=ScenePart)
S = TypeVar("S", bound=BaseModel)
F = TypeVar("F", bound=Facet)


def main_role(cards: Collection[str]) -> str:
    """Return the main slot among those that have a card: ``cps``, else the first; empty without any."""
    return DEFAULT_ROLE if DEFAULT_ROLE in cards else next(iter(cards), "")


@dataclass(slots=True)
class Scene:
    """One scenario under way. ``told`` hears exchanges, calls and messages, ``changed`` what the bench does.

    ``sections`` are what the scenario's ``bench`` says to domains. A secret that is born while the scenario runs is
    told to ``declare`` before anything that carries it is told. A scene opens before its cards are seated: what is
    attached to the bench is shown it, so that it can tell and declare too.
    """

    bench: Bench
    random: random.Random
    told: Callable[[str, Exchanged | Called | Messaged], None]
    changed: Callable[[str | None, Text], None]
    sections: tuple[BaseModel, ...] = ()
    declare: Callable[[str | bytes], None] = lambda secret: None
    captured: dict[str, Any] = field(default_factory=dict)
    dialogues: dict[str, Dialogue] = field(default_factory=dict)
    injected: dict[str, Callable[[], None]] = field(default_factory=dict)
    """What takes each fault of the scene away, by the fault and its slot, in the order they were made."""
    served: tuple[Service, ...] = ()
    """Services that programs reach on ports of this machine: faults strike these, not others of their kind."""
    live: bool = False
    """Whether programs act here, and no step does: what is not served, nobody would ever meet."""
    _parts: dict[type[ScenePart], ScenePart] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for attachment in self.bench.attachments:
            attachment.opened(self)

    def part(self, kind: type[P]) -> P:
        """Return the part of this kind, made now if this is the first time."""
        if kind not in self._parts:
            # Made before it is filed: what it needs of the scene lies before it, and is closed after it.
            made = kind.of(self)
            self._parts[kind] = made
        found = self._parts[kind]
        assert isinstance(found, kind)  # noqa: S101 - what is filed under a kind is of it
        return found

    def section(self, kind: type[S]) -> S | None:
        """Return what the scenario's ``bench`` says to a domain by the domain's own model, None if nothing."""
        return next((one for one in self.sections if isinstance(one, kind)), None)

    @property
    def main(self) -> str:
        """The slot a step speaks to unless it says otherwise, and whose card is ``$card``; empty without a card."""
        return main_role(self.bench.seated)

    def dialogue(self, role: str) -> Dialogue:
        """Return the open dialogue with the card of a slot, opened at first use. Raise ScardError."""
        if role not in self.dialogues:
            self.bench.card_in(role)
            self.adopt(role, self.bench.facet(Apdu).connect(role))
        return self.dialogues[role]

    def adopt(self, role: str, connection: Connection) -> None:
        """Let an open connection be the dialogue with a slot from now on."""
        self.dialogues[role] = Dialogue(connection, lambda exchanged: self.told(role, exchanged))

    def hang_up(self, role: str) -> None:
        """Close the dialogue with a slot, if one is open."""
        if (dialogue := self.dialogues.pop(role, None)) is not None:
            dialogue.connection.disconnect()

    def scope(self) -> Mapping[str, Any]:
        """Return what references may name: ``card`` (the main one), ``cards`` by slot, and captured values."""
        facts = {role: card.facts for role, card in self.bench.seated.items()}
        return {**self.captured, "card": facts.get(self.main, {}), "cards": facts}

    def hear(self, passed: Passed) -> None:
        """Tell a message that a service received or sent, as the software that speaks to it sees it."""
        self.told("", messaged(passed))

    def state(self, role: str) -> Mapping[str, Any] | None:
        """Return the inner state of the card in a slot; None when it cannot be looked into."""
        inspection = self.bench.facets.find(Inspection)
        return inspection.state(role) if inspection is not None else None

    def clear_faults(self) -> None:
        """Take every fault away, the last one first."""
        while self.injected:
            self.injected.popitem()[1]()

    def close(self) -> None:
        """Take every fault away, close the parts, the last one made first, and hang up everywhere."""
        self.clear_faults()
        while self._parts:
            self._parts.popitem()[1].close()
        for role in list(self.dialogues):
            self.hang_up(role)


@dataclass(frozen=True, slots=True)
class Act:
    """What one step may touch: the scene, and the slot it speaks to."""

    scene: Scene
    role: str

    @property
    def bench(self) -> Bench:
        """The bench of the scene."""
        return self.scene.bench

    def facet(self, kind: type[F]) -> F:
        """Return what does this kind of thing. Raise GuardRefusalError, which says why, if nothing does."""
        return self.scene.bench.facet(kind)

    @property
    def dialogue(self) -> Dialogue:
        """The dialogue with this slot's card."""
        return self.scene.dialogue(self.role)

    @property
    def card(self) -> SeatedCard:
        """The card that was seated in this slot."""
        return self.scene.bench.card_in(self.role)

    @property
    def host(self) -> CardHost:
        """A middleware's way with this slot's card, by its family."""
        return host_for(self.dialogue, self.card.layout)
