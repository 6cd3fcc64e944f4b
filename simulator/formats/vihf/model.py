"""What a VIHF says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bifente.simulator.formats.saml.model import SMARTCARD
from bifente.simulator.formats.vihf.names import CURRENT, URN_DMP


class AuthenticationMode(StrEnum):
    """Who signs: the professional's card; the structure for a professional; the same, reinforced (AIR)."""

    DIRECT = "DIRECTE"
    INDIRECT = "INDIRECTE"
    REINFORCED = "INDIRECTE_RENFORCEE"


class AccessPurpose(StrEnum):
    """Why the DMP is reached (TRE_R248): exactly these three."""

    NORMAL = "normal"
    EMERGENCY = "bris_de_glace"
    REGULATION = "centre_15"


@dataclass(frozen=True, slots=True)
class VihfRole:
    """A role: profession first, then speciality. ``system`` is an OID."""

    code: str
    system: str
    display: str = ""
    system_name: str = ""


@dataclass(frozen=True, slots=True)
class VihfSoftware:
    """The software as it is known to the DMP."""

    id: str
    name: str
    version: str
    homologation: str


@dataclass(frozen=True, slots=True)
class Vihf:
    """A VIHF. ``patient`` is the INS as written, empty where the transaction is about none; empty texts are left out.

    ``purpose`` is what was sent, whether or not TRE_R248 has it.
    """

    id: str
    issued: datetime
    issuer: str
    subject: str
    structure: str
    sector: str
    roles: tuple[VihfRole, ...]
    software: VihfSoftware
    patient: str = ""
    mode: str = AuthenticationMode.DIRECT
    purpose: str = AccessPurpose.NORMAL
    reason: str = ""
    subject_name: str = ""
    confidentiality: str = ""
    authenticated: datetime | None = None
    context_class: str = SMARTCARD
    declaration: str = ""
    resource: str = URN_DMP
    version: str = CURRENT

    def role(self, system: str) -> VihfRole | None:
        """Return the role of a code system, None if there is none."""
        return next((one for one in self.roles if one.system == system), None)
