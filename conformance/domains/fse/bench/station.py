"""The workstation of a scene, as its billing software is given it."""

from __future__ import annotations

from bifente.conformance.domains.vitale.apcv import ApcvBench
from bifente.conformance.domains.vitale.workstation import SOFTWARE, Workstation
from bifente.simulator.middleware.apcv import RightsCall
from bifente.simulator.middleware.resources import Resources
from bifente.simulator.middleware.ssv import Answer, Ssv


class SceneStation:
    """One workstation and the phones at it, reached in the way of the moment."""

    def __init__(self, workstation: Workstation, apcv: ApcvBench) -> None:
        self._workstation = workstation
        self._apcv = apcv

    @property
    def ssv(self) -> Ssv:
        """The library of the software that steps speak for."""
        return self._workstation.ssv(SOFTWARE)

    @property
    def resources(self) -> Resources:
        """Its way to the cards."""
        return self._workstation.resources(SOFTWARE)

    @property
    def names(self) -> tuple[str, str]:
        """The resource names that a client gives."""
        return self._workstation.resource_names()

    def read_rights(self, ps: str, reader: str, code: str, day: str, *, phone: bool) -> Answer:
        """Return the rights on the card, which ends the context in use, or those of that context."""
        call = RightsCall(ps, reader, code, day)
        desk = self._apcv.desk(SOFTWARE)
        if phone:
            return desk.read_phone(self._apcv.software(SOFTWARE), call, invoice=None)
        return desk.read_card(self.ssv, call)
