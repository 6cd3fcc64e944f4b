"""Who proved what to a card: certificates of outside parties, the challenge under way, the roles that were proved.

All of it is volatile (``channel.Volatile``). The proof is a signature of the card's own challenge with the private key
of a certificate that an authority of the card's image issued (ISO/IEC 7816-4, 11.6.5; 7816-8, 11.8).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from bifente.simulator.iso7816.image import Anchor

_SIZES = range(1024, 4097)
_MAX_CERTIFICATE = 4096
# What a library that reads DER lazily may raise at any attribute.
_MALFORMED = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    x509.InvalidVersion,
)


class MalformedCertificateError(ValueError):
    """The bytes are no X.509 certificate of an RSA key."""


class UnknownIssuerError(ValueError):
    """No authority of the card bears the name of the certificate's issuer."""


class ForgedCertificateError(ValueError):
    """The authority named did not sign this certificate."""


class UnfitCertificateError(ValueError):
    """The certificate is true, and is not that of a party the card opens itself to."""


@dataclass(frozen=True, slots=True)
class Party:
    """An outside party known by a certificate that was verified: what it is to the card, its name, its key."""

    role: str
    name: str
    public_key: RSAPublicKey = field(repr=False)

    def signed(self, data: bytes, signature: bytes) -> bool:
        """Whether it signed these data: RSA PKCS#1 v1.5 with SHA-256."""
        try:
            self.public_key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


@dataclass(slots=True)
class Trust:
    """What a session with a card has come to. ``proved`` is by role: the name of the party that proved it.

    ``party`` was told by a certificate and has proved nothing yet; ``challenge`` was given and not answered yet.
    """

    party: Party | None = None
    challenge: bytes | None = None
    proved: Mapping[str, str] = field(default_factory=dict)

    def has_proved(self, roles: Collection[str]) -> bool:
        """Whether a party of one of these roles proved itself."""
        return any(role in self.proved for role in roles)

    def settle(self, signature: bytes) -> bool:
        """Judge an answer to the challenge, which is used up either way; a wrong one also takes back what was proved.

        Raises LookupError if no certificate was verified or no challenge given before.
        """
        party, challenge = self.party, self.challenge
        if party is None or challenge is None:
            raise LookupError("no certificate or no challenge before the proof")
        self.challenge = None
        proved = party.signed(challenge, signature)
        self.proved = {party.role: party.name} if proved else {}
        return proved


def party_of(raw: bytes, anchors: Iterable[Anchor]) -> Party:
    """The party that a certificate (DER) tells of, its issuer's signature verified.

    Its key must be for digital signatures (RFC 5280, 4.2.1.3). Raises MalformedCertificateError, UnknownIssuerError,
    ForgedCertificateError, UnfitCertificateError.
    """
    if len(raw) > _MAX_CERTIFICATE:
        raise MalformedCertificateError(f"{len(raw)} bytes")
    try:
        read = _read(bytes(raw))
    except _MALFORMED as error:
        raise MalformedCertificateError(str(error)) from error
    public_key = read.public_key
    if not raw.endswith(b"\0" + read.signature):
        # The count of unused bits before the signature is signed by nobody, and not looked at if they are zero.
        raise MalformedCertificateError("the signature is no whole number of bytes")
    if not isinstance(public_key, RSAPublicKey) or public_key.key_size not in _SIZES:
        raise MalformedCertificateError("the key is no RSA key of 1024 to 4096 bits")
    named = [anchor for anchor in anchors if anchor.issuer == read.issuer]
    if not named:
        raise UnknownIssuerError(read.issued_by)
    if not isinstance(read.algorithm, hashes.SHA256):
        raise ForgedCertificateError("signed otherwise than by RSA and SHA-256")
    signers = [anchor for anchor in named if _has_signed(anchor, read.signed, read.signature)]
    if not signers:
        raise ForgedCertificateError("the issuer named did not sign it")
    for anchor in signers:
        if _fits(read.extensions, anchor.required):
            return Party(anchor.role, read.name, public_key)
    raise UnfitCertificateError(read.name)


@dataclass(frozen=True, slots=True)
class _Certificate:
    """What a certificate says, whoever signed it."""

    issuer: bytes
    issued_by: str
    name: str
    public_key: object
    extensions: tuple[x509.Extension[x509.ExtensionType], ...]
    signature: bytes
    signed: bytes
    algorithm: hashes.HashAlgorithm | None


@lru_cache(maxsize=128)
def _read(raw: bytes) -> _Certificate:
    certificate = x509.load_der_x509_certificate(raw)
    return _Certificate(
        certificate.issuer.public_bytes(),
        certificate.issuer.rfc4514_string(),
        certificate.subject.rfc4514_string(),
        certificate.public_key(),
        tuple(certificate.extensions),
        certificate.signature,
        certificate.tbs_certificate_bytes,
        certificate.signature_hash_algorithm,
    )


def _has_signed(anchor: Anchor, data: bytes, signature: bytes) -> bool:
    try:
        anchor.public_key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _fits(extensions: Iterable[x509.Extension[x509.ExtensionType]], required: Mapping[str, Collection[bytes]]) -> bool:
    found: dict[str, bytes] = {}
    usable = False
    for extension in extensions:
        value = extension.value
        if isinstance(value, x509.KeyUsage):
            usable = value.digital_signature
        elif isinstance(value, x509.UnrecognizedExtension):
            found[extension.oid.dotted_string] = value.value
    return usable and all(found.get(oid) in values for oid, values in required.items())
