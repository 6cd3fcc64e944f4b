"""What the bench and the process that serves its readers say to each other: one datagram a message, two kinds of link.

A link a slot: the process orders a card to be powered or asked, the bench answers and tells what happens to the slot.
One link for the whole: the bench plugs readers in and out, stops and starts the service; each order is acknowledged.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

LONGEST = 66_000
"""A datagram is never longer: 65548 bytes of data and what stands before."""


class SlotOrder(IntEnum):
    """What the process asks of a slot."""

    TRANSMIT = 1
    CONTROL = 2
    POWER_ON = 3
    POWER_OFF = 4
    RESET = 5


class SlotOutcome(IntEnum):
    """How an order ended: the payload is an answer, or a PC/SC code in 4 bytes; or there was no card."""

    DONE = 0
    LINE = 1
    EMPTY = 2


class Movement(IntEnum):
    """What happened to a slot; the payload of the first, the third and the last is the ATR of its card, if any."""

    INSERTED = 0
    REMOVED = 1
    REPLACED = 2
    LOST = 3
    BACK = 4


_ORDER = struct.Struct("=BI")
_TOLD = struct.Struct("=BIB")
_CODE = struct.Struct("=I")
_REPLY, _EVENT = 0, 1


def order(what: SlotOrder, number: int, payload: bytes = b"") -> bytes:
    """An order of the process."""
    return _ORDER.pack(what, number) + payload


def read_order(datagram: memoryview) -> tuple[SlotOrder, int, bytes]:
    """What is asked, its number, its payload."""
    what, number = _ORDER.unpack_from(datagram)
    return SlotOrder(what), number, bytes(datagram[_ORDER.size :])


def reply(number: int, outcome: SlotOutcome, payload: bytes = b"") -> bytes:
    """The bench's answer to an order."""
    return _TOLD.pack(_REPLY, number, outcome) + payload


def failure(number: int, code: int) -> bytes:
    """The bench's answer to an order that the line did not carry out."""
    return reply(number, SlotOutcome.LINE, _CODE.pack(code))


def code_of(payload: bytes) -> int:
    """The PC/SC code in an answer of ``SlotOutcome.LINE``."""
    return int(_CODE.unpack(payload)[0])


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to order ``number``."""

    number: int
    outcome: SlotOutcome
    payload: bytes


@dataclass(frozen=True, slots=True)
class ToldMovement:
    """A movement; ``number`` is what the bench wants acknowledged, 0 if it was the card itself that moved.

    In that case its answer follows.
    """

    number: int
    movement: Movement
    atr: bytes


def moved(number: int, movement: Movement, atr: bytes = b"") -> bytes:
    """A movement as the bench tells it."""
    return _TOLD.pack(_EVENT, number, movement) + atr


def read_told(datagram: memoryview) -> Reply | ToldMovement:
    """What the bench says of a slot."""
    kind, number, what = _TOLD.unpack_from(datagram)
    payload = bytes(datagram[_TOLD.size :])
    return Reply(number, _OUTCOMES[what], payload) if kind == _REPLY else ToldMovement(number, Movement(what), payload)


_OUTCOMES = tuple(SlotOutcome)
