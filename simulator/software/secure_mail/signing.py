"""A mail signed by a card, and looked at by who receives it (CMS SignedData, RFC 5652: sources#rfc5652)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import cms, core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from bifente.simulator.software.secure_mail import parts
from bifente.simulator.software.secure_mail.refusals import MailRefusal, SecureMailError

SignBytes = Callable[[bytes], bytes]
"""Returns the RSA SHA-256 signature (PKCS#1 v1.5) of bytes: a card's. Raises SecureMailError (CARD)."""
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
"""What a receiver takes: neither MD5 nor SHA-1 (SEED-PKI-12)."""


@dataclass(frozen=True, slots=True)
class SignedMail:
    """A mail whose signature holds: who signed it, and the text. Whether its certificate does is another question."""

    certificate: x509.Certificate
    text: str


def sign(
    head: bytes, part: bytes, certificate: x509.Certificate, at: datetime, signer: SignBytes, boundary: str
) -> bytes:
    """Return a mail signed with a certificate whose key is ``signer``'s."""
    content = parts.canonical(part)
    own = asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": ["data"]},
            {"type": "signing_time", "values": [cms.Time({"utc_time": core.UTCTime(at)})]},
            {"type": "message_digest", "values": [hashlib.sha256(content).digest()]},
        ]
    )
    signature = signer(attributes.dump())
    info = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                {"issuer_and_serial_number": {"issuer": own.issuer, "serial_number": own.serial_number}}
            ),
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "rsassa_pkcs1v15"},
            "signature": signature,
        }
    )
    data = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "data"},
            "certificates": [own],
            "signer_infos": [info],
        }
    )
    wrapped = cms.ContentInfo({"content_type": "signed_data", "content": data})
    return parts.signed_mail(head, content, wrapped.dump(), boundary)


def verify(mail: bytes) -> SignedMail:
    """Return who signed a mail and what it says. Raise SecureMailError if the signature does not hold."""
    content, der = parts.split_signed(mail)
    try:
        info, certificate = _signer(der)
        kind = info["digest_algorithm"]["algorithm"].native
        attributes = {one["type"].native: one["values"] for one in info["signed_attrs"]}
        told = attributes["message_digest"][0].native
        signed = info["signed_attrs"].untag().dump(force=True)
        signature = info["signature"].native
    except SecureMailError:
        raise
    except Exception as error:
        # Whatever a hostile structure makes the parser stumble over.
        raise SecureMailError(MailRefusal.UNREADABLE, type(error).__name__) from None
    if (algorithm := _HASHES.get(kind)) is None:
        raise SecureMailError(MailRefusal.FORBIDDEN_ALGORITHM, str(kind))
    if told != hashlib.new(kind, content).digest():
        raise SecureMailError(MailRefusal.ALTERED)
    key = certificate.public_key()
    try:
        if not isinstance(key, RSAPublicKey):
            raise InvalidSignature
        key.verify(signature, signed, padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        raise SecureMailError(MailRefusal.WRONG_SIGNATURE) from None
    return SignedMail(certificate, parts.text_of(content))


def _signer(der: bytes) -> tuple[cms.SignerInfo, x509.Certificate]:
    wrapped = cms.ContentInfo.load(der)
    if wrapped["content_type"].native != "signed_data" or len(wrapped["content"]["signer_infos"]) != 1:
        raise SecureMailError(MailRefusal.UNREADABLE, "one signer is expected")
    info = wrapped["content"]["signer_infos"][0]
    wanted = info["sid"].chosen["serial_number"].native
    for choice in wrapped["content"]["certificates"]:
        if choice.chosen.serial_number == wanted:
            return info, x509.load_der_x509_certificate(choice.chosen.dump())
    raise SecureMailError(MailRefusal.WRONG_SIGNATURE, "the signer's certificate is missing")
