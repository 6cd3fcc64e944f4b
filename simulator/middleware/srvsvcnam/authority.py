"""The component's own authority: a root of the machine, named after 127.0.0.1, and the certificate it answers with.

Names as seen on workstations (sources#founding-text-000): ``AC-SRVSVCNAM-256`` for the authority, for the server
``127.0.0.1 - CNAMTS``; the mark of the laboratory stands beside them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import IPv4Address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.serving.tls import LOOPBACK, ServerIdentity

AUTHORITY, SERVER = "AC-SRVSVCNAM-256 TEST", "127.0.0.1 - CNAMTS TEST"
_LIFE = timedelta(days=365)


def identity(keys: KeySource, at: datetime) -> ServerIdentity:
    """Return what the component answers with; its ``trust`` is the authority that a browser is asked to take."""
    root_key, key = keys.key("srvsvcnam/authority"), keys.key("srvsvcnam/server")
    root = _named(AUTHORITY)
    authority = _certificate(root, root, root_key, root_key, at, authority=True)
    server = _certificate(_named(SERVER), root, key, root_key, at, authority=False)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return ServerIdentity((server, authority), pem)


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: RSAPrivateKey, signer: RSAPrivateKey, at: datetime, *, authority: bool
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + _LIFE)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
    )
    if not authority:
        names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(LOOPBACK)), x509.DNSName("localhost")])
        builder = builder.add_extension(names, critical=False).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
    return builder.sign(signer, hashes.SHA256())
