"""A PC/SC service in process: what pcscd and its client library are to the software of a workstation.

Nothing runs beside the caller here. Where a real service makes an application wait for another one to end its
transaction, this one says SHARING_VIOLATION at once, as pcsc-lite does when told not to block; where it would wait
for an event, the wait is spent on the clock. The rest follows pcscd 1.9.9, measured beside it (``tests/pcsc``). What
it serves belongs to one thread at a time, as slots and cards do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from simulator.clock import Clock, VirtualClock
from simulator.iso7816.atr import Atr, AtrError
from simulator.readers.codes import PcscCode, ScardError
from simulator.readers.pin_pad import PinPad
from simulator.readers.reader import Reader
from simulator.readers.sharing import COUNTER, PNP_NOTIFICATION, Disposition, Protocol, Share, State
from simulator.readers.slot import LineError, Slot, SlotError, SlotEvent, SlotEventKind


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


class PcscService:
    """The readers of one workstation and the applications that share them.

    ``readers`` are plugged in at once, in this order; any number of slots. ``pause`` lets time pass for an application
    that waits; by default it moves a virtual clock and waits for the machine's.
    """

    def __init__(
        self, readers: Iterable[Reader], clock: Clock, *, pause: Callable[[float], object] | None = None
    ) -> None:
        self.clock = clock
        self._pause = pause or (clock.advance if isinstance(clock, VirtualClock) else time.sleep)
        self._running = True
        self._lives = 0
        self._terminals: dict[str, _Terminal] = {}
        self._known: dict[Slot, _Terminal] = {}
        for reader in readers:
            self.plug(reader)

    # -- what the hand and the system do ----------------------------------------------------------------------------

    def plug(self, reader: Reader, names: Sequence[str] | None = None) -> None:
        """Plug a reader in, under the names of its slots or under others (another serial, another index).

        Raises ValueError if a name is taken, or one of its slots is plugged in already.
        """
        names = tuple(slot.name for slot in reader.slots) if names is None else tuple(names)
        if len(names) != len(reader.slots):
            raise ValueError(f"{reader.name} has {len(reader.slots)} slots, not {len(names)}")
        if taken := sorted({*names} & self._terminals.keys()) or [name for name in names if names.count(name) > 1]:
            raise ValueError(f"two readers would bear the name {taken[0]!r}: a PC/SC name stands for one slot")
        for slot in reader.slots:
            if (known := self._known.get(slot)) is not None and known.plugged:
                raise ValueError(f"{slot.name!r} is plugged in already")
        for slot, name in zip(reader.slots, names, strict=True):
            terminal = _Terminal(name, slot, reader.pin_pad, self)
            self._terminals[name] = self._known[slot] = terminal

    def unplug(self, reader: Reader) -> None:
        """Pull a reader out: its cards lose their power. Raises ValueError if it is not plugged in."""
        if not all(self.plugged(slot) for slot in reader.slots):
            raise ValueError(f"{reader.name!r} is not plugged in")
        for slot in reader.slots:
            terminal = self._known[slot]
            terminal.unplug()
            del self._terminals[terminal.name]
            if slot.card is not None:
                slot.card.power_off()

    def plugged(self, slot: Slot) -> bool:
        """Whether the slot's reader is plugged in."""
        return (known := self._known.get(slot)) is not None and known.plugged

    def name_of(self, slot: Slot) -> str:
        """The name applications see, or last saw, for a slot. Raises KeyError for one never plugged in."""
        return self._known[slot].name

    def stop(self) -> None:
        """Stop the service: every context and every card handle is dead for good."""
        self._running = False
        self._lives += 1
        for terminal in self._terminals.values():
            terminal.abandon()

    def start(self) -> None:
        """Start it again; applications must establish a new context."""
        self._running = True

    @property
    def running(self) -> bool:
        """Whether it answers."""
        return self._running

    # -- what an application does -----------------------------------------------------------------------------------

    def establish(self) -> Context:
        """A context for one application (SCardEstablishContext). Raises ScardError (NO_SERVICE)."""
        if not self._running:
            raise ScardError(PcscCode.NO_SERVICE)
        return Context(self, self._lives)

    def alive(self, life: int) -> bool:
        """Whether the service still is the one that gave out contexts of this life."""
        return self._running and life == self._lives

    def pass_time(self, seconds: float) -> None:
        """Let an application wait."""
        self._pause(seconds)

    @property
    def terminals(self) -> Mapping[str, _Terminal]:
        """The slots plugged in, by the names applications see."""
        return self._terminals


class Context:
    """One application's way to the readers; satisfies ``ReaderAccess``."""

    def __init__(self, service: PcscService, life: int) -> None:
        self._service = service
        self._life = life
        self._released = False

    @property
    def alive(self) -> bool:
        """Whether calls through it can still succeed."""
        return not self._released and self._service.alive(self._life)

    def readers(self) -> tuple[str, ...]:
        """The names of all slots (SCardListReaders). Raises ScardError (NO_READERS_AVAILABLE, NO_SERVICE)."""
        self._check()
        if not self._service.terminals:
            raise ScardError(PcscCode.NO_READERS_AVAILABLE)
        return tuple(self._service.terminals)

    def connect(self, reader: str, share: Share = Share.SHARED, protocols: Protocol = Protocol.ANY) -> Handle:
        """Open a dialogue (SCardConnect); powers the card if nobody had. Raises ScardError."""
        terminal = self._find(reader)
        terminal.open(share, protocols)
        handle = Handle(self, terminal, share)
        terminal.handles.append(handle)
        return handle

    def status_change(self, known: Mapping[str, int], timeout: float = 0.0) -> tuple[ReaderStatus, ...]:
        """Where each reader stands if any differs from what is ``known`` of it (SCardGetStatusChange).

        Nothing moves while the caller waits: with nothing to tell, ``timeout`` seconds pass and TIMEOUT is raised.
        Raises ScardError (UNKNOWN_READER, NO_SERVICE, TIMEOUT).
        """
        found = self._statuses(known)
        if not any(status.flags & State.CHANGED for status in found):
            self._service.pass_time(timeout)
            raise ScardError(PcscCode.TIMEOUT)
        return found

    def wait(self, reader: str, *, present: bool, timeout: float) -> bool:
        """A look at the slot: nothing moves in process while the caller waits, so no ``timeout`` is spent."""
        return (self._find(reader).slot.answering is not None) == present

    def release(self) -> None:
        """Give the context back; its handles are closed, their cards left. Raises ScardError if given back already."""
        if self._released:
            raise ScardError(PcscCode.INVALID_HANDLE, "this context was released")
        self._released = True
        for terminal in self._service.terminals.values():
            for handle in tuple(terminal.handles):
                if handle.owner is self:
                    handle.disconnect()

    def _check(self) -> None:
        if self._released:
            raise ScardError(PcscCode.INVALID_HANDLE, "this context was released")
        if not self._service.alive(self._life):
            raise ScardError(PcscCode.NO_SERVICE)

    def _find(self, reader: str) -> _Terminal:
        self._check()
        try:
            return self._service.terminals[reader]
        except KeyError:
            raise ScardError(PcscCode.UNKNOWN_READER, reader) from None

    def _statuses(self, known: Mapping[str, int]) -> tuple[ReaderStatus, ...]:
        self._check()
        return tuple(self._status(name, state) for name, state in known.items())

    def _status(self, name: str, known: int) -> ReaderStatus:
        if name == PNP_NOTIFICATION:
            count = len(self._service.terminals)
            changed = State.CHANGED if known >> COUNTER != count else State.UNAWARE
            return ReaderStatus(name, count << COUNTER | changed, b"")
        terminal = self._find(name)
        now = terminal.state()
        changed = State.CHANGED if now != known & ~int(State.CHANGED) else State.UNAWARE
        return ReaderStatus(name, now | changed, terminal.atr or b"")


class Handle:
    """A dialogue with the card of one slot (SCARDHANDLE); satisfies ``Connection``."""

    __slots__ = ("_closed", "_life", "_mark", "_removals", "_terminal", "lease", "owner", "share")

    def __init__(self, owner: Context, terminal: _Terminal, share: Share) -> None:
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
        return terminal.pin_pad.control(code, data, self.transmit, terminal.pass_time)

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


class _Terminal:
    """What all handles to one slot share. ``mark`` is exchanged whenever they must look where they stand."""

    def __init__(self, name: str, slot: Slot, pin_pad: PinPad | None, service: PcscService) -> None:
        self.name = name
        self.slot = slot
        self.pin_pad = pin_pad
        self.atr: bytes | None = slot.card.atr if slot.answering is not None and slot.card is not None else None
        self.plugged = True
        self.mark = object()
        self.life = 0
        self.removals = 0
        self.events = 1 if slot.card is not None else 0
        self.handles: list[Handle] = []
        self.holder: Handle | None = None
        self.depth = 0
        self.pass_time = service.pass_time
        self._clock = service.clock
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

    def others(self, handle: Handle | None) -> bool:
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

    def forget(self, handle: Handle) -> None:
        """A handle is closed."""
        if self.holder is handle:
            self.let_go(once=False)
        if handle in self.handles:
            self.handles.remove(handle)

    def expire(self) -> None:
        """Close the handles of applications that let go by themselves at a time now past."""
        now = self._clock.monotonic()
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
