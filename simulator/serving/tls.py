"""The server certificate of whatever is served on loopback, issued by the laboratory IGC-Santé."""

from __future__ import annotations

import os
import ssl
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from bifente.simulator.pki import subjects
from bifente.simulator.pki.authority import Branch, CertificateLevel, Pki
from bifente.simulator.pki.certificate_profiles import KeyUsageBit, Profile, Validity
from bifente.simulator.pki.keystore import KeySource

LOOPBACK = "127.0.0.1"
_LIFE = timedelta(days=30)
_PROFILE = Profile(
    frozenset({KeyUsageBit.DIGITAL_SIGNATURE, KeyUsageBit.KEY_ENCIPHERMENT}), (ExtendedKeyUsageOID.SERVER_AUTH,)
)


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """A certificate for ``localhost`` and 127.0.0.1, its chain up to the root, and its key (PEM)."""

    chain: tuple[x509.Certificate, ...]
    key: bytes

    @classmethod
    def make(cls, pki: Pki, keys: KeySource, at: datetime, *names: str) -> ServerIdentity:
        """An identity valid from the day before ``at`` for thirty days, for further ``names`` too."""
        key = keys.key("serving/server")
        authority = pki.authority(CertificateLevel.ELEMENTAIRE, Branch.ORGANISATIONS)
        hosts = [x509.DNSName(name) for name in ("localhost", *names)]
        alternatives = x509.SubjectAlternativeName([*hosts, x509.IPAddress(IPv4Address(LOOPBACK))])
        certificate = authority.issue(
            subject=subjects.organisation(
                name="LABORATOIRE BIFENTE TEST",
                structure_id="1990000000",
                department="Paris (75)",
                common_name="localhost",
            ),
            public_key=key.public_key(),
            validity=Validity((at - timedelta(days=1)).date(), (at + _LIFE).date()),
            profile=_PROFILE,
            private_extensions=[
                x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, alternatives.public_bytes())
            ],
        )
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return cls((certificate, *authority.chain), pem)

    @property
    def trust(self) -> bytes:
        """The root, PEM: what a client is told to trust."""
        return self.chain[-1].public_bytes(Encoding.PEM)

    def context(self) -> ssl.SSLContext:
        """A server's TLS context, 1.2 or newer. The key lies in a file only while it is loaded."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        shown = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in self.chain[:-1])
        descriptor, name = tempfile.mkstemp(prefix="bifente-tls-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(shown + self.key)
            context.load_cert_chain(name)
        finally:
            Path(name).unlink()
        return context
