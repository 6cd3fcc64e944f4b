"""What is a parameter: builders of the field differ, and what the DMP tolerates today is not public."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from bifente.simulator.formats.saml.model import SMARTCARD
from bifente.simulator.formats.vihf.names import MODE, MODE_AS_SOME
from bifente.simulator.formats.xmldsig import SignatureRules

_DRIMBOX_CLASS = "urn:oasis:names:tc:SAML:2.0:ac:classes:TLSClient"
_DRIMBOX_DECLARATION = "APP_BROWSER_AUTH"


@dataclass(frozen=True, slots=True)
class VihfRules:
    """How strictly a VIHF is read.

    ``lifetime``: age after which it is stale, ``leeway``: how far the sender's clock may be ahead: both modelled.
    ``with_speciality``: professions that must say their speciality. ``air_simplified`` lets the declaration of AIR be
    CONF_EXI_PGSSIS alone (EX_AIR-050). ``as_drimbox``: attribute spelling and context class as that box has them.
    """

    lifetime: timedelta = timedelta(hours=1)
    leeway: timedelta = timedelta(minutes=5)
    signature: SignatureRules = field(default_factory=SignatureRules)
    with_speciality: frozenset[str] = frozenset({"10", "21"})
    air_simplified: bool = False
    as_drimbox: bool = False

    @property
    def mode_names(self) -> tuple[str, ...]:
        """Return how the attribute of the mode may be spelled."""
        return (MODE, MODE_AS_SOME) if self.as_drimbox else (MODE,)

    @property
    def context_classes(self) -> frozenset[str]:
        """Return what the AuthnContextClassRef may be."""
        return frozenset({SMARTCARD, _DRIMBOX_CLASS} if self.as_drimbox else {SMARTCARD})

    @property
    def declarations(self) -> frozenset[str]:
        """Return what the AuthnContextDecl of an AIR may be."""
        if self.air_simplified:
            return frozenset({"CONF_EXI_PGSSIS"})
        return frozenset({SMARTCARD, "CONF_EXI_PGSSIS", *([_DRIMBOX_DECLARATION] if self.as_drimbox else [])})
