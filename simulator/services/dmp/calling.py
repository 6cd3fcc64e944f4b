"""What a card says of its holder, as the rights matrices tell callers apart."""

from __future__ import annotations

from typing import Any

from asn1crypto import core
from cryptography import x509
from cryptography.x509.oid import NameOID

from bifente.simulator.pki.certificate_profiles import CARD_TYPE, PROFESSION, SPECIALITY
from bifente.simulator.services.dmp.rights import Calling

PHYSICIAN, OCCUPATIONAL = "10", "SM25"
#: Types of card in the certificates; a CPE and a CDE share one, their titles tell them apart.
_PROFESSIONALS, _EMPLOYEES = frozenset({0, 1}), frozenset({2})
_EMPLOYEE_TITLE = "Carte de service santé ou social"


def of_card(certificate: x509.Certificate) -> Calling | None:
    """Return what the type of a card says by itself: an employee, no card that has rights, None for a professional."""
    kind = _value(certificate, CARD_TYPE)
    title = certificate.subject.get_attributes_for_oid(NameOID.TITLE)
    if kind in _EMPLOYEES and title and title[0].value == _EMPLOYEE_TITLE:
        return Calling.EMPLOYEE
    return None if kind in _PROFESSIONALS else Calling.OTHER


def of_profession(profession: str, speciality: str) -> Calling:
    """Return what a professional is."""
    if profession != PHYSICIAN:
        return Calling.PROFESSIONAL
    return Calling.OCCUPATIONAL if speciality == OCCUPATIONAL else Calling.PHYSICIAN


def of_certificate(certificate: x509.Certificate) -> Calling:
    """Return what a certificate says by itself, where no assertion says more."""
    found = of_card(certificate)
    if found is not None:
        return found
    profession, specialities = _value(certificate, PROFESSION), _value(certificate, SPECIALITY)
    if profession is None:
        return Calling.OTHER
    listed = specialities if isinstance(specialities, list) else [specialities]
    return of_profession(str(profession), OCCUPATIONAL if OCCUPATIONAL in listed else "")


def _value(certificate: x509.Certificate, extension: x509.ObjectIdentifier) -> Any:
    try:
        found = certificate.extensions.get_extension_for_oid(extension).value
        return core.load(found.public_bytes()).native
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError, TypeError):
        return None
