"""From a VIHF to a requester: judged on the bytes received, and told apart as the rights matrices tell callers."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.x509.oid import NameOID

from bifente.ground.text import Text
from bifente.simulator.formats.saml import ASSERTION
from bifente.simulator.formats.soap import SoapEnvelope, qname
from bifente.simulator.formats.soap.xml import XmlElement
from bifente.simulator.formats.vihf import (
    AccessPurpose,
    AuthenticationMode,
    VerifiedVihf,
    VihfContext,
    VihfError,
    VihfRefusal,
    VihfRules,
    verified_vihf,
)
from bifente.simulator.formats.vihf import names as vihf_names
from bifente.simulator.formats.xmldsig import SignatureRules
from bifente.simulator.pki.judging import CertificateJudge
from bifente.simulator.services.dmp.calling import of_card, of_profession
from bifente.simulator.services.dmp.errors import DmpRefusalError
from bifente.simulator.services.dmp.register import DmpRegister
from bifente.simulator.services.dmp.requester import Requester
from bifente.simulator.services.dmp.rights import Calling

_CODES = {
    VihfRefusal.SIGNATURE: "DMPInvalidSignature",
    VihfRefusal.CERTIFICATE: "DMPInvalidCertificate",
    VihfRefusal.NO_SPECIALITY: "DMPSpecialityMissing",
    VihfRefusal.REASON: "DMPModeReasonMissing",
    VihfRefusal.STRUCTURE: "DMPStructureNotLinked",
}


def rules_of(register: DmpRegister) -> VihfRules:
    """Return how strictly a VIHF is read here."""
    given = register.parameters
    return VihfRules(
        lifetime=given.vihf_age,
        leeway=given.vihf_ahead,
        signature=SignatureRules(sha1=given.sha1),
        as_drimbox=not given.strict,
    )


def admit(
    register: DmpRegister, envelope: SoapEnvelope, trust: CertificateJudge, peer: Sequence[x509.Certificate] = ()
) -> tuple[Requester, VerifiedVihf]:
    """Return who asks, and the assertion that proves it. Raise DmpRefusalError.

    ``peer``: whoever shook hands in TLS is the one who signed: both certificates of a card bear one name (PKI-05),
    those of a structure one organisation.
    """
    context = VihfContext(register.clock.now(), trust)
    try:
        verified = verified_vihf(_assertion(envelope), context, rules_of(register))
    except VihfError as error:
        said, why = error.sentence, error.explained.cause if error.explained else None
        told = said if why is None else Text(f"{said.fr} : {why.fr}", f"{said.en}: {why.en}")
        raise DmpRefusalError(_CODES.get(error.refusal, "DMPInvalidVihf"), told) from None
    _check_peer(verified, peer)
    _check_structure(register, verified)
    requester = _requester(verified)
    age = register.clock.now() - verified.vihf.issued
    if requester.air and age > register.parameters.air_age:
        raise DmpRefusalError("DMPInvalidVihf", VihfRefusal.STALE.sentence)
    if requester.air and requester.id not in register.professionals:
        raise DmpRefusalError(
            "DMPInvalidVihf",
            Text("AIR : ce professionnel n'est dans aucun annuaire", "AIR: this professional is in no directory"),
        )
    return requester, verified


def _assertion(envelope: SoapEnvelope) -> XmlElement | None:
    security = envelope.header(qname("wsse:Security"))
    return None if security is None else security.find(ASSERTION)


def _check_peer(verified: VerifiedVihf, peer: Sequence[x509.Certificate]) -> None:
    if not peer:
        return
    if verified.vihf.mode == AuthenticationMode.DIRECT:
        same = peer[0].subject == verified.certificate.subject
    else:
        same = _organisation(peer[0]) == _organisation(verified.certificate) != ""
    if not same:
        raise DmpRefusalError(
            "DMPInvalidVihf",
            Text(
                "l'assertion n'est pas de celui qui a ouvert la connexion TLS",
                "the assertion is not by whoever opened the TLS connection",
            ),
        )


def _check_structure(register: DmpRegister, verified: VerifiedVihf) -> None:
    vihf = verified.vihf
    if vihf.structure not in register.structures:
        raise DmpRefusalError(
            "DMPStructureUnknown",
            Text("cette structure n'est pas dans l'annuaire", "this structure is not in the directory"),
        )
    if vihf.mode == AuthenticationMode.DIRECT:
        linked = register.links(vihf.subject)
        if linked is None or vihf.structure not in linked:
            raise DmpRefusalError("DMPStructureNotLinked", VihfRefusal.STRUCTURE.sentence)
        code = vihf.sector.partition("^")[0]
        if linked[vihf.structure] and linked[vihf.structure] != code:
            raise DmpRefusalError("DMPStructureNotLinked", VihfRefusal.SECTOR.sentence)
    elif _organisation(verified.certificate) not in ("", vihf.structure):
        raise DmpRefusalError(
            "DMPStructureNotLinked",
            Text("le certificat est celui d'une autre structure", "the certificate is another structure's"),
        )


def _requester(verified: VerifiedVihf) -> Requester:
    vihf = verified.vihf
    indirect = vihf.mode == AuthenticationMode.INDIRECT
    patient, _circumflex, _rest = vihf.patient.partition("^")
    return Requester(
        id=vihf.structure if indirect else vihf.subject,
        name=vihf.subject_name or vihf.subject,
        structure=vihf.structure,
        calling=_calling(verified),
        mode=AccessPurpose(vihf.purpose),
        reason=vihf.reason,
        patient=patient,
        oid=vihf.patient.split("&")[1] if "&" in vihf.patient else "",
        air=vihf.mode == AuthenticationMode.REINFORCED,
        direct=vihf.mode == AuthenticationMode.DIRECT,
        secret=vihf.confidentiality == vihf_names.SECRET_CONNECTION,
        software=vihf.software.homologation,
    )


def _calling(verified: VerifiedVihf) -> Calling:
    vihf = verified.vihf
    if vihf.mode == AuthenticationMode.INDIRECT:
        return Calling.STRUCTURE
    if vihf.mode == AuthenticationMode.DIRECT and (found := of_card(verified.certificate)) is not None:
        return found
    profession = vihf.role(vihf_names.PROFESSIONS)
    if profession is None:
        return Calling.EMPLOYEE if vihf.mode == AuthenticationMode.REINFORCED else Calling.OTHER
    speciality = vihf.role(vihf_names.SPECIALITIES)
    return of_profession(profession.code, speciality.code if speciality else "")


def _organisation(certificate: x509.Certificate) -> str:
    """The structure that a certificate of an organisation names, empty if none."""
    found = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    return str(found[0].value) if found else ""
