"""What may go wrong at the directory; ``faults.yaml`` has it in the words of the desk, under the same ids."""

from __future__ import annotations

from enum import StrEnum

from bifente.simulator.fault import Aim, Around, Fault, Undo


class DirectoryTrouble(StrEnum):
    """What may go wrong."""

    BAD_GATEWAY = "annuaire-502"
    GATEWAY_TIMEOUT = "annuaire-504"
    LATE = "annuaire-late"
    WRONG_NEXT = "annuaire-wrong-next"
    RATE_LIMITED = "annuaire-rate-limited"
    LARGE_PAGES = "annuaire-large-pages"
    DECEMBER_2019 = "annuaire-december-2019"


def make(fault: Fault, around: Around, aim: Aim | None) -> Undo:
    """Make the directory around suffer a fault. Raise FaultError where there is none."""
    from bifente.simulator.services.directory.service import DirectoryService

    service = around.part(DirectoryService)
    service.strike(fault.id)
    return lambda: service.relieve(fault.id)
