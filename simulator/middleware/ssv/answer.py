"""What an SSV function gives back."""

from __future__ import annotations

from dataclasses import dataclass

from bifente.simulator.zones import Group, decode


@dataclass(frozen=True, slots=True)
class Answer:
    """A return code and a zone; the zone may hold data although the code is not 0. ``detail`` is for a log."""

    code: int
    zone: bytes = b""
    detail: str = ""

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups of the zone. Raises ZoneError for a zone that is no chain of groups."""
        return decode(self.zone)
