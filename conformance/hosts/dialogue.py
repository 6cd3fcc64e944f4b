"""A client's side of the talk with one card: T=0 procedure followed, every exchange told."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from conformance.targets.base import Connection
from simulator.iso7816.apdu import Command, Response

GET_RESPONSE = 0xC0
_MAX_ROUNDS = 300
"""Most GET RESPONSE in a row: more than a full extended answer needs, so that a hostile card cannot hold the bench."""


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One command and its raw response; ``seconds`` is the wall time it took."""

    command: bytes
    response: bytes
    seconds: float


class Dialogue:
    """Sends commands over a connection. ``told`` hears every exchange, in order."""

    def __init__(self, connection: Connection, told: Callable[[Exchanged], None]) -> None:
        self.connection = connection
        self._told = told

    def raw(self, command: bytes) -> Response:
        """One exchange as it is, no procedure followed. Raises TargetError, ApduError for an answer under 2 bytes."""
        start = time.perf_counter()
        raw = self.connection.transmit(command)
        self._told(Exchanged(command, raw, time.perf_counter() - start))
        return Response.parse(raw)

    def send(self, command: Command) -> Response:
        """One command to its end: 6Cxx is sent again with the right length, 61xx and 9Fxx are fetched."""
        response = self.raw(command.encode())
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
