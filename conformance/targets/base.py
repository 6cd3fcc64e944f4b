"""What every target offers; the error type and the dialogue they share are the readers' own."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from bifente.conformance.targets.facets import Facets
from bifente.ground.text import Text
from bifente.simulator.readers import Connection, PcscCode, ReaderAccess, ScardError, Share

__all__ = ["Connection", "Controllable", "GuardRefusalError", "ImpossibleStepError", "PcscCode", "ScardError", "Target"]


class GuardRefusalError(Exception):
    """A command, or a whole scenario, was refused before anything reached a card; the text says why."""

    def __init__(self, why: Text) -> None:
        super().__init__(why.en)
        self.why = why


class ImpossibleStepError(Exception):
    """A step that cannot be done as the scenario is written: it comes too early, or asks for what is not there."""

    def __init__(self, why: Text) -> None:
        super().__init__(why.en)
        self.why = why


@runtime_checkable
class Controllable(Protocol):
    """A dialogue that has a control channel to its reader (SCardControl)."""

    def control(self, code: int, data: bytes) -> bytes:
        """Return the reader's answer. Raise ScardError."""
        ...


class Target(ReaderAccess, Protocol):
    """A way to reach cards in readers, bound to PC/SC reader names."""

    @property
    def facets(self) -> Facets:
        """What it can do of itself."""
        ...

    def open(self, reader: str, share: Share) -> Connection:
        """Open a dialogue in a share mode. Raises ScardError."""
        ...

    def look(self, reader: str) -> int:
        """The state of a reader now as SCardGetStatusChange tells it, its event counter included. Raises ScardError."""
        ...
