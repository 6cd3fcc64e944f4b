"""A PC/SC service in process: what pcscd and its client library are to the software of a workstation.

Nothing runs beside the caller here. Where a real service makes an application wait for another one to end its
transaction, this one says SHARING_VIOLATION at once, as pcsc-lite does when told not to block; where it would wait
for an event, the wait is spent on the clock. The rest follows pcscd 1.9.9, measured beside it (``tests/pcsc``). What
it serves belongs to one thread at a time, as slots and cards do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bifente.ground.clock import Clock
from bifente.simulator.readers.codes import PcscCode, ScardError
from bifente.simulator.readers.handle import Handle, ReaderStatus
from bifente.simulator.readers.pcsc_slot import PcscSlot
from bifente.simulator.readers.reader import Reader
from bifente.simulator.readers.sharing import COUNTER, PNP_NOTIFICATION, Protocol, Share, State
from bifente.simulator.readers.slot import Slot


class PcscService:
    """The readers of one workstation and the applications that share them.

    ``readers`` are plugged in at once, in this order; any number of slots. An application that waits does so on
    ``clock``.
    """

    def __init__(self, readers: Iterable[Reader], clock: Clock) -> None:
        self.clock = clock
        self._running = True
        self._lives = 0
        self._slots: dict[str, PcscSlot] = {}
        self._known: dict[Slot, PcscSlot] = {}
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
        if taken := sorted({*names} & self._slots.keys()) or [name for name in names if names.count(name) > 1]:
            raise ValueError(f"two readers would bear the name {taken[0]!r}: a PC/SC name stands for one slot")
        for slot in reader.slots:
            if (known := self._known.get(slot)) is not None and known.plugged:
                raise ValueError(f"{slot.name!r} is plugged in already")
        for slot, name in zip(reader.slots, names, strict=True):
            made = PcscSlot(name, slot, reader.pin_pad, self.clock, reader.identity)
            self._slots[name] = self._known[slot] = made

    def unplug(self, reader: Reader) -> None:
        """Pull a reader out: its cards lose their power. Raises ValueError if it is not plugged in."""
        if not all(self.plugged(slot) for slot in reader.slots):
            raise ValueError(f"{reader.name!r} is not plugged in")
        for slot in reader.slots:
            known = self._known[slot]
            known.unplug()
            del self._slots[known.name]
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
        for slot in self._slots.values():
            slot.abandon()

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

    @property
    def pcsc_slots(self) -> Mapping[str, PcscSlot]:
        """The slots plugged in, by the names applications see."""
        return self._slots


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
        if not self._service.pcsc_slots:
            raise ScardError(PcscCode.NO_READERS_AVAILABLE)
        return tuple(self._service.pcsc_slots)

    def connect(self, reader: str, share: Share = Share.SHARED, protocols: Protocol = Protocol.ANY) -> Handle:
        """Open a dialogue (SCardConnect); powers the card if nobody had. Raises ScardError."""
        slot = self._find(reader)
        slot.open(share, protocols)
        handle = Handle(self, slot, share)
        slot.handles.append(handle)
        if share is Share.EXCLUSIVE:
            slot.hold(handle)
        return handle

    def status_change(self, known: Mapping[str, int], timeout: float = 0.0) -> tuple[ReaderStatus, ...]:
        """Where each reader stands if any differs from what is ``known`` of it (SCardGetStatusChange).

        Nothing moves while the caller waits: with nothing to tell, ``timeout`` seconds pass and TIMEOUT is raised.
        Raises ScardError (UNKNOWN_READER, NO_SERVICE, TIMEOUT).
        """
        found = self._statuses(known)
        if not any(status.flags & State.CHANGED for status in found):
            self._service.clock.wait(timeout)
            raise ScardError(PcscCode.TIMEOUT)
        return found

    def wait(self, reader: str, *, present: bool, timeout: float) -> bool:
        """A look at the slot: nothing moves in process while the caller waits, so no ``timeout`` is spent."""
        return (self._find(reader).slot.answering is not None) == present

    def release(self) -> None:
        """Give the context back: its handles are closed, a card in its transaction is reset.

        Raises ScardError if given back already.
        """
        if self._released:
            raise ScardError(PcscCode.INVALID_HANDLE, "this context was released")
        self._released = True
        for slot in self._service.pcsc_slots.values():
            for handle in tuple(slot.handles):
                if isinstance(handle, Handle) and handle.owner is self:
                    handle.abandon()

    def _check(self) -> None:
        if self._released:
            raise ScardError(PcscCode.INVALID_HANDLE, "this context was released")
        if not self._service.alive(self._life):
            raise ScardError(PcscCode.NO_SERVICE)

    def _find(self, reader: str) -> PcscSlot:
        self._check()
        try:
            return self._service.pcsc_slots[reader]
        except KeyError:
            raise ScardError(PcscCode.UNKNOWN_READER, reader) from None

    def _statuses(self, known: Mapping[str, int]) -> tuple[ReaderStatus, ...]:
        self._check()
        return tuple(self._status(name, state) for name, state in known.items())

    def _status(self, name: str, known: int) -> ReaderStatus:
        if name == PNP_NOTIFICATION:
            count = len(self._service.pcsc_slots)
            changed = State.CHANGED if known >> COUNTER != count else State.UNAWARE
            return ReaderStatus(name, count << COUNTER | changed, b"")
        slot = self._find(name)
        now = slot.state()
        changed = State.CHANGED if now != known & ~int(State.CHANGED) else State.UNAWARE
        return ReaderStatus(name, now | changed, slot.atr or b"")
