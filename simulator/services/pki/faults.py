"""What may go wrong at the PKI; ``faults.yaml`` has it in the words of the desk, under the same ids."""

from __future__ import annotations

from enum import StrEnum

from bifente.simulator.fault import Aim, Around, Fault, Undo


class PkiTrouble(StrEnum):
    """What may go wrong."""

    OCSP_DOWN = "pki-ocsp-down"
    OCSP_LATE = "pki-ocsp-late"
    OCSP_STALE = "pki-ocsp-stale"
    OCSP_FOREIGN = "pki-ocsp-foreign"
    OCSP_UNKNOWN = "pki-ocsp-unknown"
    OCSP_TRY_LATER = "pki-ocsp-try-later"
    OCSP_OTHER_CERTIFICATE = "pki-ocsp-other-certificate"
    CRL_MISSING = "pki-crl-missing"
    CRL_STALE = "pki-crl-stale"
    CRL_FOREIGN = "pki-crl-foreign"
    CRL_UNREADABLE = "pki-crl-unreadable"
    DELTA_MISSING = "pki-delta-missing"
    DELTA_OF_ANOTHER = "pki-delta-of-another"


def make(fault: Fault, around: Around, aim: Aim | None) -> Undo:
    """Make the PKI around suffer a fault. Raise FaultError where there is none."""
    from bifente.simulator.services.pki.service import PkiService

    service = around.part(PkiService)
    service.strike(fault.id)
    return lambda: service.relieve(fault.id)
