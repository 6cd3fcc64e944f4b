"""A mail enciphered for a holder of the directory, and opened by the card (CMS EnvelopedData: sources#rfc5652)."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding

from bifente.simulator.cards.padding import enciphered
from bifente.simulator.serving.service import Declare, to_nobody
from bifente.simulator.software.secure_mail import parts
from bifente.simulator.software.secure_mail.refusals import MailRefusal, SecureMailError

DecipherKey = Callable[[bytes], bytes]
"""Returns what was enciphered for a key (PKCS#1 v1.5): a card's work. Raises SecureMailError (CARD)."""
_BLOCK = 128
_TAKEN = frozenset({"aes"})
"""What a receiver takes: no DES, no RC2, no RC4 (SEED-PKI-12)."""


@dataclass(frozen=True, slots=True)
class _Kind:
    algorithm: str
    """Its name in CMS."""
    key: int
    made: Callable[[bytes], BlockCipherAlgorithm]


class ContentCipher(Enum):
    """How the content of a mail is enciphered. No receiver takes the old ones (SEED-PKI-12)."""

    AES256 = _Kind("aes256_cbc", 32, algorithms.AES)
    TRIPLE_DES = _Kind("tripledes_3key", 24, TripleDES)
    DES = _Kind("des", 8, lambda key: TripleDES(3 * key))


def encipher(
    head: bytes,
    part: bytes,
    addressee: x509.Certificate,
    chance: random.Random,
    declare: Declare = to_nobody,
    cipher: ContentCipher = ContentCipher.AES256,
) -> bytes:
    """Return a mail that only the key of a certificate opens: its own key by RSA, and told to ``declare``."""
    kind: _Kind = cipher.value
    key = chance.randbytes(kind.key)
    declare(key)
    algorithm = kind.made(key)
    iv = chance.randbytes(algorithm.block_size // 8)
    public = addressee.public_key()
    if not isinstance(public, RSAPublicKey):
        raise SecureMailError(MailRefusal.FORBIDDEN_ALGORITHM, type(public).__name__)
    padder = PKCS7(algorithm.block_size).padder()
    work = Cipher(algorithm, modes.CBC(iv)).encryptor()
    sealed = work.update(padder.update(parts.canonical(part)) + padder.finalize()) + work.finalize()
    own = asn1_x509.Certificate.load(addressee.public_bytes(Encoding.DER))
    recipient = cms.KeyTransRecipientInfo(
        {
            "version": "v0",
            "rid": cms.RecipientIdentifier(
                {"issuer_and_serial_number": {"issuer": own.issuer, "serial_number": own.serial_number}}
            ),
            "key_encryption_algorithm": {"algorithm": "rsaes_pkcs1v15"},
            "encrypted_key": enciphered(public, key, chance),
        }
    )
    data = cms.EnvelopedData(
        {
            "version": "v0",
            "recipient_infos": [cms.RecipientInfo({"ktri": recipient})],
            "encrypted_content_info": {
                "content_type": "data",
                "content_encryption_algorithm": {"algorithm": kind.algorithm, "parameters": iv},
                "encrypted_content": sealed,
            },
        }
    )
    return parts.enveloped_mail(head, cms.ContentInfo({"content_type": "enveloped_data", "content": data}).dump())


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
    if cipher not in _TAKEN:
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
