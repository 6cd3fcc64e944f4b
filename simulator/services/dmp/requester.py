"""Who asks, as the assertion said it and the certificates proved it."""

from __future__ import annotations

from dataclasses import dataclass

from bifente.simulator.formats.vihf.model import AccessPurpose
from bifente.simulator.services.dmp.rights import Calling


@dataclass(frozen=True, slots=True)
class Requester:
    """One caller. ``id`` is the professional's or, for a structure certificate, the structure's; ``patient`` the INS.

    ``secret``: a secret connection, whose traces the legal representatives do not see. ``software`` names the LPS.
    """

    id: str
    name: str
    structure: str
    calling: Calling
    mode: AccessPurpose
    reason: str = ""
    patient: str = ""
    oid: str = ""
    air: bool = False
    direct: bool = True
    secret: bool = False
    software: str = ""

    @property
    def parties(self) -> tuple[str, ...]:
        """Return whose authorisations and blocks count for it: its own and its structure's."""
        return (self.id,) if self.id == self.structure else (self.id, self.structure)

    @property
    def party(self) -> str:
        """Return whom an authorisation that it asks for is given to: a CPE asks for its structure (note 1)."""
        return self.structure if self.calling in (Calling.EMPLOYEE, Calling.STRUCTURE) else self.id
