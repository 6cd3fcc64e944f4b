"""An application's dialogue with the card of one slot, and what it is told of the slot."""

from __future__ import annotations

from dataclasses import dataclass

from bifente.simulator.readers.codes import PcscCode, ScardError
from bifente.simulator.readers.pcsc_slot import PcscSlot
from bifente.simulator.readers.sharing import COUNTER, Disposition, Protocol, Share, State
from bifente.simulator.readers.slot import LineError, SlotError


@dataclass(frozen=True, slots=True)
class ReaderStatus:
    """One answer of SCardGetStatusChange: ``state`` carries the event counter in its upper 16 bits."""

    reader: str
    state: int
    atr: bytes

    @property
    def events(self) -> int:
        """How many cards came and went so far."""
        return self.state >> COUNTER

    @property
    def flags(self) -> State:
        """The state without its counter."""
        return State(self.state & 0xFFFF)


class Handle:
    """A dialogue with the card of one slot (SCARDHANDLE); satisfies ``Connection``. ``owner`` is its context.

    What its application must be told first (a reset by another, a removal) stands in ``trouble``, the last one over
    those before, as pcscd keeps it.
    """

    __slots__ = ("lease", "owner", "share", "slot", "trouble")

    def __init__(self, owner: object, slot: PcscSlot, share: Share) -> None:
        self.owner = owner
        self.slot = slot
        self.share = share
        self.trouble: PcscCode | None = None
        self.lease: float | None = None
        """When the application lets go by itself, on the clock's counter; None if it does not."""

    @property
    def atr(self) -> bytes:
        """The ATR the card gave when last powered; empty without a card."""
        return self.slot.atr or b""

    def transmit(self, command: bytes) -> bytes:
        """One command, one response. Raises ScardError (REMOVED_CARD, RESET_CARD, SHARING_VIOLATION ...)."""
        slot = self.slot
        holder = slot.holder
        if self.trouble is not None or (holder is not None and holder is not self):
            self.admit()
        try:
            return slot.slot.exchange(command)
        except LineError as broken:
            raise ScardError(broken.code) from None
        except SlotError:
            self.admit()
            raise ScardError(PcscCode.NO_SMARTCARD) from None

    def admit(self, *, to_card: bool = True) -> None:
        """Raise what keeps its application from speaking to the card, or to the reader alone, if anything does."""
        self._check_lock()
        if to_card and self.trouble is not None:
            raise ScardError(self.trouble)

    def control(self, code: int, data: bytes) -> bytes:
        """Speak to the reader itself (SCardControl): its PIN pad, if it has one. Raises ScardError.

        Neither a reset by another nor a removal keeps an application from the reader, only from the card.
        """
        self.admit(to_card=False)
        slot = self.slot
        if slot.pin_pad is None:
            raise ScardError(PcscCode.UNSUPPORTED_FEATURE, "this reader has no PIN pad")
        return slot.pin_pad.control(code, data, self.transmit, slot.clock.wait)

    def reset(self, *, cold: bool) -> bytes:
        """Reset the card; the other handles learn it by RESET_CARD. Gives the ATR. Raises ScardError."""
        return self.reconnect(self.share, Disposition.UNPOWER if cold else Disposition.RESET)

    def reconnect(
        self,
        share: Share = Share.SHARED,
        how: Disposition = Disposition.LEAVE,
        protocols: Protocol = Protocol.ANY,
    ) -> bytes:
        """Take the card up anew, after another application reset it for instance. Gives the ATR. Raises ScardError.

        It takes up whatever card is in the slot, after a removal too; NO_SMARTCARD without one. What was held alone
        and is shared from now on stays locked until a transaction is ended, or all is left (as in pcscd).
        """
        slot = self.slot
        self._check_lock()
        if how is not Disposition.LEAVE:
            slot.reset(cold=how is not Disposition.RESET)
        elif share is not Share.DIRECT:
            if slot.slot.card is None:
                raise ScardError(PcscCode.NO_SMARTCARD, slot.name)
            slot.take_up()
        slot.settle(share, protocols)
        if share is Share.EXCLUSIVE and self.share is not Share.EXCLUSIVE:
            if slot.others(self):
                raise ScardError(PcscCode.SHARING_VIOLATION)
            slot.hold(self)
        self.share = share
        self.trouble = None
        return self.atr

    def begin(self) -> None:
        """Begin a transaction; begun twice it must be ended twice. Raises ScardError.

        SHARING_VIOLATION where a real service would make the caller wait, since nobody else runs here.
        """
        self._check_marks()
        self._check_lock()
        self.slot.hold(self)

    def end(self, how: Disposition = Disposition.LEAVE) -> None:
        """End a transaction; a reset is told to every handle, this one too. Raises ScardError.

        NOT_TRANSACTED without a transaction (the reset is done all the same), SHARING_VIOLATION in another's.
        """
        slot = self.slot
        self._check_marks()
        self._check_lock()
        if how in (Disposition.RESET, Disposition.UNPOWER):
            slot.reset(cold=how is Disposition.UNPOWER)
        # Whoever has the card for itself alone holds it by one lock more, which no end takes away.
        if slot.holder is not self or slot.depth <= (self.share is Share.EXCLUSIVE):
            raise ScardError(PcscCode.NOT_TRANSACTED)
        slot.let_go(once=True)

    def status(self) -> ReaderStatus:
        """Where the slot stands, for whoever may speak to it (SCardStatus). Raises ScardError."""
        self.admit()
        return ReaderStatus(self.slot.name, self.slot.state(), self.atr)

    def close(self, how: Disposition = Disposition.LEAVE) -> None:
        """Leave the card; ends a transaction (SCardDisconnect). Raises ScardError (INVALID_HANDLE) if left already.

        A card left reset or unpowered is told as reset to whoever else is connected; in another's transaction nothing
        is done to it, where a real service waits.
        """
        if self.trouble is PcscCode.INVALID_HANDLE:
            raise ScardError(PcscCode.INVALID_HANDLE, "already disconnected")
        slot, usable = self.slot, self.trouble not in _GONE
        self.trouble = PcscCode.INVALID_HANDLE
        slot.forget(self)
        if usable and slot.holder is None:
            if how is Disposition.RESET:
                slot.try_reset()
            elif how is Disposition.UNPOWER:
                slot.unpower()

    def disconnect(self, how: Disposition = Disposition.LEAVE) -> None:
        """As ``close``, but leaving twice does nothing: never raises."""
        if self.trouble is not PcscCode.INVALID_HANDLE:
            self.close(how)

    def abandon(self) -> None:
        """Leave as a service does for an application that has gone: a card left in its transaction is reset."""
        held = self.slot.holder is self and self.trouble is None
        self.disconnect(Disposition.RESET if held else Disposition.LEAVE)

    def _check_lock(self) -> None:
        """Raise if the reader has gone, or if another application holds the card."""
        slot, trouble = self.slot, self.trouble
        if trouble is PcscCode.INVALID_HANDLE:
            raise ScardError(PcscCode.INVALID_HANDLE, "already disconnected")
        if trouble is PcscCode.NO_SERVICE:
            raise ScardError(trouble)
        if trouble is PcscCode.READER_UNAVAILABLE or not slot.slot.reachable:
            raise ScardError(PcscCode.READER_UNAVAILABLE, slot.name)
        if slot.holder is not None and slot.holder is not self:
            slot.expire()
            if slot.holder is not None:
                raise ScardError(PcscCode.SHARING_VIOLATION)

    def _check_marks(self) -> None:
        """Raise what its application must be told first, were the card another's."""
        if self.trouble is not None and self.slot.slot.reachable:
            raise ScardError(self.trouble)


_GONE = frozenset({PcscCode.NO_SERVICE, PcscCode.READER_UNAVAILABLE})
