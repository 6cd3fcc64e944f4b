"""The certificates of the bodies, to encipher for them and to sign by them. Modelled.

They are issued by the laboratory's authority for organisations.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID

from bifente.simulator.pki.authority import Branch, CertificateLevel, Pki
from bifente.simulator.pki.certificate_profiles import KeyUsageBit, Profile, Validity
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.pki.subjects import organisation

_EMAIL = (ExtendedKeyUsageOID.EMAIL_PROTECTION,)
_ENCIPHERS = Profile(frozenset({KeyUsageBit.KEY_ENCIPHERMENT}), _EMAIL)
_SIGNS = Profile(frozenset({KeyUsageBit.DIGITAL_SIGNATURE}), _EMAIL)


@dataclass(frozen=True, slots=True)
class BodyIdentity:
    """What a body opens files with, or signs with.

    ``chain`` is its certificate, then those of its authorities up to the root.
    """

    certificate: x509.Certificate
    key: RSAPrivateKey
    chain: tuple[x509.Certificate, ...]


def body_identity(
    body: str,
    pki: Pki,
    keys: KeySource,
    validity: Validity,
    key_size: int = 2048,
    *,
    signs: bool = False,
    generation: int = 1,
) -> BodyIdentity:
    """The identity of a body (9 digits, or the number of an AMC): always the same one from the same keys.

    ``signs``: the one it signs returns with, not the one files are enciphered for; ``generation`` counts its keys.
    """
    authority = pki.authority(CertificateLevel.STANDARD, Branch.ORGANISATIONS)
    use, again = "/signature" if signs else "", f"/{generation}" if generation > 1 else ""
    key = keys.key(f"body/{body}{use}{again}", key_size)
    certificate = authority.issue(
        subject=organisation(
            name="ORGANISME TEST LABORATOIRE BIFENTE",
            structure_id=body,
            department="Paris (75)",
            common_name=f"{'SIGNATURE' if signs else 'CHIFFREMENT'} TEST {body}",
        ),
        public_key=key.public_key(),
        validity=validity,
        profile=_SIGNS if signs else _ENCIPHERS,
    )
    return BodyIdentity(certificate, key, (certificate, *authority.chain))
