"""The way to one card, whatever lies between: a slot in this process, or a PC/SC reader."""

from __future__ import annotations

from typing import Protocol


class Connection(Protocol):
    """An open dialogue with the card of one reader."""

    @property
    def atr(self) -> bytes:
        """The ATR the card gave when last powered."""
        ...

    def transmit(self, command: bytes) -> bytes:
        """One command, one response. Raises ScardError."""
        ...

    def reset(self, *, cold: bool) -> bytes:
        """Reset the card, warm or cold, and give the ATR. Raises ScardError."""
        ...

    def begin(self) -> None:
        """Begin exclusive use (SCardBeginTransaction). Raises ScardError."""
        ...

    def end(self) -> None:
        """End exclusive use. Raises ScardError."""
        ...

    def disconnect(self) -> None:
        """Leave the card; never raises."""
        ...
