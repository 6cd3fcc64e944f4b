"""What is wrong with a zone: where, what was expected there, and what to do about it."""

from __future__ import annotations


class ZoneError(ValueError):
    """A zone that cannot be read or written; ``offset`` counts bytes from the start of the zone."""

    def __init__(self, offset: int, expected: str, cure: str) -> None:
        self.offset = offset
        self.expected = expected
        self.cure = cure
        super().__init__(f"zone, byte {offset}: {expected}; {cure}")
