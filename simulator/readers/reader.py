"""A reader: a device with one or more slots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bifente.ground.clock import Clock
from bifente.simulator.readers.pin_pad import PinPad
from bifente.simulator.readers.slot import Slot


@dataclass(frozen=True, slots=True)
class ReaderIdentity:
    """What a device tells of itself beside its names; what is not known of it is absent."""

    vendor: str | None = None
    serial: str | None = None
    firmware: str | None = None
    """Version, ``major.minor``."""
    on_usb: bool = False


@dataclass(frozen=True, slots=True)
class Reader:
    """A device and its slots, in the device's own order.

    ``parts`` are the devices it is made of, where a workstation has several single readers that serve together;
    ``pin_pad`` the keys it has, if any.
    ``identity`` is what it tells of itself.
    """

    name: str
    slots: tuple[Slot, ...]
    parts: tuple[Reader, ...] = ()
    pin_pad: PinPad | None = None
    identity: ReaderIdentity = ReaderIdentity()

    @classmethod
    def of(
        cls,
        name: str,
        slot_names: Sequence[str],
        clock: Clock,
        *,
        pin_pad: PinPad | None = None,
        identity: ReaderIdentity = ReaderIdentity(),
    ) -> Reader:
        """A reader whose slots bear the given PC/SC names, all empty."""
        return cls(name, tuple(Slot(slot_name, clock) for slot_name in slot_names), pin_pad=pin_pad, identity=identity)

    @classmethod
    def together(cls, name: str, parts: Sequence[Reader]) -> Reader:
        """Several devices of one workstation taken as one."""
        return cls(name, tuple(slot for part in parts for slot in part.slots), tuple(parts))

    @property
    def devices(self) -> tuple[Reader, ...]:
        """The devices that are plugged in one by one."""
        return self.parts or (self,)
