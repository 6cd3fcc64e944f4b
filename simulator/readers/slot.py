"""A slot holds at most one card and tells whoever listens what happens to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from simulator.clock import Clock
from simulator.iso7816.card import Card


class SlotEventKind(Enum):
    """What can happen to a slot."""

    INSERTED = "inserted"
    REMOVED = "removed"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class SlotEvent:
    """One change of a slot; ``time`` is the bench clock's, in UTC."""

    kind: SlotEventKind
    slot: str
    time: datetime


class SlotError(Exception):
    """The hand asked for something the slot cannot do (insert in a full slot, remove from an empty one)."""


Listener = Callable[[SlotEvent], None]


class Slot:
    """One place for one card. ``name`` is its PC/SC reader name, since one PC/SC name stands for one slot (PCSC-11)."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self._clock = clock
        self._card: Card | None = None
        self._listeners: list[Listener] = []

    @property
    def card(self) -> Card | None:
        """The card inside, or None."""
        return self._card

    def insert(self, card: Card) -> None:
        """Put a card in. Raises SlotError if one is there already."""
        if self._card is not None:
            raise SlotError(f"slot {self.name!r} already holds a card: remove it first")
        self._card = card
        self._tell(SlotEventKind.INSERTED)

    def remove(self) -> Card:
        """Take the card out; it loses power and with it all volatile state (PCSC-06). Raises SlotError if empty."""
        card = self._card
        if card is None:
            raise SlotError(f"slot {self.name!r} is empty: there is no card to remove")
        self._card = None
        card.power_off()
        self._tell(SlotEventKind.REMOVED)
        return card

    def replace(self, card: Card) -> None:
        """Let another card answer in this slot without any movement of the contacts.

        A laboratory power no hand has: it spares a reader's insertion delay between two scenarios. A client must
        power the slot anew (cold reset) to meet the new card. Raises SlotError if the slot is empty.
        """
        if self._card is None:
            raise SlotError(f"slot {self.name!r} is empty: insert a card rather than replace one")
        self._card.power_off()
        self._card = card
        self._tell(SlotEventKind.REPLACED)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` at every change from now on; the function returned stops that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self, kind: SlotEventKind) -> None:
        event = SlotEvent(kind, self.name, self._clock.now())
        for listener in tuple(self._listeners):
            listener(event)
