"""The numbers of a practice: each sequence counts without end, and what is written is its rank in a bounded form.

A rank is never given twice. A form comes back after a whole round (999 then 000; 000 then ZZZ for DRE lots): who takes
it must first see that its last bearer is over (``Store`` does), since number and date together name a lot.
"""

from __future__ import annotations

from enum import StrEnum

from bifente.simulator.formats.fse.errors import FseError

MAX_SHEET = 999_999_999
"""The largest number of a sheet or of a claim: nine digits (sources#care-sheet). They never begin again."""
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Sequence(StrEnum):
    """What is counted."""

    SHEET = "sheet"
    CLAIM = "claim"
    LOT_FSE = "lot-fse"
    LOT_DRE = "lot-dre"
    FILE = "file"


ROUNDS = {Sequence.LOT_FSE: 1000, Sequence.LOT_DRE: 36**3, Sequence.FILE: 1000}
"""After how many ranks a form comes back; the others never do."""


def form(sequence: Sequence, rank: int) -> str:
    """How the number of this rank, from 0, is written. Raises FseError where a sequence without round is at its end.

    FSE lots and files: 3 digits from ``000``; DRE lots: 3 alphanumerics from ``ZZZ`` down (sources#care-sheet), of
    which the order of the characters is modelled: digits below letters.
    """
    if rank < 0:
        raise ValueError(f"a rank is not negative: {rank}")
    match sequence:
        case Sequence.LOT_FSE | Sequence.FILE:
            return f"{rank % 1000:03}"
        case Sequence.LOT_DRE:
            value = 36**3 - 1 - rank % 36**3
            return _DIGITS[value // 1296] + _DIGITS[value // 36 % 36] + _DIGITS[value % 36]
        case _:
            if rank >= MAX_SHEET:
                raise FseError(
                    f"sequence {sequence}", f"its {MAX_SHEET} numbers are used", "open a practice with another sender"
                )
            return str(rank + 1)
