"""Who may ask: a professional by an assertion that the card signed, or a structure by its certificate, not both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from bifente.ground.french import in_both
from bifente.ground.text import Text
from bifente.simulator.formats.insi import InsiOperation, InsiSender, ProfessionalAssertion, read_professional
from bifente.simulator.formats.saml import ASSERTION, SamlError, read_assertion, same_name
from bifente.simulator.formats.soap import SoapEnvelope, qname
from bifente.simulator.formats.soap.xml import XmlElement
from bifente.simulator.formats.xmldsig import XmlSignatureError, verified_enveloped
from bifente.simulator.pki.judging import CertificateJudge
from bifente.simulator.pki.refusals import CertificateRefusedError
from bifente.simulator.services.insi.parameters import InsiParameters
from bifente.simulator.services.insi.refusals import InsiRefusedError

_NAMES = frozenset({"INSI-AUTO", "INSI-MANU"})
_SECURITY = qname("wsse:Security")


@dataclass(frozen=True, slots=True)
class InsiTrust:
    """Whose signatures and certificates are believed. ``structures`` is the one authority of structure certificates."""

    signers: CertificateJudge
    structures: x509.Certificate


@dataclass(frozen=True, slots=True)
class InsiCaller:
    """Who asks: a professional (his assertion), or a structure (the common name of its certificate)."""

    professional: ProfessionalAssertion | None = None
    structure: str = ""


def check_software(sender: InsiSender, parameters: InsiParameters) -> None:
    """Raise InsiRefusedError for a software that is not authorised."""
    if parameters.software and sender.idam not in parameters.software:
        raise InsiRefusedError("unknown-software")


def admitted(
    envelope: SoapEnvelope,
    scope: Mapping[str, Any],
    operation: InsiOperation,
    at: datetime,
    trust: InsiTrust,
    parameters: InsiParameters,
) -> InsiCaller:
    """Return who asks. Raise InsiRefusedError."""
    security = envelope.header(_SECURITY)
    certificate = _structure_certificate(scope)
    if certificate is not None:
        if security is not None:
            raise InsiRefusedError("two-credentials")
        return InsiCaller(structure=_check_structure(certificate, at, trust))
    assertions = [] if security is None else security.findall(ASSERTION)
    if len(assertions) != 1:
        raise InsiRefusedError("no-assertion")
    return InsiCaller(_check_assertion(assertions[0], operation, at, trust, parameters))


def _check_assertion(
    assertion: XmlElement, operation: InsiOperation, at: datetime, trust: InsiTrust, parameters: InsiParameters
) -> ProfessionalAssertion:
    try:
        signed = verified_enveloped(assertion, parameters.signature)
        trust.signers.judge([signed.certificate])
        read = read_assertion(signed.content)
    except XmlSignatureError as error:
        explained = error.explained.text if error.explained else error.refusal.sentence
        raise InsiRefusedError("bad-assertion", explained) from None
    except CertificateRefusedError as error:
        raise InsiRefusedError("bad-assertion", error.text) from None
    except SamlError as error:
        raise InsiRefusedError("bad-assertion", in_both(error)) from None
    said = read_professional(read)
    if not same_name(said.issuer, signed.certificate.subject):
        raise InsiRefusedError("bad-assertion", _ISSUER)
    holder = signed.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not said.national_id or said.national_id != (str(holder[0].value) if holder else ""):
        raise InsiRefusedError("bad-assertion", _SUBJECT)
    if not said.billing or (parameters.sector and not said.sector):
        raise InsiRefusedError("bad-assertion", _ATTRIBUTES)
    _check_age(at - said.issued, operation, parameters)
    return said


def _check_age(age: timedelta, operation: InsiOperation, parameters: InsiParameters) -> None:
    if age > parameters.lifetime or -age > parameters.leeway:
        seconds = f"{age.total_seconds():.0f} s"
        raise InsiRefusedError("stale-assertion", Text.same(seconds))
    if operation is InsiOperation.VITALE and age > parameters.vitale:
        raise InsiRefusedError("stale-vitale", Text.same(f"{age.total_seconds():.0f} s"))


def _structure_certificate(scope: Mapping[str, Any]) -> x509.Certificate | None:
    """The certificate that the client of the connection showed (ASGI TLS extension), if it is a structure's."""
    shown = scope.get("extensions", {}).get("tls", {}).get("client_cert_chain", ())
    if not shown:
        return None
    certificate = x509.load_pem_x509_certificate(shown[0].encode("ascii"))
    # A card's certificate (its subject has a title) says who holds the connection; an assertion still says who asks.
    return None if certificate.subject.get_attributes_for_oid(NameOID.TITLE) else certificate


def _check_structure(certificate: x509.Certificate, at: datetime, trust: InsiTrust) -> str:
    """INSI-10."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    name = str(found[0].value) if found else ""
    if name not in _NAMES:
        raise InsiRefusedError("no-right", Text(f"CN {name[:40]}", f"CN {name[:40]}"))
    try:
        certificate.verify_directly_issued_by(trust.structures)
    except Exception:
        raise InsiRefusedError("no-right", _AUTHORITY) from None
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise InsiRefusedError("no-right", _VALIDITY)
    return name


_ISSUER = Text(
    "Issuer n'est pas le nom du certificat qui signe", "Issuer is not the name of the certificate that signs"
)
_SUBJECT = Text("NameID n'est pas le porteur de la carte qui signe", "NameID is not the holder of the card that signs")
_ATTRIBUTES = Text(
    "identifiantFacturation et secteurActivite sont attendus", "identifiantFacturation and secteurActivite are expected"
)
_AUTHORITY = Text("le certificat vient d'une autre autorité", "the certificate comes from another authority")
_VALIDITY = Text("le certificat n'est pas en vigueur", "the certificate is not in force")
