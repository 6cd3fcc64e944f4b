"""A slot as the PC/SC service keeps it: powered or not, shared by whom, held by whom."""

from __future__ import annotations

from typing import Protocol as Shape

from bifente.ground.clock import Clock
from bifente.simulator.readers.codes import PcscCode, ScardError
from bifente.simulator.readers.pin_pad import PinPad
from bifente.simulator.readers.reader import ReaderIdentity
from bifente.simulator.readers.sharing import COUNTER, Protocol, Share, State, offered
from bifente.simulator.readers.slot import LineError, Slot, SlotError, SlotEvent, SlotEventKind


class Sharer(Shape):
    """A dialogue as others see it: ``owner`` is its context, ``lease`` when it ends by itself (clock's counter).

    ``trouble`` is what it must be told of before anything else: that its card was reset or taken out, for instance.
    """

    owner: object
    share: Share
    lease: float | None
    trouble: PcscCode | None

    def disconnect(self) -> None:
        """Leave the card."""
        ...


_FOR_GOOD = frozenset({PcscCode.INVALID_HANDLE, PcscCode.NO_SERVICE, PcscCode.READER_UNAVAILABLE})
"""What a dialogue never recovers from."""


class PcscSlot:
    """What all handles to one slot share."""

    def __init__(self, name: str, slot: Slot, pin_pad: PinPad | None, clock: Clock, identity: ReaderIdentity) -> None:
        self.name = name
        self.identity = identity
        self.slot = slot
        self.pin_pad = pin_pad
        self.atr: bytes | None = slot.card.atr if slot.answering is not None and slot.card is not None else None
        self.plugged = True
        self.events = 1 if slot.card is not None else 0
        self.handles: list[Sharer] = []
        self.holder: Sharer | None = None
        self.depth = 0
        self.clock = clock
        self.protocol = Protocol.NONE
        """What the card speaks since somebody connected; NONE after each reset or change of power."""
        self.powered = False
        self.mute = False
        self._cut = self._kept_off = False
        self._unlisten = slot.listen(self._changed)

    @property
    def exclusive(self) -> bool:
        """Whether one application has the slot for itself alone."""
        return any(handle.share is Share.EXCLUSIVE for handle in self.handles)

    @property
    def left_unpowered(self) -> bool:
        """Whether an application left the card without power."""
        return self._cut

    def state(self) -> int:
        """As SCardGetStatusChange tells it, the counter included."""
        if not self.slot.reachable:
            return self.events << COUNTER | State.UNAVAILABLE
        state = State.PRESENT if self.slot.card is not None else State.EMPTY
        if self.exclusive:
            state |= State.EXCLUSIVE
        elif self.handles and self.slot.card is not None:
            state |= State.INUSE
        if self.mute and self.slot.card is not None:
            state |= State.MUTE
        return self.events << COUNTER | state

    def open(self, share: Share, protocols: Protocol) -> None:
        """Whether a new handle may be given; raises ScardError if not. Powers the card, settles the protocol."""
        if not self.slot.reachable:
            raise ScardError(PcscCode.READER_UNAVAILABLE, self.name)
        self.expire()
        if self.holder is not None or self.exclusive:
            raise ScardError(PcscCode.SHARING_VIOLATION)
        if share is not Share.DIRECT:
            if self.slot.card is None:
                raise ScardError(PcscCode.NO_SMARTCARD, self.name)
            if not self.powered:
                if self._kept_off:
                    raise ScardError(PcscCode.UNPOWERED_CARD, self.name)
                self._power_on()
        self.settle(share, protocols)
        if share is Share.EXCLUSIVE and self.others(None):
            raise ScardError(PcscCode.SHARING_VIOLATION)

    def settle(self, share: Share, protocols: Protocol) -> None:
        """Agree on a protocol with an application that accepts these. Raises ScardError (PROTO_MISMATCH)."""
        if Protocol.RAW in protocols:
            self.protocol = Protocol.RAW
        elif share is not Share.DIRECT:
            if self.protocol is Protocol.NONE:
                both = protocols & offered(self.atr or b"")
                self.protocol = Protocol.T1 if Protocol.T1 in both else both
            if not self.protocol & protocols:
                raise ScardError(PcscCode.PROTO_MISMATCH, self.name)

    def others(self, handle: Sharer | None) -> bool:
        """Whether anybody else has a handle."""
        return any(other is not handle for other in self.handles)

    def take_up(self) -> None:
        """An application takes up the card as it is. Raises ScardError.

        A card that somebody left without power stays so, and newcomers are refused until one resets it or all leave:
        pcscd takes it for one in use (measured on 1.9.9).
        """
        if self._cut:
            self._kept_off = True
        else:
            self.power()

    def power(self) -> None:
        """Power the card if it is not. Raises ScardError."""
        if not self.powered:
            self._power_on()

    def reset(self, *, cold: bool) -> None:
        """Reset the card; every handle learns it, even if there was nothing to reset. Raises ScardError."""
        self.tell(PcscCode.RESET_CARD)
        card = self.slot.answering
        if card is None:
            raise ScardError(PcscCode.NO_SMARTCARD, self.name)
        self.protocol = Protocol.NONE
        if cold or not self.powered:
            card.power_off()
            self._power_on()
        else:
            try:
                self.atr = card.reset()
            except LineError as broken:
                self.mute, self.powered = True, False
                raise ScardError(broken.code, self.name) from None

    def try_reset(self) -> None:
        """Reset the card if there is one that answers."""
        try:
            self.reset(cold=False)
        except ScardError:
            self.powered = False

    def unpower(self) -> None:
        """Cut the card's power; every handle learns it as a reset."""
        self.tell(PcscCode.RESET_CARD)
        if self.cut():
            self._cut = True

    def cut(self) -> bool:
        """Cut the power of a card that nobody uses, and tell nobody; whether there was a card to cut it from."""
        card = self.slot.answering
        if card is not None:
            card.power_off()
            self.powered, self.protocol = False, Protocol.NONE
        return card is not None

    def tell(self, trouble: PcscCode) -> None:
        """What every handle is told at its next call, unless it is past all help."""
        for handle in self.handles:
            if handle.trouble not in _FOR_GOOD:
                handle.trouble = trouble

    def let_go(self, *, once: bool) -> None:
        """The holder ends its transaction, or the last of several nested ones."""
        self.depth = self.depth - 1 if once else 0
        if self.depth <= 0:
            self.holder, self.depth = None, 0

    def hold(self, handle: Sharer) -> None:
        """A handle begins a transaction, or one more inside it."""
        self.holder = handle
        self.depth += 1

    def forget(self, handle: Sharer) -> None:
        """A handle is closed."""
        if self.holder is handle:
            self.let_go(once=False)
        if handle in self.handles:
            self.handles.remove(handle)
        if not self.handles:
            self._kept_off = False

    def expire(self) -> None:
        """Close the handles of applications that let go by themselves at a time now past."""
        now = self.clock.monotonic()
        for handle in [one for one in self.handles if one.lease is not None and one.lease <= now]:
            handle.disconnect()

    def unplug(self) -> None:
        """The reader has gone."""
        self._unlisten()
        self.plugged = False
        self._drop(PcscCode.READER_UNAVAILABLE)

    def abandon(self) -> None:
        """The service stops: no handle of before is worth anything any more."""
        self._drop(PcscCode.NO_SERVICE)

    def _drop(self, why: PcscCode) -> None:
        self.tell(why)
        self.handles.clear()
        self.holder, self.depth = None, 0
        self._unpowered()

    def _unpowered(self) -> None:
        self.powered = self.mute = self._cut = self._kept_off = False
        self.protocol = Protocol.NONE

    def _power_on(self) -> None:
        self.protocol = Protocol.NONE
        try:
            self.atr = self.slot.power_on()
        except LineError as broken:
            self.mute, self.powered = True, False
            raise ScardError(broken.code, self.name) from None
        except SlotError:
            raise ScardError(PcscCode.NO_SMARTCARD, self.name) from None
        self.powered, self.mute = True, False
        self._cut = self._kept_off = False

    def _changed(self, event: SlotEvent) -> None:
        self._unpowered()
        answering = self.slot.answering
        self.atr = answering.atr if answering is not None else None
        if event.kind is SlotEventKind.REPLACED:
            self.tell(PcscCode.RESET_CARD)
            return
        self.events = self.events + 1 & 0xFFFF
        if event.kind is not SlotEventKind.INSERTED:
            # Whoever is connected stays so until it disconnects, alone or not; only a transaction ends.
            self.tell(PcscCode.REMOVED_CARD)
            self.let_go(once=False)
