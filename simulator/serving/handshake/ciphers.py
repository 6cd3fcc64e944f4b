"""The record layer of tlslite-ng with the ciphers of cryptography: those of tlslite-ng are pure Python, and slow."""

# mypy: disallow-subclassing-any=False
# tlslite-ng has no type information: to mypy its classes are Any.

from __future__ import annotations

from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from tlslite.constants import CipherSuite
from tlslite.recordlayer import RecordLayer


class _Aead:
    """What tlslite-ng expects of an authenticated cipher."""

    isBlockCipher = False  # noqa: N815 - the name is tlslite-ng's
    isAEAD = True  # noqa: N815
    nonceLength = 12  # noqa: N815
    tagLength = 16  # noqa: N815
    implementation = "cryptography"

    def __init__(self, name: str, cipher: AESGCM | ChaCha20Poly1305) -> None:
        self.name = name
        self._cipher = cipher

    def seal(self, nonce: bytes, plain: bytes, more: bytes) -> bytearray:
        return bytearray(self._cipher.encrypt(bytes(nonce), bytes(plain), bytes(more)))

    def open(self, nonce: bytes, sealed: bytes, more: bytes) -> bytearray | None:
        try:
            return bytearray(self._cipher.decrypt(bytes(nonce), bytes(sealed), bytes(more)))
        except InvalidTag:
            return None


class _Cbc:
    """AES in CBC mode, chained from record to record as tlslite-ng expects."""

    isBlockCipher = True  # noqa: N815
    isAEAD = False  # noqa: N815
    block_size = 16
    implementation = "cryptography"

    def __init__(self, key: bytes, iv: bytes) -> None:
        self.name = f"aes{8 * len(key)}"
        cipher = Cipher(algorithms.AES(bytes(key)), modes.CBC(bytes(iv)))
        self._in, self._out = cipher.decryptor(), cipher.encryptor()

    def encrypt(self, plain: bytes) -> bytearray:
        return bytearray(self._out.update(bytes(plain)))

    def decrypt(self, sealed: bytes) -> bytearray:
        return bytearray(self._in.update(bytes(sealed)))


def _gcm(key: bytes, implementations: Any = None) -> _Aead:
    return _Aead(f"aes{8 * len(key)}gcm", AESGCM(bytes(key)))


def _chacha(key: bytes, implementations: Any = None) -> _Aead:
    return _Aead("chacha20-poly1305", ChaCha20Poly1305(bytes(key)))


def _cbc(key: bytes, iv: bytes, implementations: Any = None) -> _Cbc:
    return _Cbc(key, iv)


class Records(RecordLayer):
    """The record layer of one connection."""

    @staticmethod
    def _getCipherSettings(cipherSuite: int) -> tuple[int, int, Any]:  # noqa: N802, N803 - tlslite-ng's names
        key, iv, _slow = RecordLayer._getCipherSettings(cipherSuite)
        if cipherSuite in CipherSuite.chacha20Suites:
            return key, iv, _chacha
        if cipherSuite in CipherSuite.aes128GcmSuites or cipherSuite in CipherSuite.aes256GcmSuites:
            return key, iv, _gcm
        if cipherSuite in CipherSuite.aes128Suites or cipherSuite in CipherSuite.aes256Suites:
            return key, iv, _cbc
        raise ValueError(f"suite {cipherSuite:04X} is not offered here")
