"""A client's side of the talk with one card: T=0 procedure followed, every exchange told."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from bifente.simulator.cards.connection import Connection
from bifente.simulator.iso7816.apdu import Command, Response
from bifente.simulator.iso7816.atr import Atr, AtrError

GET_RESPONSE = 0xC0
_CHANNEL, _FURTHER_CLASSES = 0x03, 0x40
_MAX_ROUNDS = 300
"""Most GET RESPONSE in a row: more than a full extended answer needs, so that a hostile card cannot hold the bench."""


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One command and its raw response; ``seconds`` is the wall time it took."""

    command: bytes
    response: bytes
    seconds: float


class Dialogue:
    """Sends commands over a connection. ``told`` hears every exchange, in order.

    ``open_channels`` are the logical channels known to be open: channel 0, and those that served a command.
    """

    def __init__(self, connection: Connection, told: Callable[[Exchanged], None]) -> None:
        self.connection = connection
        self.open_channels = {0}
        self._told = told

    @cached_property
    def block_protocol(self) -> bool:
        """Whether the ATR offers T=1, which a PC/SC service then chooses."""
        try:
            return 1 in Atr.parse(self.connection.atr).protocols
        except AtrError:
            return False

    def reset(self, *, cold: bool) -> bytes:
        """Reset the card and give its ATR; channels are closed by it. Raises ScardError."""
        self.open_channels = {0}
        return self.connection.reset(cold=cold)

    def raw(self, command: bytes) -> Response:
        """One exchange as it is, no procedure followed. Raises ScardError, ApduError for an answer under 2 bytes."""
        start = time.perf_counter()
        raw = self.connection.transmit(command)
        self._told(Exchanged(command, raw, time.perf_counter() - start))
        response = Response.parse(raw)
        if command and command[0] < _FURTHER_CLASSES and response.sw >> 8 in (0x90, 0x61):
            self.open_channels.add(command[0] & _CHANNEL)
        return response

    def send(self, command: Command) -> Response:
        """One command to its end: 6Cxx is sent again with the right length, 61xx and 9Fxx are fetched."""
        raw = command.encode()
        # T=0 always has five bytes (PCSC-01).
        response = self.raw(raw if len(raw) > 4 or self.block_protocol else raw + b"\0")
        if response.sw >> 8 == 0x6C:
            exact = Command(command.cla, command.ins, command.p1, command.p2, command.data, response.sw & 0xFF or 256)
            response = self.raw(exact.encode())
        data = bytearray(response.data)
        for _ in range(_MAX_ROUNDS):
            if response.sw >> 8 not in (0x61, 0x9F):
                break
            # The class of GET RESPONSE is the command's own, its chaining bit apart (A0 has its own: CARD-CPS3-32).
            fetch = Command(command.cla & ~0x10, GET_RESPONSE, 0, 0, ne=response.sw & 0xFF or 256)
            response = self.raw(fetch.encode())
            data += response.data
        return Response(bytes(data), response.sw)
