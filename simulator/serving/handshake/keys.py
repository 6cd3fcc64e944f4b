"""Private keys that a handshake signs with: in this process, or in a card that is asked for each signature."""

# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo
from cryptography.hazmat.primitives.serialization import Encoding
from tlslite.utils.rsakey import RSAKey
from tlslite.x509 import X509
from tlslite.x509certchain import X509CertChain

from bifente.simulator.iso7816.rsa import RsaKey, pss_block
from bifente.simulator.serving.handshake.primitives import draw

PKCS1, PSS = "pkcs1", "pss"


class TlsKey(Protocol):
    """A key that signs. ``schemes`` and ``digests`` are what it can do, best first."""

    @property
    def schemes(self) -> tuple[str, ...]:
        """``PKCS1``, ``PSS`` or both."""
        ...

    @property
    def digests(self) -> tuple[str, ...]:
        """Names of hashes: ``sha256`` ..."""
        ...

    def sign_info(self, info: bytes) -> bytes:
        """Return the PKCS#1 v1.5 signature of a DigestInfo. Raise an error of the key's own if it will not sign."""
        ...

    def sign_pss(self, digest: str, value: bytes) -> bytes:
        """Return the PSS signature of a hash, the salt as long as it. Raise an error of the key's own."""
        ...


@dataclass(frozen=True, slots=True)
class SoftKey:
    """A key of this process."""

    key: RSAPrivateKey
    schemes: tuple[str, ...] = (PKCS1, PSS)
    digests: tuple[str, ...] = ("sha256", "sha384", "sha512")

    def sign_info(self, info: bytes) -> bytes:
        """Return the PKCS#1 v1.5 signature of a DigestInfo."""
        return self.key.sign(info, padding.PKCS1v15(), NoDigestInfo())

    def sign_pss(self, digest: str, value: bytes) -> bytes:
        """Return the PSS signature of a hash, its salt drawn as everything of a handshake."""
        salt = bytes(draw(len(value)))
        return RsaKey(self.key).raw(
            pss_block(digest, value, salt, self.key.key_size - 1).rjust(self.key.key_size // 8, b"\0")
        )


@dataclass(frozen=True, slots=True)
class TlsIdentity:
    """What a side of a handshake shows, its own certificate first, and signs with."""

    chain: tuple[x509.Certificate, ...]
    key: TlsKey


class Delegated(RSAKey):
    """A key as tlslite-ng takes it, which leaves each signature to a ``TlsKey``."""

    def __init__(self, public: RSAPublicKey, signer: TlsKey, told: Callable[[Exception], None]) -> None:
        numbers = public.public_numbers()
        self.n, self.e = numbers.n, numbers.e
        self.key_type = "rsa"
        self._key_hash = None
        self._signer = signer
        self._told = told

    def hasPrivateKey(self) -> bool:  # noqa: N802
        """It signs."""
        return True

    def sign(self, bytes: Any, padding: str = PKCS1, hashAlg: str | None = None, saltLen: int | None = None) -> Any:  # noqa: N803
        """Return the signature of a DigestInfo (PKCS#1) or of a hash (PSS)."""
        try:
            if padding.lower() == PSS:
                return bytearray(self._signer.sign_pss((hashAlg or "sha256").lower(), self._plain(bytes)))
            info = self.addPKCS1Prefix(bytes, hashAlg) if hashAlg is not None else bytes
            return bytearray(self._signer.sign_info(self._plain(info)))
        except Exception as error:
            self._told(error)
            raise

    @staticmethod
    def _plain(value: Any) -> bytes:
        return bytes(value)

    def _rawPublicKeyOp(self, message: int) -> int:  # noqa: N802
        return pow(message, self.e, self.n)


def as_chain(certificates: tuple[x509.Certificate, ...]) -> Any:
    """Return certificates as tlslite-ng takes them."""
    return X509CertChain([_taken(one) for one in certificates])


@lru_cache(maxsize=64)
def _taken(certificate: x509.Certificate) -> Any:
    """A certificate is the same whoever shows it; tlslite-ng only reads it."""
    taken = X509()
    taken.parseBinary(bytearray(certificate.public_bytes(Encoding.DER)))
    return taken


def as_ders(chain: Any) -> list[bytes]:
    """Return what tlslite-ng received, as DER; nothing for no chain."""
    return [bytes(one.bytes) for one in chain.x509List] if chain is not None else []
