"""The assertion of the professional: made and signed by the card, no AuthnStatement (official sample, INSI-12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bifente.simulator.formats.saml import SamlAssertion, SamlAttribute, signed_assertion
from bifente.simulator.formats.soap.xml import XmlElement
from bifente.simulator.formats.xmldsig import XmlSigner

BILLING, SECTOR = "identifiantFacturation", "secteurActivite"
SPECIALITY = "codeSpecialite"
"""No text that was read names the attribute of the speciality: this name is modelled."""


@dataclass(frozen=True, slots=True)
class ProfessionalAssertion:
    """What it says. ``card`` is the type of the card that signs: CPS, CPE ...; ``issuer`` the DN of its certificate."""

    id: str
    issued: datetime
    issuer: str
    national_id: str
    billing: str
    sector: str = ""
    speciality: str = ""
    card: str = "CPS"


def professional_assertion(said: ProfessionalAssertion, signer: XmlSigner) -> XmlElement:
    """Return it signed. What the signer raises comes through."""
    given = ((BILLING, said.billing), (SECTOR, said.sector), (SPECIALITY, said.speciality))
    return signed_assertion(
        SamlAssertion(
            said.id,
            said.issued,
            said.issuer,
            said.national_id,
            tuple(SamlAttribute(name, (value,)) for name, value in given if value),
            qualifier=said.card,
        ),
        signer,
    )


def read_professional(assertion: SamlAssertion) -> ProfessionalAssertion:
    """Return what an assertion, verified before, says of the professional."""
    return ProfessionalAssertion(
        assertion.id,
        assertion.issued,
        assertion.issuer,
        assertion.subject,
        assertion.text(BILLING),
        assertion.text(SECTOR),
        assertion.text(SPECIALITY),
        assertion.qualifier,
    )
