"""A VIHF judged on the bytes received: signature, certificate, who, where, how, why, for whom, and since when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import core
from cryptography import x509
from cryptography.x509.oid import NameOID

from bifente.simulator.formats.saml import SamlError, read_assertion, same_name
from bifente.simulator.formats.soap.xml import XmlElement
from bifente.simulator.formats.vihf import names
from bifente.simulator.formats.vihf.model import AccessPurpose, AuthenticationMode, Vihf
from bifente.simulator.formats.vihf.patient import InsIdentifier
from bifente.simulator.formats.vihf.reading import read_vihf
from bifente.simulator.formats.vihf.refusals import VihfError, VihfRefusal
from bifente.simulator.formats.vihf.rules import VihfRules
from bifente.simulator.formats.xmldsig import VerifiedXml, XmlSignatureError, verified_enveloped
from bifente.simulator.pki.certificate_profiles import PROFESSION
from bifente.simulator.pki.judging import CertificateJudge
from bifente.simulator.pki.refusals import CertificateRefusedError

Structures = Callable[[str], Mapping[str, str] | None]
"""Tells, of a national id, the sector (``SA07``) of each structure of its card, by its id; None for who is unknown."""


@dataclass(frozen=True, slots=True)
class VihfContext:
    """What a VIHF is held against: the time, who may sign, the INS of the request (None: about no patient).

    ``structures`` None: what the card holds is not known here, and structure and sector are only asked to be there.
    """

    at: datetime
    trust: CertificateJudge
    patient: InsIdentifier | None = None
    structures: Structures | None = None


@dataclass(frozen=True, slots=True)
class VerifiedVihf:
    """A VIHF that was accepted, and the certificate that signed it."""

    vihf: Vihf
    certificate: x509.Certificate

    @property
    def by_structure(self) -> bool:
        """Return whether a structure signed, for a professional."""
        return self.vihf.mode != AuthenticationMode.DIRECT


def verified_vihf(assertion: XmlElement | None, context: VihfContext, rules: VihfRules | None = None) -> VerifiedVihf:
    """Return what an assertion, where it was received, says and who signed it. Raise VihfError.

    The signature comes first: nothing else is read from what is not signed.
    """
    rules = rules or VihfRules()
    if assertion is None:
        raise VihfError(VihfRefusal.ABSENT)
    signed = _signed(assertion, rules)
    try:
        vihf = read_vihf(read_assertion(signed.content), rules)
    except SamlError as error:
        raise VihfError(VihfRefusal.UNREADABLE, str(error)) from None
    _check_certificate(signed.certificate, context)
    _check_time(vihf, context, rules)
    _check_who(vihf, signed.certificate, rules)
    _check_where(vihf, context)
    _check_why(vihf)
    _check_patient(vihf, context)
    return VerifiedVihf(vihf, signed.certificate)


def _signed(assertion: XmlElement, rules: VihfRules) -> VerifiedXml:
    try:
        return verified_enveloped(assertion, rules.signature)
    except XmlSignatureError as error:
        why = error.refusal.sentence
        raise VihfError(VihfRefusal.SIGNATURE, error.detail, error.refusal, error.explained, why) from None


def _check_certificate(certificate: x509.Certificate, context: VihfContext) -> None:
    try:
        context.trust.judge([certificate])
    except CertificateRefusedError as error:
        raise VihfError(VihfRefusal.CERTIFICATE, "", error.refusal, why=error.text) from None


def _check_time(vihf: Vihf, context: VihfContext, rules: VihfRules) -> None:
    age = context.at - vihf.issued
    if age > rules.lifetime:
        raise VihfError(VihfRefusal.STALE, f"{age.total_seconds():.0f} s, at most {rules.lifetime.total_seconds():.0f}")
    ahead = max(vihf.issued, vihf.authenticated or vihf.issued) - context.at
    if ahead > rules.leeway:
        raise VihfError(VihfRefusal.FUTURE, f"by {ahead.total_seconds():.0f} s")


def _check_who(vihf: Vihf, certificate: x509.Certificate, rules: VihfRules) -> None:
    if vihf.version != names.CURRENT:
        raise VihfError(VihfRefusal.VERSION)
    if not same_name(vihf.issuer, certificate.subject):
        raise VihfError(VihfRefusal.ISSUER)
    by_card = _of_a_person(certificate)
    if vihf.mode not in {*AuthenticationMode} or (vihf.mode == AuthenticationMode.DIRECT) != by_card:
        raise VihfError(VihfRefusal.MODE, "a card signed" if by_card else "a structure signed")
    if vihf.context_class not in rules.context_classes:
        raise VihfError(VihfRefusal.CONTEXT)
    if vihf.mode == AuthenticationMode.REINFORCED and vihf.declaration not in rules.declarations:
        raise VihfError(VihfRefusal.CONTEXT, "AuthnContextDecl")
    if not vihf.subject or (by_card and vihf.subject != _common_name(certificate)):
        raise VihfError(VihfRefusal.SUBJECT)
    if not by_card and not vihf.subject_name:
        raise VihfError(VihfRefusal.ATTRIBUTE, names.SUBJECT_ID)
    if not all((vihf.software.id, vihf.software.name, vihf.software.version, vihf.software.homologation)):
        raise VihfError(VihfRefusal.SOFTWARE)
    _check_roles(vihf, _profession(certificate), rules)


def _check_roles(vihf: Vihf, certified: str | None, rules: VihfRules) -> None:
    profession = vihf.role(names.PROFESSIONS)
    if profession is None:
        # An employee or an automaton has no profession, but a role of its own.
        if not any(one.system in names.OTHER_ROLES and one.code for one in vihf.roles):
            raise VihfError(VihfRefusal.NO_ROLE)
        if certified is not None:
            raise VihfError(VihfRefusal.ROLE, f"profession {certified}")
        return
    if vihf.roles[0] is not profession:
        raise VihfError(VihfRefusal.ROLE, "the profession comes first")
    if certified is not None and profession.code != certified:
        raise VihfError(VihfRefusal.ROLE, f"{profession.code[:8]} instead of {certified}")
    speciality = vihf.role(names.SPECIALITIES)
    if profession.code in rules.with_speciality and (speciality is None or not speciality.code):
        raise VihfError(VihfRefusal.NO_SPECIALITY)


def _check_where(vihf: Vihf, context: VihfContext) -> None:
    code, _, system = vihf.sector.partition("^")
    if not vihf.structure or not code or system != names.SECTORS:
        raise VihfError(VihfRefusal.STRUCTURE if not vihf.structure else VihfRefusal.SECTOR, "missing or malformed")
    if context.structures is None:
        return
    held = context.structures(vihf.subject)
    if held is None or vihf.structure not in held:
        raise VihfError(VihfRefusal.STRUCTURE)
    if held[vihf.structure] and held[vihf.structure] != code:
        raise VihfError(VihfRefusal.SECTOR, f"{held[vihf.structure]} is expected")


def _check_why(vihf: Vihf) -> None:
    if vihf.resource != names.URN_DMP:
        raise VihfError(VihfRefusal.RESOURCE)
    if vihf.purpose not in {*AccessPurpose}:
        raise VihfError(VihfRefusal.PURPOSE, vihf.purpose[:40])
    if vihf.purpose == AccessPurpose.EMERGENCY and not vihf.reason:
        raise VihfError(VihfRefusal.REASON)
    if vihf.confidentiality not in {"", names.SECRET_CONNECTION}:
        raise VihfError(VihfRefusal.CONFIDENTIALITY)


def _check_patient(vihf: Vihf, context: VihfContext) -> None:
    if not vihf.patient:
        if context.patient is not None:
            raise VihfError(VihfRefusal.PATIENT, "missing")
        return
    try:
        said = InsIdentifier.read(vihf.patient)
    except ValueError as error:
        raise VihfError(VihfRefusal.PATIENT, str(error)) from None
    if context.patient is not None and said != context.patient:
        raise VihfError(VihfRefusal.OTHER_PATIENT)


def _common_name(certificate: x509.Certificate) -> str:
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def _of_a_person(certificate: x509.Certificate) -> bool:
    """A person's subject has a title, or an RDN of several values (PKI-01, PKI-10); a structure's has neither."""
    return bool(certificate.subject.get_attributes_for_oid(NameOID.TITLE)) or any(
        len(one) > 1 for one in certificate.subject.rdns
    )


def _profession(certificate: x509.Certificate) -> str | None:
    try:
        extension = certificate.extensions.get_extension_for_oid(PROFESSION).value
        return str(core.load(extension.public_bytes()).native)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return None
