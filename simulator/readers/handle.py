"""An application's dialogue with the card of one slot, and what it is told of the slot."""

from __future__ import annotations

from dataclasses import dataclass

from bifente.simulator.readers.codes import PcscCode, ScardError
from bifente.simulator.readers.sharing import COUNTER, Disposition, Share, State
from bifente.simulator.readers.slot import LineError, SlotError
from bifente.simulator.readers.terminal import Terminal


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
    """A dialogue with the card of one slot (SCARDHANDLE); satisfies ``Connection``. ``owner`` is its context."""

    __slots__ = ("_closed", "_life", "_mark", "_removals", "_terminal", "lease", "owner", "share")

    def __init__(self, owner: object, terminal: Terminal, share: Share) -> None:
        self.owner = owner
        self._terminal = terminal
        self._closed = False
        self._removals, self._life = terminal.removals, terminal.life
        self._mark: object | None = terminal.mark
        self.share = share
        self.lease: float | None = None
        """When the application lets go by itself, on the clock's counter; None if it does not."""

    @property
    def atr(self) -> bytes:
        """The ATR the card gave when last powered; empty without a card."""
        return self._terminal.atr or b""

    def transmit(self, command: bytes) -> bytes:
        """One command, one response. Raises ScardError (REMOVED_CARD, RESET_CARD, SHARING_VIOLATION ...)."""
        terminal = self._terminal
        holder = terminal.holder
        if self._mark is not terminal.mark or (holder is not None and holder is not self):
            self._check()
        try:
            return terminal.slot.exchange(command)
        except LineError as broken:
            raise ScardError(broken.code) from None
        except SlotError:
            self._check()
            raise ScardError(PcscCode.NO_SMARTCARD) from None

    def control(self, code: int, data: bytes) -> bytes:
        """Speak to the reader itself (SCardControl): its PIN pad, if it has one. Raises ScardError."""
        terminal = self._terminal
        self._check()
        if terminal.pin_pad is None:
            raise ScardError(PcscCode.UNSUPPORTED_FEATURE, "this reader has no PIN pad")
        return terminal.pin_pad.control(code, data, self.transmit, terminal.clock.wait)

    def reset(self, *, cold: bool) -> bytes:
        """Reset the card; the other handles learn it by RESET_CARD. Gives the ATR. Raises ScardError."""
        return self.reconnect(self.share, Disposition.UNPOWER if cold else Disposition.RESET)

    def reconnect(self, share: Share = Share.SHARED, how: Disposition = Disposition.LEAVE) -> bytes:
        """Take the card up anew, after another application reset it for instance. Gives the ATR. Raises ScardError.

        It takes up whatever card is in the slot, after a removal too; NO_SMARTCARD without one.
        """
        terminal = self._terminal
        self._check(anew=True)
        if share is not Share.DIRECT and terminal.slot.card is None:
            raise ScardError(PcscCode.NO_SMARTCARD, terminal.name)
        if share is Share.EXCLUSIVE and terminal.others(self):
            raise ScardError(PcscCode.SHARING_VIOLATION)
        self.share = share
        if how is not Disposition.LEAVE:
            terminal.reset(cold=how is Disposition.UNPOWER)
        elif share is not Share.DIRECT:
            terminal.power()
        self._mark, self._removals = terminal.mark, terminal.removals
        return self.atr

    def begin(self) -> None:
        """Begin a transaction; begun twice it must be ended twice. Raises ScardError.

        SHARING_VIOLATION where a real service would make the caller wait, since nobody else runs here.
        """
        self._check()
        self._terminal.holder = self
        self._terminal.depth += 1

    def end(self, how: Disposition = Disposition.LEAVE) -> None:
        """End a transaction; a reset is told to every handle, this one too. Raises ScardError.

        NOT_TRANSACTED without a transaction, SHARING_VIOLATION in another's.
        """
        terminal = self._terminal
        self._check()
        if terminal.holder is not self:
            raise ScardError(PcscCode.NOT_TRANSACTED)
        if how is not Disposition.LEAVE:
            terminal.reset(cold=how is Disposition.UNPOWER)
        terminal.let_go(once=True)

    def status(self) -> ReaderStatus:
        """Where the slot stands, for whoever may speak to it (SCardStatus). Raises ScardError."""
        self._check()
        terminal = self._terminal
        return ReaderStatus(terminal.name, terminal.state(), self.atr)

    def close(self, how: Disposition = Disposition.LEAVE) -> None:
        """Leave the card; ends a transaction (SCardDisconnect). Raises ScardError (INVALID_HANDLE) if left already.

        A card left reset or unpowered is told as reset to whoever else is connected.
        """
        if self._closed:
            raise ScardError(PcscCode.INVALID_HANDLE, "already disconnected")
        terminal, usable = self._terminal, not self.stale
        self._closed, self._mark = True, None
        terminal.forget(self)
        if usable and terminal.holder is None:
            if how is Disposition.RESET:
                terminal.try_reset()
            elif how is Disposition.UNPOWER:
                terminal.unpower()

    def disconnect(self, how: Disposition = Disposition.LEAVE) -> None:
        """As ``close``, but leaving twice does nothing: never raises."""
        if not self._closed:
            self.close(how)

    @property
    def stale(self) -> bool:
        """Whether its card was taken out, its reader pulled out or lost, or its service stopped."""
        terminal = self._terminal
        return (
            self._closed
            or self._life != terminal.life
            or not terminal.plugged
            or not terminal.slot.reachable
            or self._removals != terminal.removals
        )

    def _check(self, *, anew: bool = False) -> None:
        """Raise what keeps this handle from its card, if anything does."""
        terminal = self._terminal
        if self._closed:
            raise ScardError(PcscCode.INVALID_HANDLE, "already disconnected")
        if self._life != terminal.life:
            raise ScardError(PcscCode.NO_SERVICE)
        if not terminal.plugged or not terminal.slot.reachable:
            raise ScardError(PcscCode.READER_UNAVAILABLE, terminal.name)
        if self._removals != terminal.removals and not anew:
            raise ScardError(PcscCode.REMOVED_CARD)
        if terminal.holder not in (None, self):
            terminal.expire()
            if terminal.holder is not None:
                raise ScardError(PcscCode.SHARING_VIOLATION)
        if self._mark is not terminal.mark and not anew:
            if self.share is not Share.DIRECT:
                raise ScardError(PcscCode.RESET_CARD)
            self._mark = terminal.mark
