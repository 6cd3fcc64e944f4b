"""What a billing software is given of the workstation that it runs on."""

from __future__ import annotations

from typing import Protocol

from bifente.simulator.middleware.resources import Resources
from bifente.simulator.middleware.ssv import Answer, Ssv


class CardStation(Protocol):
    """The cards as the software reaches them. It asks anew each time: how they are reached may change meanwhile."""

    @property
    def ssv(self) -> Ssv:
        """The SSV library that it loaded."""
        ...

    @property
    def resources(self) -> Resources:
        """The way to the cards, to sign with them."""
        ...

    @property
    def names(self) -> tuple[str, str]:
        """The resource names of the professional's card and of the Vitale's reader."""
        ...

    def read_rights(self, ps: str, reader: str, code: str, day: str, *, phone: bool) -> Answer:
        """Return what LireDroitsVitale gives, or the apCV context in use. ``day`` is that of the care, YYYYMMDD."""
        ...
