"""A slot holds at most one card and tells whoever listens what happens to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from bifente.ground.clock import Clock
from bifente.simulator.iso7816.card import Card
from bifente.simulator.readers.antenna import own_answer
from bifente.simulator.readers.codes import PcscCode
from bifente.simulator.readers.pace import Pace

_PROCEDURE_BYTE = b"\x00"
"""What a T=0 card sends between the header of a command and the rest: one byte more on the line."""


class SlotEventKind(Enum):
    """What can happen to a slot."""

    INSERTED = "inserted"
    REMOVED = "removed"
    REPLACED = "replaced"
    LOST = "lost"
    """The link to the device is down: whatever the slot holds cannot be reached."""
    BACK = "back"


@dataclass(frozen=True, slots=True)
class SlotEvent:
    """One change of a slot; ``time`` is the bench clock's, in UTC."""

    kind: SlotEventKind
    slot: str
    time: datetime


class SlotError(Exception):
    """The hand asked for something the slot cannot do (insert in a full slot, remove from an empty one)."""


class LineError(Exception):
    """An exchange that gets no proper answer.

    ``code`` is what a PC/SC client must see, ``partial`` the bytes that came through before the line broke; ``mute``
    says that the card never answers, so that the client waits until its reader gives up.
    """

    def __init__(self, code: PcscCode, *, partial: bytes = b"", mute: bool = False) -> None:
        self.code = code
        self.partial = partial
        self.mute = mute
        super().__init__(code.name)


class Interference(Protocol):
    """What stands between the contacts and the card: a fault of the reader, the line or the card."""

    def exchange(self, card: Card, command: bytes) -> bytes:
        """The answer the reader gets to a command; it may or may not reach the card. Raises LineError."""
        ...

    def power_on(self, card: Card) -> bytes:
        """The ATR the reader gets when it applies power. Raises LineError."""
        ...


Listener = Callable[[SlotEvent], None]


class Slot:
    """One place for one card. ``name`` is its PC/SC reader name, since one PC/SC name stands for one slot (PCSC-11).

    Whoever stands for the reader goes through ``exchange`` and ``power_on``, never to the card itself: there strikes
    the ``interference``, if one is set.
    """

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self.interference: Interference | None = None
        self.pace: Pace | None = None
        """How long bytes take to the card; None where the wait is spared."""
        self.antenna = False
        """Whether it has an antenna in place of contacts: it answers commands of class FF itself."""
        self._clock = clock
        self._card: Card | None = None
        self._reachable = True
        self._listeners: list[Listener] = []

    @property
    def card(self) -> Card | None:
        """The card inside, or None; it is inside whether or not the device can be reached."""
        return self._card

    @property
    def reachable(self) -> bool:
        """Whether the link to the device is up: always, for a device on a wire."""
        return self._reachable

    @property
    def answering(self) -> Card | None:
        """The card that a reader can speak to: the one inside, unless the link is down."""
        return self._card if self._reachable else None

    def exchange(self, command: bytes) -> bytes:
        """The answer to one command APDU, after whatever interferes. Raises LineError, SlotError if no card answers."""
        card = self._spoken_to()
        if self.antenna and (own := own_answer(card, command)) is not None:
            return own
        if self.interference is None and self.pace is None:
            return card.transmit(command)
        answer = card.transmit(command) if self.interference is None else self.interference.exchange(card, command)
        if self.pace is not None:
            self._clock.wait(self.pace.seconds(command, answer, _PROCEDURE_BYTE))
        return answer

    def power_on(self) -> bytes:
        """Apply power (cold reset) and give the ATR. Raises LineError, SlotError if no card answers."""
        card = self._spoken_to()
        atr = card.power_on() if self.interference is None else self.interference.power_on(card)
        if self.pace is not None:
            self._clock.wait(self.pace.seconds(atr))
        return atr

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

    def reach(self, reachable: bool) -> None:
        """Bring the link to the device up or down; a card that loses its reader loses its power."""
        if reachable == self._reachable:
            return
        self._reachable = reachable
        if not reachable and self._card is not None:
            self._card.power_off()
        self._tell(SlotEventKind.BACK if reachable else SlotEventKind.LOST)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` at every change from now on; the function returned stops that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _spoken_to(self) -> Card:
        card = self.answering
        if card is None:
            raise SlotError(f"slot {self.name!r} has no card that answers")
        return card

    def _tell(self, kind: SlotEventKind) -> None:
        event = SlotEvent(kind, self.name, self._clock.now())
        for listener in tuple(self._listeners):
            listener(event)
