"""The readers as clients are shown them: each keeps its place while it is plugged in, and whoever waits is told."""

from __future__ import annotations

from bifente.simulator.pcsc.own.messages import FREE_PLACE, PLACES, state
from bifente.simulator.readers import Share
from bifente.simulator.readers.pcsc_slot import PcscSlot

UNKNOWN, ABSENT, PRESENT, SWALLOWED, POWERED, NEGOTIABLE = 1, 2, 4, 8, 16, 32


def picture(slot: PcscSlot) -> bytes:
    """One reader of the array."""
    bits, atr = ABSENT, b""
    if not slot.slot.reachable:
        bits = UNKNOWN
    elif slot.slot.card is not None:
        if slot.mute:
            bits = PRESENT | SWALLOWED
        else:
            bits = PRESENT if slot.left_unpowered else PRESENT | POWERED | NEGOTIABLE
            atr = slot.atr or b""
    sharing = -1 if any(handle.share is Share.EXCLUSIVE for handle in slot.handles) else len(slot.handles)
    return state(slot.name, slot.events, bits, sharing, atr, int(slot.protocol))


class Table:
    """The array of readers. ``events`` counts arrivals and departures, from 1 on as pcscd does."""

    def __init__(self) -> None:
        self._slots: list[PcscSlot | None] = []
        self._pictures: list[bytes] = [FREE_PLACE] * PLACES
        self.events = 1

    def plug(self, slot: PcscSlot) -> None:
        """Give a reader the first free place; the table grows if there is none, and never shrinks."""
        places = self._slots
        if None in places:
            place = places.index(None)
            places[place] = slot
        else:
            place = len(places)
            places.append(slot)
        if place >= len(self._pictures):
            self._pictures.append(FREE_PLACE)
        self._pictures[place] = picture(slot)
        self.events += 1

    def unplug(self, slot: PcscSlot) -> None:
        """Free a reader's place."""
        place = self._slots.index(slot)
        self._slots[place] = None
        self._pictures[place] = FREE_PLACE
        self.events += 1

    def refresh(self) -> bool:
        """Look at every reader anew; whether any looks otherwise than before."""
        changed = False
        for place, slot in enumerate(self._slots):
            if slot is not None and (now := picture(slot)) != self._pictures[place]:
                self._pictures[place] = now
                changed = True
        return changed

    @property
    def count(self) -> int:
        """Places of the whole array: 16, or more if there were ever more readers."""
        return len(self._pictures)

    def array(self, *, whole: bool) -> bytes:
        """The array: its first 16 places, or all for a client that asked how many there are."""
        return b"".join(self._pictures if whole else self._pictures[:PLACES])
