"""The readers that all sessions share: who waits for what, and what everybody is told when something moves."""

from __future__ import annotations

import heapq
import secrets
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from bifente.ground.clock import Clock
from bifente.simulator.pcsc.own.link import SlotLink
from bifente.simulator.pcsc.own.orders import ToldMovement
from bifente.simulator.pcsc.own.session import CANCELLED, OK, Attempt, Session
from bifente.simulator.pcsc.own.table import Table
from bifente.simulator.pcsc.own.witness import Witness
from bifente.simulator.readers import Context, PcscCode, PcscService, Reader, ReaderIdentity, ScardError, Slot
from bifente.simulator.readers.pcsc_slot import PcscSlot

GRACE = 5.0
"""Seconds after which a card that nobody uses loses its power, as in a CCID reader behind pcscd."""

_REMEMBERED = 8192
"""Numbers of contexts and cards that are not given again: a service of weeks keeps no more of them."""


@dataclass(frozen=True, slots=True)
class SlotSeed:
    """A slot to be plugged in: its name, its link to the bench, the card in it if any, whether it can be reached."""

    name: str
    socket: socket.socket
    atr: bytes | None
    reachable: bool = True


@dataclass(order=True, slots=True)
class _Timer:
    due: float
    order: int
    session: Session = field(compare=False)
    said: bytes = field(compare=False)


class ReadersFloor:
    """Everything but the connections. Belongs to one thread; nothing here waits but for a card to be powered."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._service = PcscService([], clock)
        self.table = Table()
        self.witness: Witness | None = None
        """Who is told what clients ask and how cards move."""
        self.sessions: set[Session] = set()
        self._readers: dict[int, tuple[Reader, list[SlotLink]]] = {}
        self._links: dict[str, SlotLink] = {}
        self._late: set[SlotLink] = set()
        self._waiting: dict[Session, None] = {}
        self._parked: list[tuple[Session | None, Attempt]] = []
        self._timers: list[_Timer] = []
        self._timers_made = 0
        self._unpowered: set[SlotLink] = set()
        self._idle_since: dict[SlotLink, float] = {}
        self._dirty = self._retry = False
        self._numbers: dict[int, None] = {}

    # -- the bench ----------------------------------------------------------------------------------------------------

    def plug(
        self,
        number: int,
        seeds: Sequence[SlotSeed],
        identity: ReaderIdentity = ReaderIdentity(),  # noqa: B008 - frozen
    ) -> list[SlotLink]:
        """Plug a reader in. Gives the links to listen to. Raises ValueError for a name that is taken."""
        slots = [Slot(seed.name, self._clock) for seed in seeds]
        links = [
            SlotLink(seed.socket, slot, seed.atr, seed.reachable, self._late)
            for seed, slot in zip(seeds, slots, strict=True)
        ]
        reader = Reader(f"reader {number}", tuple(slots), identity=identity)
        self._service.plug(reader)
        self._readers[number] = (reader, links)
        for link in links:
            self._links[link.slot.name] = link
            self._powers(link)
            self.table.plug(self._service.pcsc_slots[link.slot.name])
        self._tell()
        self.moved()
        return links

    def unplug(self, number: int) -> list[SlotLink]:
        """Pull a reader out; gives the links to listen to no more. Raises KeyError for one that is not in."""
        reader, links = self._readers.pop(number)
        for link in links:
            self.table.unplug(self._service.pcsc_slots[link.slot.name])
            link.interrupt(PcscCode.READER_UNAVAILABLE)
            del self._links[link.slot.name]
            self._unpowered.discard(link)
            self._late.discard(link)
            self._idle_since.pop(link, None)
            link.dead = True
        self._service.unplug(reader)
        self._tell()
        self.moved()
        return links

    def hear(self, link: SlotLink) -> list[int] | None:
        """Hear what a slot has to say; the numbers of movements to acknowledge, or None once the bench has gone."""
        told = link.receive()
        if told is None:
            return None
        self._retry = True
        return self._move(link, told)

    def _move(self, link: SlotLink, told: Sequence[ToldMovement]) -> list[int]:
        for one in told:
            link.move(one)
            if self.witness is not None:
                self.witness.moved(link.slot.name, one.movement.name.lower())
            self._powers(link)
            self._dirty = True
        return [one.number for one in told if one.number]

    def _powers(self, link: SlotLink) -> None:
        """Power a card that has come, as a reader does; one at work still for a card that left is not disturbed."""
        if link.slot.answering is None:
            self._unpowered.discard(link)
        elif link.busy:
            self._unpowered.add(link)
        else:
            self._unpowered.discard(link)
            with suppress(ScardError):  # the slot shows a mute card
                self._service.pcsc_slots[link.slot.name].power()

    # -- what sessions ask --------------------------------------------------------------------------------------------

    def establish(self) -> Context:
        """A context of the readers."""
        return self._service.establish()

    def slot(self, name: str) -> PcscSlot | None:
        """A reader by its name."""
        return self._service.pcsc_slots.get(name)

    def link(self, slot: PcscSlot) -> SlotLink:
        """The link behind a reader, also behind one that has gone."""
        return self._links.get(slot.name) or _GONE

    def number(self) -> int:
        """A number of 31 bits that nobody was given of late: one of a connection that has ended means nothing."""
        while True:
            number = secrets.randbits(31)
            if number and number not in self._numbers:
                self._numbers[number] = None
                if len(self._numbers) > _REMEMBERED:
                    del self._numbers[next(iter(self._numbers))]
                return number

    def cancel(self, context: int) -> int:
        """End the wait of the session that has this context; the code for whoever asked."""
        for session in self.sessions:
            if session.context == context:
                if self.stop_waiting(session):
                    session.notify(CANCELLED)
                return OK
        return int(PcscCode.INVALID_HANDLE)

    def wait(self, session: Session) -> None:
        """Tell the session of the next change."""
        self._waiting[session] = None

    def stop_waiting(self, session: Session) -> bool:
        """Do not; whether it still waited."""
        if session in self._waiting:
            del self._waiting[session]
            return True
        return False

    def park(self, session: Session | None, attempt: Attempt) -> None:
        """Try a request again when anything has moved."""
        self._parked.append((session, attempt))

    def later(self, seconds: float, session: Session, said: bytes) -> None:
        """Answer after a while."""
        self._timers_made += 1
        heapq.heappush(self._timers, _Timer(self._clock.monotonic() + seconds, self._timers_made, session, said))

    def moved(self) -> None:
        """Something may look otherwise than before."""
        self._dirty = self._retry = True

    # -- after each event ---------------------------------------------------------------------------------------------

    def settle(self) -> list[int]:
        """Bring everything to rest; gives the movements to acknowledge that were read on the way."""
        heard: list[int] = []
        while self._retry or self._dirty or self._late:
            while self._late:
                link = self._late.pop()
                heard += self._move(link, link.kept())
            if self._retry:
                self._retry = False
                for link in [one for one in self._unpowered if not one.busy]:
                    self._powers(link)
                    self._dirty = True
                self._try_parked()
            if self._dirty:
                self._dirty = False
                if self.table.refresh():
                    self._tell()
                self._watch_idle()
        return heard

    def _try_parked(self) -> None:
        parked, self._parked = self._parked, []
        for session, attempt in parked:
            done = attempt() is not None if session is None else session.gone or session.try_now(attempt)
            if not done:
                self._parked.append((session, attempt))

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for session in waiting:
            session.notify()

    def _watch_idle(self) -> None:
        now = self._clock.monotonic()
        for name, link in self._links.items():
            slot = self._service.pcsc_slots[name]
            if slot.powered and not slot.handles:
                self._idle_since.setdefault(link, now)
            else:
                self._idle_since.pop(link, None)

    def due(self) -> float | None:
        """Seconds until something is due; None if nothing is."""
        times = [timer.due for timer in self._timers[:1]]
        times += [since + GRACE for since in self._idle_since.values()]
        return max(0.0, min(times) - self._clock.monotonic()) if times else None

    def pass_time(self) -> None:
        """Do what is due."""
        now = self._clock.monotonic()
        while self._timers and self._timers[0].due <= now:
            timer = heapq.heappop(self._timers)
            if not timer.session.gone:
                timer.session.answer(timer.said)
        for link in [one for one, since in self._idle_since.items() if since + GRACE <= now and not one.busy]:
            del self._idle_since[link]
            self._service.pcsc_slots[link.slot.name].cut()
            self.moved()


class _NoLink:
    """The link of a reader that has gone: nothing is at work there."""

    busy = False


_GONE: SlotLink = _NoLink()  # type: ignore[assignment]
