"""Sessions of a series of lots as a scenario wants them: one that breaks down, one that signs for anybody."""

from __future__ import annotations

from dataclasses import dataclass

from bifente.simulator.formats.fse.model import Lot
from bifente.simulator.middleware.codes import SsvError
from bifente.simulator.software.billing.securing.desk import SecuringDesk
from bifente.simulator.software.billing.series import DeskLotSession


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A return code that the function gives for the ``lot``th lot that it is handed, counted from 1, and only once."""

    lot: int
    code: int

    def __call__(self, desk: SecuringDesk, code: str) -> DeskLotSession:
        """Open a session that breaks down so."""
        return _BreakingSession(desk, code, self)


class _BreakingSession(DeskLotSession):
    """One whose function gives a return code for which no cause is published (F0FF, F100): the card is not asked."""

    def __init__(self, desk: SecuringDesk, code: str, breakdown: Breakdown) -> None:
        super().__init__(desk, code)
        self._breakdown = breakdown
        self._lots = 0

    def check_lot(self, lot: Lot) -> None:
        """As any session, but for the lot that is to fail."""
        self._lots += 1
        if self._lots == self._breakdown.lot:
            raise SsvError(self._breakdown.code, "the scenario has it so")
        super().check_lot(lot)


class CarelessSession(DeskLotSession):
    """One that signs whatever lot it is given: the front end has to notice."""

    def check_lot(self, lot: Lot) -> None:
        """Nothing is checked."""
