"""How whoever drives cards reaches them: the same whether the readers are in process or behind a PC/SC service."""

from __future__ import annotations

from typing import Protocol

from bifente.simulator.cards.connection import Connection


class ReaderAccess(Protocol):
    """The readers of a workstation, by their PC/SC names, one a slot."""

    def readers(self) -> tuple[str, ...]:
        """The names, in the order of the service. Raises ScardError."""
        ...

    def connect(self, reader: str) -> Connection:
        """Open a shared dialogue. Raises ScardError (no card, unknown reader, held by another)."""
        ...

    def wait(self, reader: str, *, present: bool, timeout: float) -> bool:
        """Wait at most ``timeout`` seconds until a card is there (or not); False if it did not happen."""
        ...


class PassingConnection:
    """A dialogue around another that hands everything on: the ground of one that watches, counts or refuses."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def atr(self) -> bytes:
        """The card's ATR."""
        return self._connection.atr

    def transmit(self, command: bytes) -> bytes:
        """One command, one response. Raises ScardError."""
        return self._connection.transmit(command)

    def reset(self, *, cold: bool) -> bytes:
        """Reset the card. Raises ScardError."""
        return self._connection.reset(cold=cold)

    def begin(self) -> None:
        """Begin exclusive use. Raises ScardError."""
        self._connection.begin()

    def end(self) -> None:
        """End exclusive use. Raises ScardError."""
        self._connection.end()

    def disconnect(self) -> None:
        """Leave the card."""
        self._connection.disconnect()
