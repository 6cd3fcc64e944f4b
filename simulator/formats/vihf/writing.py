"""A VIHF as the assertion of the official samples: the same attributes, in the same order."""

from __future__ import annotations

from bifente.simulator.formats.saml.model import CodedValue, SamlAssertion, SamlAttribute, SamlAuthentication
from bifente.simulator.formats.saml.writing import signed_assertion
from bifente.simulator.formats.soap.xml import XmlElement
from bifente.simulator.formats.vihf import names
from bifente.simulator.formats.vihf.model import AccessPurpose, Vihf
from bifente.simulator.formats.xmldsig import XmlSigner

_DISPLAYED = {
    AccessPurpose.NORMAL: "Accès normal",
    AccessPurpose.EMERGENCY: "Accès bris de glace",
    AccessPurpose.REGULATION: "Accès centre 15",
}


def assertion_of(vihf: Vihf) -> SamlAssertion:
    """Return the assertion that says it."""
    display = _DISPLAYED[AccessPurpose(vihf.purpose)] if vihf.purpose in {*AccessPurpose} else ""
    purpose = CodedValue("PurposeOfUse", vihf.purpose, names.ACCESS_PURPOSES, display, "mode acces VIHF 2.0")
    roles = tuple(CodedValue("Role", one.code, one.system, one.display, one.system_name) for one in vihf.roles)
    secret = CodedValue("ConfidentialityCode", vihf.confidentiality, names.TRACE_CONFIDENTIALITY)
    said: tuple[tuple[str, tuple[str | CodedValue, ...]], ...] = (
        (names.STRUCTURE, (vihf.structure,)),
        (names.SECTOR, (vihf.sector,)),
        (names.SUBJECT_ID, (vihf.subject_name,)),
        (names.ROLE, roles),
        (names.VERSION, (vihf.version,)),
        (names.MODE, (vihf.mode,)),
        (names.PATIENT, (vihf.patient,)),
        (names.RESOURCE, (vihf.resource,)),
        (names.PURPOSE, (purpose,) if vihf.purpose else ()),
        (names.REASON, (vihf.reason,)),
        (names.CONFIDENTIALITY, (secret,) if vihf.confidentiality else ()),
        (names.LPS_ID, (vihf.software.id,)),
        (names.LPS_NAME, (vihf.software.name,)),
        (names.LPS_VERSION, (vihf.software.version,)),
        (names.LPS_HOMOLOGATION, (vihf.software.homologation,)),
    )
    return SamlAssertion(
        id=vihf.id,
        issued=vihf.issued,
        issuer=vihf.issuer,
        subject=vihf.subject,
        authentication=SamlAuthentication(vihf.authenticated or vihf.issued, vihf.context_class, vihf.declaration),
        attributes=tuple(SamlAttribute(name, values) for name, values in said if any(values)),
    )


def signed_vihf(vihf: Vihf, signer: XmlSigner) -> XmlElement:
    """Return it as a signed assertion. What the signer raises comes through."""
    return signed_assertion(assertion_of(vihf), signer)
