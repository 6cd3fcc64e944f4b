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
    EJECT = 3
    """Nothing happens in a reader without a motor."""


class Protocol(IntFlag):
    """The transmission protocols an application accepts."""

    NONE = 0
    T0 = 1
    T1 = 2
    ANY = 3
    RAW = 4
    """Commands as they are, whatever the card speaks."""


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


def offered(atr: bytes) -> Protocol:
    """The protocols of an ATR as pcsc-lite reads it: TA2 names the only one; NONE for what cannot be read.

    More patient than ``Atr.parse``: neither the check byte nor the end is looked at.
    """
    if len(atr) < 2 or atr[0] not in (0x3B, 0x3F):
        return Protocol.NONE
    found, position, group, follows = Protocol.NONE, 2, 1, atr[1] >> 4
    while follows & 0x8:
        if group == 2 and follows & 0x1 and position < len(atr):
            return _numbered(atr[position] & 0x0F)
        position += follows.bit_count()
        if position > len(atr):
            return Protocol.NONE
        found |= _numbered(atr[position - 1] & 0x0F)
        follows, group = atr[position - 1] >> 4, group + 1
    if group == 2 and follows & 0x1 and position < len(atr):
        return _numbered(atr[position] & 0x0F)
    return found if group > 1 else Protocol.T0


def _numbered(number: int) -> Protocol:
    return {0: Protocol.T0, 1: Protocol.T1}.get(number, Protocol.NONE)
