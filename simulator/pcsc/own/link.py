"""A slot of the bench as the serving process has it: a card that is asked over a link, and what happens to the slot.

Commands are asked without waiting, one at a time; power is applied at once, since nobody can be answered before. The
slot answers those in no time: it is idle then.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

from bifente.simulator.pcsc.own.orders import (
    LONGEST,
    Movement,
    Reply,
    SlotOrder,
    SlotOutcome,
    ToldMovement,
    code_of,
    order,
    read_told,
)
from bifente.simulator.readers import LineError, PcscCode, Slot, SlotError

POWER_PATIENCE = 5.0
"""Seconds the bench may take to power a card; it takes far less."""

Answered = Callable[[bytes, int | None], None]
"""Given the answer and None, or nothing and the code that says why."""


class MirrorCard:
    """The card of a slot that is in another process; satisfies ``Card`` but for commands, which the link is asked."""

    def __init__(self, link: SlotLink, atr: bytes) -> None:
        self._link = link
        self.atr = atr
        self.there = True

    def power_on(self) -> bytes:
        """Apply power. Raises LineError, SlotError."""
        self.atr = self._link.order_at_once(SlotOrder.POWER_ON)
        return self.atr

    def power_off(self) -> None:
        """Cut the power, but for a card that is out: it has none."""
        if self.there:
            self._link.order_at_once(SlotOrder.POWER_OFF)

    def reset(self) -> bytes:
        """Warm reset. Raises LineError, SlotError."""
        self.atr = self._link.order_at_once(SlotOrder.RESET)
        return self.atr

    def transmit(self, command: bytes) -> bytes:
        """Raises TypeError: whoever waits for a card holds up everybody."""
        raise TypeError("the link is asked, not the card")


class SlotLink:
    """The link to one slot and the slot's mirror, which ``PcscService`` serves as any other."""

    def __init__(
        self, connected: socket.socket, slot: Slot, atr: bytes | None, reachable: bool, late: set[SlotLink]
    ) -> None:
        """``late`` is where the link puts itself when it read of a movement while it waited for something else."""
        self.socket = connected
        self.slot = slot
        self._late = late
        self._buffer = memoryview(bytearray(LONGEST))
        self._number = 0
        self._waiting: int | None = None
        self._then: Answered | None = None
        self._kept: list[ToldMovement] = []
        self.dead = False
        connected.setblocking(False)
        if atr is not None:
            slot.insert(MirrorCard(self, atr))
        slot.reach(reachable)

    def kept(self) -> list[ToldMovement]:
        """The movements read while the link waited for something else."""
        kept, self._kept = self._kept, []
        return kept

    @property
    def busy(self) -> bool:
        """Whether the card is at work, for whoever asked or for nobody any more."""
        return self._waiting is not None

    def ask(self, what: SlotOrder, payload: bytes, then: Answered) -> None:
        """Ask the card, or the reader. The link must not be busy.

        ``then`` is called once, maybe before the card is done.
        """
        self._then = then
        self._waiting = self._send(what, payload)

    def order_at_once(self, what: SlotOrder) -> bytes:
        """Do something to the card's power and wait for it. Raises LineError, SlotError."""
        if self.dead:
            return b""
        if self.busy:
            # Only a card whose client has gone can still be at work when another acts on its power.
            self._forget()
        number = self._send(what, b"")
        while True:
            if not select.select([self.socket], [], [], POWER_PATIENCE)[0]:
                raise LineError(PcscCode.UNRESPONSIVE_CARD, mute=True)
            told = self._receive()
            if told is None:
                raise SlotError("the bench has gone")
            if not isinstance(told, Reply):
                self._kept.append(told)
                self._late.add(self)
            elif told.number == number:
                return self._payload(told)

    def receive(self) -> list[ToldMovement] | None:
        """What the bench has to say; None once it has gone. Answers go to whoever waits for them."""
        moves = self.kept()
        while True:
            try:
                told = self._receive()
            except BlockingIOError:
                return moves
            if told is None:
                return None
            if isinstance(told, ToldMovement):
                moves.append(told)
                return moves  # what comes after it is looked at with the movement done
            if told.number == self._waiting:
                self._waiting = None
                then, self._then = self._then, None
                if then is not None:
                    self._answer(then, told)
                return moves

    def move(self, told: ToldMovement) -> None:
        """Let a movement happen to the mirror. Whoever waits for the card is told at once, if the card was not moved by
        its own command: then its answer follows.
        """
        slot = self.slot
        if told.movement in (Movement.REMOVED, Movement.LOST) and told.number:
            code = PcscCode.NO_SMARTCARD if told.movement is Movement.REMOVED else PcscCode.READER_UNAVAILABLE
            self.interrupt(code)
        if told.movement is Movement.INSERTED:
            slot.insert(MirrorCard(self, told.atr))
        elif told.movement is Movement.REMOVED:
            self._card_gone()
            slot.remove()
        elif told.movement is Movement.REPLACED:
            self._card_gone()
            slot.replace(MirrorCard(self, told.atr))
        else:
            self._card_gone(told.movement is Movement.LOST)
            slot.reach(told.movement is Movement.BACK)

    def interrupt(self, code: PcscCode) -> None:
        """Answer whoever waits; the card may go on working for nobody."""
        then, self._then = self._then, None
        if then is not None:
            then(b"", code)

    def close(self) -> None:
        """Let go of the bench's end."""
        self.socket.close()

    def _card_gone(self, gone: bool = True) -> None:
        if isinstance(self.slot.card, MirrorCard):
            self.slot.card.there = not gone

    def _forget(self) -> None:
        self._waiting = None
        self.interrupt(PcscCode.NOT_TRANSACTED)

    def _send(self, what: SlotOrder, payload: bytes) -> int:
        self._number = self._number + 1 & 0xFFFFFFFF
        try:
            self.socket.send(order(what, self._number, payload))
        except OSError:
            # The end of the link is read by whoever waits for an answer.
            return self._number
        return self._number

    def _receive(self) -> Reply | ToldMovement | None:
        try:
            size = self.socket.recv_into(self._buffer)
        except ConnectionError:
            return None
        return read_told(self._buffer[:size]) if size else None

    @staticmethod
    def _payload(told: Reply) -> bytes:
        if told.outcome is SlotOutcome.DONE:
            return told.payload
        if told.outcome is SlotOutcome.LINE:
            raise LineError(PcscCode(code_of(told.payload)))
        raise SlotError("no card answers")

    @staticmethod
    def _answer(then: Answered, told: Reply) -> None:
        if told.outcome is SlotOutcome.DONE:
            then(told.payload, None)
        elif told.outcome is SlotOutcome.LINE:
            then(b"", code_of(told.payload))
        else:
            then(b"", PcscCode.NO_SMARTCARD)
