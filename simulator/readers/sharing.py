"""The words of PC/SC: share modes, dispositions, protocols and reader states, with their values on the wire."""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Share(IntEnum):
    """How an application wants a card (SCardConnect)."""

    EXCLUSIVE = 1
    SHARED = 2
    DIRECT = 3
    """The reader itself, with or without a card in it: for SCardControl."""


class Disposition(IntEnum):
    """What becomes of the card when an application leaves it, or takes it up anew."""

    LEAVE = 0
    RESET = 1
    UNPOWER = 2


class Protocol(IntFlag):
    """The transmission protocols an application accepts."""

    NONE = 0
    T0 = 1
    T1 = 2
    ANY = 3


class State(IntFlag):
    """What SCardGetStatusChange tells of a reader; the event counter stands in the upper 16 bits."""

    UNAWARE = 0x0
    CHANGED = 0x2
    UNKNOWN = 0x4
    UNAVAILABLE = 0x8
    EMPTY = 0x10
    PRESENT = 0x20
    EXCLUSIVE = 0x80
    INUSE = 0x100
    MUTE = 0x200


COUNTER = 16
"""Bits below the event counter in a state."""

PNP_NOTIFICATION = "\\\\?PnP?\\Notification"
"""The reader name that stands for the arrival and departure of readers; its counter is the number of readers."""
