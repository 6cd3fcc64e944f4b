"""How the SSV functions reach the two cards: through the GALSS by resource names, or by PC/SC alone."""

from __future__ import annotations

from typing import Protocol

from bifente.simulator.readers import Connection


class Pair(Protocol):
    """The CPS and the Vitale of one call, each met when it is first needed, released together."""

    def ps(self) -> Connection:
        """The dialogue with the professional's card. Raises SsvError (F001 absent, 0004 held by another ...)."""
        ...

    def vitale(self) -> Connection:
        """The dialogue with the Vitale. Raises SsvError (F011 absent ...)."""
        ...

    def release(self) -> None:
        """Let both go; never raises."""
        ...


class Resources(Protocol):
    """The readers of the workstation as the SSV functions name them."""

    def pair(self, ps: str, reader: str) -> Pair:
        """The two resources of one call. Raises SsvError (F101: unknown, or not of the same PAD)."""
        ...
