"""What a software of the workstation exchanges with the cards, told as it happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bifente.conformance.targets.base import Connection
from bifente.simulator.cards.dialogue import Exchanged
from bifente.simulator.readers import PassingConnection, ReaderAccess

Told = Callable[[str, Exchanged], None]
"""Hears every exchange, with the role of the slot (the PC/SC name of a slot that has none)."""


@dataclass(frozen=True, slots=True)
class RecordedAccess:
    """The readers of a workstation; every exchange with their cards is told. ``roles`` are by PC/SC name."""

    access: Callable[[], ReaderAccess]
    roles: Callable[[], Mapping[str, str]]
    told: Told

    def readers(self) -> tuple[str, ...]:
        """The names, in the order of the service. Raises ScardError."""
        return self.access().readers()

    def connect(self, reader: str) -> Connection:
        """Open a shared dialogue. Raises ScardError."""
        return RecordedConnection(self.access().connect(reader), self.roles().get(reader, reader), self.told)

    def wait(self, reader: str, *, present: bool, timeout: float) -> bool:
        """Wait until a card is there, or not."""
        return self.access().wait(reader, present=present, timeout=timeout)


class RecordedConnection(PassingConnection):
    """A dialogue whose every exchange is told; one that fails is told with an empty response."""

    def __init__(self, connection: Connection, role: str, told: Told) -> None:
        super().__init__(connection)
        self._role = role
        self._told = told

    def transmit(self, command: bytes) -> bytes:
        """One command, one response. Raises ScardError."""
        start = time.perf_counter()
        response = b""
        try:
            response = super().transmit(command)
        finally:
            self._told(self._role, Exchanged(command, response, time.perf_counter() - start))
        return response
