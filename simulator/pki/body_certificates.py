"""The certificates of the bodies, for encipherment, under the laboratory's authority for organisations. Modelled."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID

from bifente.simulator.pki.authority import Branch, CertificateLevel, Pki
from bifente.simulator.pki.certificate_profiles import KeyUsageBit, Profile, Validity
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.pki.subjects import organisation

_PROFILE = Profile(frozenset({KeyUsageBit.KEY_ENCIPHERMENT}), (ExtendedKeyUsageOID.EMAIL_PROTECTION,))


@dataclass(frozen=True, slots=True)
class BodyIdentity:
    """What a body opens files with. ``chain`` is its certificate, then those of its authorities up to the root."""

    certificate: x509.Certificate
    key: RSAPrivateKey
    chain: tuple[x509.Certificate, ...]


def body_identity(body: str, pki: Pki, keys: KeySource, validity: Validity, key_size: int = 2048) -> BodyIdentity:
    """The identity of a body (9 digits, or the number of an AMC): always the same one from the same keys."""
    authority = pki.authority(CertificateLevel.STANDARD, Branch.ORGANISATIONS)
    key = keys.key(f"body/{body}", key_size)
    certificate = authority.issue(
        subject=organisation(
            name="ORGANISME TEST LABORATOIRE BIFENTE",
            structure_id=body,
            department="Paris (75)",
            common_name=f"CHIFFREMENT TEST {body}",
        ),
        public_key=key.public_key(),
        validity=validity,
        profile=_PROFILE,
    )
    return BodyIdentity(certificate, key, (certificate, *authority.chain))
