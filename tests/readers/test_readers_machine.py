"""Whatever is done to the service in whatever order, a model of a few facts says which code each call gets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from readers_bench import SELECT, Specimen, workstation

from bifente.simulator.readers import Context, Disposition, Handle, PcscCode, ScardError, Share, State

SLOTS = ("TL 0", "TL 1", "XL 0")
OK = 0
names = st.sampled_from(SLOTS)
shares = st.sampled_from(list(Share))


@dataclass
class Link:
    """A handle beside what the model knows of it. ``trouble`` is the last thing that its application must be told."""

    handle: Handle
    slot: str
    share: Share
    plugging: int
    trouble: int = OK
    closed: bool = False


@dataclass
class Place:
    """A slot as the model sees it."""

    present: bool = False
    plugging: int = 1
    plugged: bool = True
    reachable: bool = True
    holder: Link | None = None
    depth: int = 0
    events: int = 0


class Sharing(RuleBasedStateMachine):
    """Two readers, any number of applications."""

    links = Bundle("links")

    def __init__(self) -> None:
        super().__init__()
        self.service, self.readers, _clock = workstation(2, 1)
        self.slots = {slot.name: slot for reader in self.readers for slot in reader.slots}
        self.cards = {name: Specimen(name.encode()) for name in SLOTS}
        self.places = {name: Place() for name in SLOTS}
        self.open: list[Link] = []
        self.lives = 0
        self.context: Context = self.service.establish()

    # -- the model --------------------------------------------------------------------------------------------------

    def others(self, link: Link | None, slot: str) -> list[Link]:
        return [one for one in self.open if one.slot == slot and one is not link]

    def locked(self, link: Link) -> int:
        place = self.places[link.slot]
        if link.closed:
            return PcscCode.INVALID_HANDLE
        if link.plugging != place.plugging or not place.plugged or not place.reachable:
            return PcscCode.READER_UNAVAILABLE
        return OK if place.holder in (None, link) else PcscCode.SHARING_VIOLATION

    def expected(self, link: Link) -> int:
        return self.locked(link) or link.trouble

    def marked(self, link: Link) -> int:
        """Where marks come before the lock of another: to begin and to end."""
        locked = self.locked(link)
        return link.trouble or locked if locked == PcscCode.SHARING_VIOLATION else locked or link.trouble

    def tell(self, slot: str, trouble: int) -> None:
        for link in self.others(None, slot):
            link.trouble = trouble

    def forget(self, slot: str) -> None:
        place = self.places[slot]
        self.tell(slot, PcscCode.REMOVED_CARD)
        place.holder, place.depth = None, 0

    def leave(self, link: Link) -> None:
        place = self.places[link.slot]
        link.closed = True
        if place.holder is link:
            place.holder, place.depth = None, 0
        if link in self.open:
            self.open.remove(link)

    @staticmethod
    def code(call: object) -> int:
        try:
            call()  # type: ignore[operator]
        except ScardError as error:
            return error.code
        return OK

    # -- the hand ---------------------------------------------------------------------------------------------------

    @rule(name=names)
    def move(self, name: str) -> None:
        place, slot = self.places[name], self.slots[name]
        if place.present:
            slot.remove()
            self.forget(name)
        else:
            slot.insert(self.cards[name])
        place.present = not place.present
        if place.plugged:
            place.events += 1

    @rule(number=st.integers(0, 1))
    def plug(self, number: int) -> None:
        reader = self.readers[number]
        mine = [slot.name for slot in reader.slots]
        if self.places[mine[0]].plugged:
            self.service.unplug(reader)
            for name in mine:
                self.forget(name)
                self.places[name].plugged = False
                self.places[name].plugging += 1
            self.open = [link for link in self.open if link.slot not in mine]
        else:
            self.service.plug(reader)
            for name in mine:
                self.places[name].plugged = True
                self.places[name].events = int(self.places[name].present)

    @rule(name=names)
    def cut(self, name: str) -> None:
        place = self.places[name]
        place.reachable = not place.reachable
        self.slots[name].reach(place.reachable)
        self.forget(name)
        if place.plugged:
            place.events += 1

    # -- the applications -------------------------------------------------------------------------------------------

    @rule(target=links, name=names, share=shares)
    def connect(self, name: str, share: Share) -> Link | None:
        place = self.places[name]
        others = self.others(None, name)
        if not place.plugged:
            expected = PcscCode.UNKNOWN_READER
        elif not place.reachable:
            expected = PcscCode.READER_UNAVAILABLE
        elif place.holder is not None or any(link.share is Share.EXCLUSIVE for link in others):
            expected = PcscCode.SHARING_VIOLATION
        elif share is not Share.DIRECT and not place.present:
            expected = PcscCode.NO_SMARTCARD
        elif share is Share.EXCLUSIVE and others:
            expected = PcscCode.SHARING_VIOLATION
        else:
            link = Link(self.context.connect(name, share), name, share, place.plugging)
            self.open.append(link)
            if share is Share.EXCLUSIVE:
                place.holder, place.depth = link, 1
            return link
        assert self.code(lambda: self.context.connect(name, share)) == expected
        return None

    @rule(link=links)
    def transmit(self, link: Link | None) -> None:
        if link is None:
            return
        expected = self.expected(link)
        if expected == OK and not self.places[link.slot].present:
            expected = PcscCode.NO_SMARTCARD
        if expected != OK:
            assert self.code(lambda: link.handle.transmit(SELECT)) == expected
        else:
            assert link.handle.transmit(SELECT).startswith(link.slot.encode()), "its own card, never another's"

    @rule(link=links)
    def begin(self, link: Link | None) -> None:
        if link is None:
            return
        expected = self.marked(link)
        assert self.code(link.handle.begin) == expected
        if expected == OK:
            place = self.places[link.slot]
            place.holder, place.depth = link, place.depth + 1

    @rule(link=links, reset=st.booleans())
    def end(self, link: Link | None, reset: bool) -> None:
        if link is None:
            return
        place = self.places[link.slot]
        expected = self.marked(link)
        if expected == OK and reset:
            self.tell(link.slot, PcscCode.RESET_CARD)
            expected = OK if place.present else PcscCode.NO_SMARTCARD
        if expected == OK:
            if place.holder is link and place.depth > (link.share is Share.EXCLUSIVE):
                place.depth -= 1
                place.holder = link if place.depth else None
            else:
                expected = PcscCode.NOT_TRANSACTED
        assert self.code(lambda: link.handle.end(Disposition.RESET if reset else Disposition.LEAVE)) == expected

    @rule(link=links, share=shares, how=st.sampled_from(list(Disposition)))
    def reconnect(self, link: Link | None, share: Share, how: Disposition) -> None:
        if link is None:
            return
        place = self.places[link.slot]
        expected = self.locked(link)
        if expected == OK and how is not Disposition.LEAVE:
            self.tell(link.slot, PcscCode.RESET_CARD)
        if expected == OK and not place.present and (share is not Share.DIRECT or how is not Disposition.LEAVE):
            expected = PcscCode.NO_SMARTCARD
        if expected == OK and share is Share.EXCLUSIVE and link.share is not share:
            if self.others(link, link.slot):
                expected = PcscCode.SHARING_VIOLATION
            else:
                place.holder, place.depth = link, place.depth + 1
        assert self.code(lambda: link.handle.reconnect(share, how)) == expected
        if expected == OK:
            link.trouble, link.share = OK, share

    @rule(link=consumes(links), reset=st.booleans())
    def disconnect(self, link: Link | None, reset: bool) -> None:
        if link is None:
            return
        place = self.places[link.slot]
        known = place.plugged and link.plugging == place.plugging and not link.closed
        self.leave(link)
        link.handle.disconnect(Disposition.RESET if reset else Disposition.LEAVE)
        if reset and known and place.holder is None:
            self.tell(link.slot, PcscCode.RESET_CARD)
        assert self.code(link.handle.begin) == PcscCode.INVALID_HANDLE

    @rule()
    def stop(self) -> None:
        old = self.context
        self.service.stop()
        assert self.code(self.service.establish) == PcscCode.NO_SERVICE
        self.service.start()
        self.context = self.service.establish()
        assert self.code(old.readers) == PcscCode.NO_SERVICE
        for link in self.open:
            if not link.closed:
                assert self.code(partial(link.handle.transmit, SELECT)) == PcscCode.NO_SERVICE
                link.handle.disconnect()
        while self.open:
            self.leave(self.open[0])
        for place in self.places.values():
            place.holder, place.depth = None, 0

    # -- what always holds ------------------------------------------------------------------------------------------

    @invariant()
    def the_service_tells_what_is(self) -> None:
        there = [name for name in SLOTS if self.places[name].plugged]
        if not there:
            assert self.code(self.context.readers) == PcscCode.NO_READERS_AVAILABLE
            return
        assert sorted(self.context.readers()) == sorted(there)
        for status in self.context.status_change({**dict.fromkeys(there, 0), "\\\\?PnP?\\Notification": 99 << 16})[:-1]:
            place, flags = self.places[status.reader], status.flags
            assert status.events == place.events
            assert (State.PRESENT in flags) == (place.present and place.reachable)
            assert (State.UNAVAILABLE in flags) == (not place.reachable)
            if place.reachable:
                exclusive = any(link.share is Share.EXCLUSIVE for link in self.others(None, status.reader))
                assert (State.EXCLUSIVE in flags) == exclusive
            quiet = status.state & ~int(State.CHANGED)
            known = {status.reader: quiet}
            assert self.code(partial(self.context.status_change, known)) == PcscCode.TIMEOUT


Sharing.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestSharing = Sharing.TestCase
