"""A mail enciphered for a holder of the directory, and opened by the card (CMS EnvelopedData: sources#rfc5652)."""

from __future__ import annotations

from collections.abc import Callable

from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7EnvelopeBuilder, PKCS7Options

from bifente.simulator.software.secure_mail import parts
from bifente.simulator.software.secure_mail.refusals import MailRefusal, SecureMailError

DecipherKey = Callable[[bytes], bytes]
"""Returns what was enciphered for a key (PKCS#1 v1.5): a card's work. Raises SecureMailError (CARD)."""
_BLOCK = 128


def encipher(head: bytes, part: bytes, addressee: x509.Certificate) -> bytes:
    """Return a mail that only the key of a certificate opens: AES-256, its key by RSA."""
    builder = PKCS7EnvelopeBuilder().set_data(parts.canonical(part)).add_recipient(addressee)
    builder = builder.set_content_encryption_algorithm(algorithms.AES256)
    return parts.enveloped_mail(head, builder.encrypt(Encoding.DER, [PKCS7Options.Binary]))


def decipher(mail: bytes, own: x509.Certificate, key: DecipherKey) -> str:
    """Return the text of a mail for the holder of a certificate. Raise SecureMailError."""
    return parts.text_of(opened(mail, own, key))


def opened(mail: bytes, own: x509.Certificate, key: DecipherKey) -> bytes:
    """Return what was enciphered: a part, or a whole signed mail. Raise SecureMailError."""
    der = parts.envelope_of(mail)
    try:
        data = cms.ContentInfo.load(der)["content"]
        mine = [
            one.chosen["encrypted_key"].native
            for one in data["recipient_infos"]
            if one.chosen["rid"].chosen["serial_number"].native == own.serial_number
            and one.chosen["rid"].chosen["issuer"].dump() == own.issuer.public_bytes()
        ]
        content = data["encrypted_content_info"]
        kind = content["content_encryption_algorithm"]
        cipher, iv = kind.encryption_cipher, kind.encryption_iv
        sealed = content["encrypted_content"].native
    except Exception as error:
        # Whatever a hostile structure makes the parser stumble over.
        raise SecureMailError(MailRefusal.UNREADABLE, type(error).__name__) from None
    if cipher != "aes":
        raise SecureMailError(MailRefusal.FORBIDDEN_ALGORITHM, str(cipher))
    if not mine:
        raise SecureMailError(MailRefusal.OTHER_ADDRESSEE)
    try:
        work = Cipher(algorithms.AES(key(mine[0])), modes.CBC(iv)).decryptor()
        padded = work.update(sealed) + work.finalize()
        unpadder = PKCS7(_BLOCK).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError as error:
        raise SecureMailError(MailRefusal.UNREADABLE, str(error)) from None
