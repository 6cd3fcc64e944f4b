"""The laboratory IGC-Santé as it is on the network: lists, delta lists, issuers and OCSP."""

from bifente.simulator.services.pki.faults import PkiTrouble
from bifente.simulator.services.pki.register import Incident, RevocationRegister
from bifente.simulator.services.pki.service import PkiService

__all__ = ["Incident", "PkiService", "PkiTrouble", "RevocationRegister"]
