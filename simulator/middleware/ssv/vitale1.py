"""Reading a Vitale 1: the words of its memory, under class BC.

What the words say is the laboratory's own (``simulator/cards/vitale1``). The card holds no coverage and recognises
nobody: nothing public tells how a professional's card opens it.
"""

from __future__ import annotations

from functools import cached_property

from bifente.simulator.cards.dialogue import Dialogue
from bifente.simulator.cards.vitale1.memory import FREE, PRODUCTION, QUARTETS, WORD_SIZE, MemoryImageError, read
from bifente.simulator.middleware.ssv.line import Line
from bifente.simulator.middleware.ssv.professional import ProfessionalCard
from bifente.simulator.middleware.ssv.vitale import OK, VitaleCard, checked, fault
from bifente.simulator.zones import Group

_CLASS, _END_ADDRESS, _READ = 0xBC, 0xC0, 0xB0
_END_ADDRESS_SIZE = 8
_PIECE = 63
"""Words of one reading: a length is one byte."""


class Vitale1(VitaleCard):
    """A Vitale 1."""

    def __init__(self, line: Line) -> None:
        self._dialogue = Dialogue(line, lambda exchanged: None)
        self._end = int.from_bytes(self._asked(_END_ADDRESS, 0, _END_ADDRESS_SIZE)[:2], "big")

    @cached_property
    def administrative(self) -> tuple[Group, ...]:
        """All that the card holds."""
        if not PRODUCTION < self._end <= 0xFFFF:
            raise fault(f"the memory of the card ends at {self._end:04X}h")
        production = self._words(PRODUCTION, self._end)
        try:
            return checked(read(self._words(FREE, PRODUCTION), production))
        except MemoryImageError as error:
            raise fault(f"the memory of the card cannot be read: {error}") from error

    def open_to(self, professional: ProfessionalCard) -> None:
        """Nothing: there is nothing more to read."""

    def groups(self) -> tuple[Group, ...]:
        """All that the card holds."""
        return self.administrative

    def _words(self, start: int, end: int) -> bytes:
        data = bytearray()
        for address in range(start, end, _PIECE * QUARTETS):
            count = min(_PIECE, (end - address) // QUARTETS)
            data += self._asked(_READ, address, count * WORD_SIZE)
        return bytes(data)

    def _asked(self, instruction: int, address: int, count: int) -> bytes:
        answer = self._dialogue.raw(bytes((_CLASS, instruction, address >> 8, address & 0xFF, count)))
        if answer.sw != OK or len(answer.data) != count:
            raise fault(f"{address:04X}h: the card answered {len(answer.data)} of {count} bytes, {answer.sw:04X}")
        return answer.data
