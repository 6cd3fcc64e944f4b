"""A reader: a device with one or more slots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.clock import Clock
from simulator.readers.slot import Slot


@dataclass(frozen=True, slots=True)
class Reader:
    """A device and its slots, in the device's own order."""

    name: str
    slots: tuple[Slot, ...]

    @classmethod
    def of(cls, name: str, slot_names: Sequence[str], clock: Clock) -> Reader:
        """A reader whose slots bear the given PC/SC names, all empty."""
        return cls(name, tuple(Slot(slot_name, clock) for slot_name in slot_names))
