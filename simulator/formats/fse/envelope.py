"""The envelope of a file: CMS EnvelopedData for one recipient (RFC 5652), AES-256-CBC, opened strictly.

CBC does not tell an altered byte from a good one, so every byte of the structure around the ciphertext is checked to be
the one that is written here, and what is inside (lots) has its own digests and signatures.
"""

# mypy: disallow-subclassing-any=False

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from asn1crypto import cms, core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import (
    PKCS7EnvelopeBuilder,
    PKCS7Options,
    pkcs7_decrypt_der,
)

from bifente.simulator.formats.fse.errors import FseError

#: The largest file that is sealed or opened: a bound of ours.
MAX_FILE: Final = 64 * 1024 * 1024
_PLACE = "envelope"
_BLOCK = 16
_AGAIN = "ask for the file again"


class EnvelopeError(FseError):
    """A file that cannot be sealed or opened."""


class OtherRecipientError(EnvelopeError):
    """A file that is sealed for somebody else, or for a key that this one has no more."""


def seal(data: bytes, recipient: x509.Certificate) -> bytes:
    """The data enveloped for a recipient, DER. Raises EnvelopeError for a certificate that is not fit for it."""
    _checked_recipient(recipient)
    if len(data) > MAX_FILE:
        raise EnvelopeError(_PLACE, f"{len(data)} bytes are more than {MAX_FILE}", "send fewer lots in one file")
    builder = PKCS7EnvelopeBuilder().set_data(data).add_recipient(recipient).set_content_encryption_algorithm(AES256)
    return builder.encrypt(Encoding.DER, [PKCS7Options.Binary])


def unseal(data: bytes, certificate: x509.Certificate, key: RSAPrivateKey) -> bytes:
    """What ``seal`` enveloped for this certificate. Raises EnvelopeError for anything that ``seal`` does not write."""
    if len(data) > MAX_FILE + 16_384:
        raise EnvelopeError(_PLACE, f"{len(data)} bytes are more than {MAX_FILE}", "send fewer lots in one file")
    if key.public_key() != certificate.public_key():
        raise EnvelopeError(_PLACE, "the key is not that of the certificate", "take the key that belongs to it")
    _check_structure(data, certificate)
    try:
        return pkcs7_decrypt_der(data, certificate, key, [])
    except ValueError as error:
        # One sentence whatever failed inside: padding of the key or of the content (no oracle).
        raise EnvelopeError(_PLACE, "it does not decrypt: altered, or not for this key", _AGAIN) from error


_SEQUENCE = b"\x30"
_CMS_TYPES = bytes.fromhex("2A864886F70D0107")
"""The object identifiers of PKCS #7, 1.2.840.113549.1.7, in which CMS numbers its types."""
_HEAD = 20


def is_sealed(data: bytes) -> bool:
    """Whether these bytes begin as a CMS message does: a sequence, then the type of what it holds.

    Records begin with the digit 0, which is the first byte of a sequence as well.
    """
    return data[:1] == _SEQUENCE and _CMS_TYPES in data[:_HEAD]


def _checked_recipient(certificate: x509.Certificate) -> None:
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey) or key.key_size < 2048:
        raise EnvelopeError(
            _PLACE, "the recipient's key is no RSA key of 2048 bits or more", "take another certificate"
        )
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not usage.key_encipherment:
        raise EnvelopeError(_PLACE, "the recipient's certificate is not for encipherment", "take the one that is")


def _check_structure(data: bytes, certificate: x509.Certificate) -> None:
    """Every field but the ciphertexts and the IV is the one written here, and DER is the only writing of it."""
    try:
        info = cms.ContentInfo.load(data, strict=True)
        if info["content_type"].native != "enveloped_data":
            raise EnvelopeError(_PLACE, f"it is {info['content_type'].native}, not enveloped data", _AGAIN)
        expected = _expected(info["content"], certificate)
        _ = info.native
    except EnvelopeError:
        raise
    except Exception as error:  # asn1crypto raises several kinds on hostile bytes
        raise EnvelopeError(_PLACE, "it is no CMS structure", _AGAIN) from error
    if expected != data:
        raise EnvelopeError(_PLACE, "it is not written as an envelope for this recipient is", _AGAIN)


def _named_by(certificate: x509.Certificate) -> cms.IssuerAndSerialNumber:
    """How an envelope names the certificate of its recipient."""
    issuer, serial = _issuer_and_serial(certificate)
    return cms.IssuerAndSerialNumber({"issuer": asn1_x509.Name.load(issuer), "serial_number": serial})


@lru_cache(maxsize=64)
def _issuer_and_serial(certificate: x509.Certificate) -> tuple[bytes, int]:
    return certificate.issuer.public_bytes(), certificate.serial_number


def _expected(content: Any, certificate: x509.Certificate) -> bytes:
    recipients = content["recipient_infos"]
    if len(recipients) != 1 or recipients[0].name != "ktri":
        raise EnvelopeError(_PLACE, f"it has {len(recipients)} recipients or another kind of them", _AGAIN)
    rid = recipients[0].chosen["rid"]
    own = _named_by(certificate)
    if rid.name != "issuer_and_serial_number" or rid.chosen.dump() != own.dump():
        cure = "take the body's certificate of today, or send it to the body whose certificate sealed it"
        raise OtherRecipientError(_PLACE, "it is for another recipient", cure)
    encrypted = content["encrypted_content_info"]
    body = encrypted["encrypted_content"].native
    iv = encrypted["content_encryption_algorithm"]["parameters"].native
    if not isinstance(iv, bytes) or len(iv) != _BLOCK or not body or len(body) % _BLOCK:
        raise EnvelopeError(_PLACE, "its content is no AES-CBC", _AGAIN)
    written = cms.ContentInfo(
        {
            "content_type": "enveloped_data",
            "content": {
                "version": "v0",
                "recipient_infos": [
                    cms.RecipientInfo(
                        "ktri",
                        {
                            "version": "v0",
                            "rid": cms.RecipientIdentifier("issuer_and_serial_number", own),
                            "key_encryption_algorithm": {"algorithm": "rsaes_pkcs1v15", "parameters": core.Null()},
                            "encrypted_key": recipients[0].chosen["encrypted_key"].native,
                        },
                    )
                ],
                "encrypted_content_info": {
                    "content_type": "data",
                    "content_encryption_algorithm": {"algorithm": "aes256_cbc", "parameters": core.OctetString(iv)},
                    "encrypted_content": body,
                },
            },
        }
    )
    return bytes(written.dump())
