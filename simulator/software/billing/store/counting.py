"""The numbers that a store gives out."""

from __future__ import annotations

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import LotKind
from bifente.simulator.formats.fse.numbers import ROUNDS, form
from bifente.simulator.formats.fse.numbers import Sequence as Numbers
from bifente.simulator.software.billing.store.core import Core


class Counting(Core):
    """One that was reserved and not used is a hole, never a second use."""

    def reserve(self, sequence: Numbers) -> int:
        """The next rank of a sequence; committed, or undone with the transaction that uses it.

        Raises FseError at the end of a sequence, or if its form comes back while its last bearer is not over.
        """
        with self._db.transaction():
            rank = int(self._db.value("SELECT next FROM counters WHERE sequence = ?", sequence.value))
            form(sequence, rank)
            if (turn := ROUNDS.get(sequence)) is not None and rank >= turn:
                self._check_over(sequence, rank - turn)
            self._db.run("UPDATE counters SET next = ? WHERE sequence = ?", rank + 1, sequence.value)
            return rank

    def next_number(self, sequence: Numbers) -> int:
        """The next number of a sheet or of a claim, durable when this returns."""
        return int(form(sequence, self.reserve(sequence)))

    def _check_over(self, sequence: Numbers, rank: int) -> None:
        if sequence is Numbers.FILE:
            row = self._db.row("SELECT state IN ('ready', 'sent') AS open, made FROM files WHERE rank = ?", rank)
        else:
            kind = LotKind.FSE if sequence is Numbers.LOT_FSE else LotKind.DRE
            row = self._db.row(
                "SELECT state = 'open' AS open, made FROM lots WHERE kind = ? AND rank = ?", kind.value, rank
            )
        if row is None:
            return
        place = f"sequence {sequence.value}, {form(sequence, rank)}"
        if row["open"]:
            raise FseError(place, "it comes back while its last bearer waits for its ARL", "send that one again first")
        if row["made"] == self.today().isoformat():
            raise FseError(place, "it was given today already: number and day name it", "go on tomorrow")
