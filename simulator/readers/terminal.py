"""A slot as the PC/SC service keeps it: powered or not, shared by whom, held by whom."""

from __future__ import annotations

from typing import Protocol as Shape

from bifente.ground.clock import Clock
from bifente.simulator.iso7816.atr import Atr, AtrError
from bifente.simulator.readers.codes import PcscCode, ScardError
from bifente.simulator.readers.pin_pad import PinPad
from bifente.simulator.readers.sharing import COUNTER, Protocol, Share, State
from bifente.simulator.readers.slot import LineError, Slot, SlotError, SlotEvent, SlotEventKind


class Sharer(Shape):
    """A dialogue as others see it: ``owner`` is its context, ``lease`` when it ends by itself (clock's counter)."""

    owner: object
    share: Share
    lease: float | None

    def disconnect(self) -> None:
        """Leave the card."""
        ...


class Terminal:
    """What all handles to one slot share. ``mark`` is exchanged whenever they must look where they stand."""

    def __init__(self, name: str, slot: Slot, pin_pad: PinPad | None, clock: Clock) -> None:
        self.name = name
        self.slot = slot
        self.pin_pad = pin_pad
        self.atr: bytes | None = slot.card.atr if slot.answering is not None and slot.card is not None else None
        self.plugged = True
        self.mark = object()
        self.life = 0
        self.removals = 0
        self.events = 1 if slot.card is not None else 0
        self.handles: list[Sharer] = []
        self.holder: Sharer | None = None
        self.depth = 0
        self.clock = clock
        self._powered = False
        self._mute = False
        self._unlisten = slot.listen(self._changed)

    def state(self) -> int:
        """As SCardGetStatusChange tells it, the counter included."""
        if not self.slot.reachable:
            return self.events << COUNTER | State.UNAVAILABLE
        state = State.PRESENT if self.slot.card is not None else State.EMPTY
        if any(handle.share is Share.EXCLUSIVE for handle in self.handles):
            state |= State.EXCLUSIVE
        elif self.handles and self.slot.card is not None:
            state |= State.INUSE
        if self._mute and self.slot.card is not None:
            state |= State.MUTE
        return self.events << COUNTER | state

    def open(self, share: Share, protocols: Protocol) -> None:
        """Whether a new handle may be given; raises ScardError if not. Powers the card."""
        if not self.slot.reachable:
            raise ScardError(PcscCode.READER_UNAVAILABLE, self.name)
        self.expire()
        if self.holder is not None or any(handle.share is Share.EXCLUSIVE for handle in self.handles):
            raise ScardError(PcscCode.SHARING_VIOLATION)
        if share is not Share.DIRECT:
            if self.slot.card is None:
                raise ScardError(PcscCode.NO_SMARTCARD, self.name)
            self.power()
            if not protocols & self._offered():
                raise ScardError(PcscCode.PROTO_MISMATCH, self.name)
        if share is Share.EXCLUSIVE and self.others(None):
            raise ScardError(PcscCode.SHARING_VIOLATION)

    def others(self, handle: Sharer | None) -> bool:
        """Whether anybody else has a handle."""
        return any(other is not handle for other in self.handles)

    def power(self) -> None:
        """Power the card if it is not. Raises ScardError."""
        if not self._powered:
            self._power_on()

    def reset(self, *, cold: bool) -> None:
        """Reset the card; whoever else has a handle learns it. Raises ScardError."""
        card = self.slot.answering
        if card is None:
            raise ScardError(PcscCode.NO_SMARTCARD, self.name)
        self.mark = object()
        if cold or not self._powered:
            card.power_off()
            self._power_on()
        else:
            self.atr = card.reset()

    def try_reset(self) -> None:
        """Reset the card if there is one that answers."""
        try:
            self.reset(cold=False)
        except ScardError:
            self._powered = False

    def unpower(self) -> None:
        """Cut the card's power; whoever else has a handle learns it as a reset."""
        if (card := self.slot.answering) is not None:
            card.power_off()
            self._powered = False
            self.mark = object()

    def let_go(self, *, once: bool) -> None:
        """The holder ends its transaction, or the last of several nested ones."""
        self.depth = self.depth - 1 if once else 0
        if self.depth <= 0:
            self.holder, self.depth = None, 0

    def forget(self, handle: Sharer) -> None:
        """A handle is closed."""
        if self.holder is handle:
            self.let_go(once=False)
        if handle in self.handles:
            self.handles.remove(handle)

    def expire(self) -> None:
        """Close the handles of applications that let go by themselves at a time now past."""
        now = self.clock.monotonic()
        for handle in [one for one in self.handles if one.lease is not None and one.lease <= now]:
            handle.disconnect()

    def unplug(self) -> None:
        """The reader has gone."""
        self._unlisten()
        self.plugged = False
        self._drop()

    def abandon(self) -> None:
        """The service stops: no handle of before is worth anything any more."""
        self.life += 1
        self._drop()

    def _drop(self) -> None:
        self.mark = object()
        self.handles.clear()
        self.holder, self.depth, self._powered = None, 0, False

    def _power_on(self) -> None:
        try:
            self.atr = self.slot.power_on()
        except LineError as broken:
            self._mute, self._powered = True, False
            raise ScardError(broken.code, self.name) from None
        except SlotError:
            raise ScardError(PcscCode.NO_SMARTCARD, self.name) from None
        self._powered, self._mute = True, False

    def _offered(self) -> Protocol:
        try:
            numbers = Atr.parse(self.atr or b"").protocols
        except AtrError:
            return Protocol.ANY
        return Protocol((Protocol.T0 if 0 in numbers else 0) | (Protocol.T1 if 1 in numbers else 0))

    def _changed(self, event: SlotEvent) -> None:
        self._powered = self._mute = False
        self.mark = object()
        answering = self.slot.answering
        self.atr = answering.atr if answering is not None else None
        if event.kind is SlotEventKind.REPLACED:
            return
        self.events += 1
        if event.kind is not SlotEventKind.INSERTED:
            # Whoever is connected stays so until it disconnects, alone or not; only a transaction ends.
            self.removals += 1
            self.let_go(once=False)
