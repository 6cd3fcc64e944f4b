"""The laboratory's authority for Vitale cards: their certificates, and the list of the opposed ones. Modelled.

Nothing public tells how a Vitale proves itself, so nothing here looks like the real thing: the names say LABORATOIRE,
the addresses lead nowhere, no policy is claimed.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import NameOID

from bifente.simulator.pki.authority import Authority, Publication
from bifente.simulator.pki.certificate_profiles import KeyUsageBit, Validity, key_usage
from bifente.simulator.pki.keystore import KeySource

_NOWHERE = Publication(
    web="http://vitale.laboratoire.invalid", ocsp="http://vitale.laboratoire.invalid/ocsp", ldap="ldap://invalid"
)
CARD_NAME = "CARTE VITALE TEST "
"""What the common name of a card's certificates begins with; its serial number follows."""
_SIGNATURE_SERIES = 10**10


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "LABORATOIRE BIFENTE TEST"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


class VitaleAuthority(Authority):
    """It certifies the cards; its revocation list is the list of opposed cards, by their serial numbers.

    ``label`` makes it another one, of other keys, which no card and no software of the laboratory knows.
    """

    def __init__(self, keys: KeySource, key_size: int = 2048, *, label: str = "LABORATOIRE") -> None:
        stem, name = f"{label}-VITALE", f"TEST AC {label} CARTES VITALE"
        super().__init__(name, stem, keys.key(f"authority/{stem}", key_size), None, _NOWHERE)
        self.name = _name(name)

    def certify(self, serial: str, public_key: RSAPublicKey, validity: Validity) -> x509.Certificate:
        """The certificate of a card; its serial number is the card's, so that a list of either is a list of both."""
        return self._certify(serial, int(serial), public_key, validity, KeyUsageBit.DIGITAL_SIGNATURE)

    def certify_signature(self, serial: str, public_key: RSAPublicKey, validity: Validity) -> x509.Certificate:
        """The certificate of the key by which a card signs sheets: of the same subject, for nonRepudiation alone."""
        return self._certify(serial, signature_serial(serial), public_key, validity, KeyUsageBit.NON_REPUDIATION)

    def _certify(
        self, serial: str, number: int, public_key: RSAPublicKey, validity: Validity, use: KeyUsageBit
    ) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(_name(f"{CARD_NAME}{serial}"))
            .issuer_name(self.name)
            .public_key(public_key)
            .not_valid_before(validity.not_before)
            .not_valid_after(validity.not_after)
            .serial_number(number)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=False)
            .add_extension(self.authority_key_id, critical=False)
            .add_extension(key_usage([use]), critical=True)
            .sign(self._key, hashes.SHA256())
        )


def signature_serial(serial: str) -> int:
    """The serial number of a card's signature certificate: an authority gives none twice, and nine digits are cards."""
    return _SIGNATURE_SERIES + int(serial)
