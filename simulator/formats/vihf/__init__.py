"""The VIHF of the CI-SIS: the SAML assertion by which a professional, or a structure for one, speaks to the DMP.

Source: official samples of messages v02.05.00 (sources#dmp-messages); what differs between builders of the field is a
parameter (``VihfRules``). How long one stays good is not public: ours is modelled.
"""

from bifente.simulator.formats.vihf.checking import VerifiedVihf, VihfContext, verified_vihf
from bifente.simulator.formats.vihf.model import AccessPurpose, AuthenticationMode, Vihf, VihfRole, VihfSoftware
from bifente.simulator.formats.vihf.patient import InsIdentifier
from bifente.simulator.formats.vihf.reading import read_vihf
from bifente.simulator.formats.vihf.refusals import VihfError, VihfRefusal
from bifente.simulator.formats.vihf.rules import VihfRules
from bifente.simulator.formats.vihf.writing import assertion_of, signed_vihf

__all__ = [
    "AccessPurpose",
    "AuthenticationMode",
    "InsIdentifier",
    "VerifiedVihf",
    "Vihf",
    "VihfContext",
    "VihfError",
    "VihfRefusal",
    "VihfRole",
    "VihfRules",
    "VihfSoftware",
    "assertion_of",
    "read_vihf",
    "signed_vihf",
    "verified_vihf",
]
