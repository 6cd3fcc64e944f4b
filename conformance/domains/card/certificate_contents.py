"""What a certificate says of itself, in words a scenario can expect (PKI-01 to PKI-06)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from bifente.simulator.pki import certificate_profiles as profiles
from bifente.simulator.pki import subjects

_USES = {
    "digital_signature": "digitalSignature",
    "content_commitment": "nonRepudiation",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
}
_NAMES = {NameOID.GIVEN_NAME: "GN", NameOID.SURNAME: "SN", NameOID.PSEUDONYM: "pseudonym", NameOID.TITLE: "title"}
_PRODUCTS = {b"\x80": "test card", b"\x83": "test software", b"\x00": "real card", b"\x03": "real software"}

FIELDS = (
    *("issuer", "subject", "full-name", "identity", "serial-number", "starts", "ends", "algorithm"),
    *("key-usage", "key-usage-critical", "revocation-sources", "product", "card-type", "card-id"),
    *("certified-profession", "certified-specialities"),
)
"""The keys ``describe`` may give."""


def describe(certificate: x509.Certificate) -> dict[str, Any]:
    """What the certificate says; a field it does not have is left out.

    ``subject`` and ``issuer`` are common names; ``identity`` names the attributes joined in the subject's last RDN.
    """
    found = {
        "issuer": _common_name(certificate.issuer),
        "subject": _common_name(certificate.subject),
        "full-name": subjects.told(certificate.subject),
        "identity": sorted(_NAMES.get(part.oid, part.rfc4514_attribute_name) for part in certificate.subject.rdns[-1]),
        "serial-number": f"{certificate.serial_number:X}",
        "starts": certificate.not_valid_before_utc.date().isoformat(),
        "ends": certificate.not_valid_after_utc.date().isoformat(),
        "algorithm": _algorithm(certificate),
        **_key_usage(certificate),
        "revocation-sources": _revocation_sources(certificate),
        **_private(certificate),
    }
    return {name: value for name, value in found.items() if value is not None}


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def _algorithm(certificate: x509.Certificate) -> str:
    key, digest = certificate.public_key(), certificate.signature_hash_algorithm
    kind = f"RSA {key.key_size}" if isinstance(key, rsa.RSAPublicKey) else type(key).__name__
    return f"{kind} {digest.name if digest else 'no hash'}"


def _key_usage(certificate: x509.Certificate) -> dict[str, Any]:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    except x509.ExtensionNotFound:
        return {"key-usage": []}
    names = [word for attribute, word in _USES.items() if getattr(usage.value, attribute)]
    return {"key-usage": names, "key-usage-critical": usage.critical}


def _revocation_sources(certificate: x509.Certificate) -> list[str]:
    extensions = {type(extension.value): extension.value for extension in certificate.extensions}
    sources = [
        name
        for name, kind in (("crl", x509.CRLDistributionPoints), ("delta-crl", x509.FreshestCRL))
        if kind in extensions
    ]
    access = extensions.get(x509.AuthorityInformationAccess)
    if isinstance(access, x509.AuthorityInformationAccess) and any(
        entry.access_method == AuthorityInformationAccessOID.OCSP for entry in access
    ):
        sources.append("ocsp")
    return sources


def _private(certificate: x509.Certificate) -> Mapping[str, Any]:
    """The extensions of the French health field."""
    native = {
        extension.oid: _native(extension.value.value)
        for extension in certificate.extensions
        if isinstance(extension.value, x509.UnrecognizedExtension)
    }
    product = native.get(profiles.PRODUCT_CATEGORY)
    return {
        "product": _PRODUCTS.get(product) if isinstance(product, bytes) else None,
        "card-type": native.get(profiles.CARD_TYPE),
        "card-id": native.get(profiles.CARD_ID),
        "certified-profession": native.get(profiles.PROFESSION),
        "certified-specialities": native.get(profiles.SPECIALITY),
    }


def _native(value: bytes) -> Any:
    try:
        found = core.load(value).native
    except (ValueError, TypeError):
        return None
    # A sequence comes as numbered values.
    return list(found.values()) if isinstance(found, Mapping) else found
