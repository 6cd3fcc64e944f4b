"""RSA as a card does it: signatures over a hash (PKCS#1 v1.5, PSS) or over any data, and decryption (RFC 8017).

Where the library offers the operation it does the work. It has none for a raw private operation, which DECIPHER (a
definite answer to bad padding) needs: that one is computed here with the Chinese remainder theorem. It is not
constant-time: laboratory keys only.
"""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, utils
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from simulator.iso7816.image import Digest, Scheme

_HASHES: dict[Digest, hashes.HashAlgorithm] = {Digest.SHA1: hashes.SHA1(), Digest.SHA256: hashes.SHA256()}  # noqa: S303
_MIN_PADDING = 11


class RsaError(ValueError):
    """The data cannot be used with this key: wrong length, number too large, or padding broken."""


class RsaKey:
    """A private key ready for use. ``size`` is its modulus in bytes."""

    def __init__(self, private_key: RSAPrivateKey) -> None:
        self._library = private_key
        numbers = private_key.private_numbers()
        self._p, self._q = numbers.p, numbers.q
        self._dp, self._dq, self._qinv = numbers.dmp1, numbers.dmq1, numbers.iqmp
        self._n = numbers.public_numbers.n
        self.size = (self._n.bit_length() + 7) // 8

    def sign_hash(self, digest: Digest, value: bytes, scheme: Scheme = Scheme.PKCS1) -> bytes:
        """A hash already computed, signed: the card adds the DigestInfo, or pads by PSS (CARD-CPS3-25, CARD-CPS4-17).

        Raises RsaError if the value has not the size of this hash.
        """
        algorithm = _HASHES[digest]
        if len(value) != algorithm.digest_size:
            raise RsaError(f"{len(value)} bytes are no {digest} hash")
        filling: padding.AsymmetricPadding = padding.PKCS1v15()
        if scheme is Scheme.PSS:
            filling = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
        return self._library.sign(value, filling, utils.Prehashed(algorithm))

    def sign_data(self, data: bytes) -> bytes:
        """PKCS#1 v1.5 block type 1 around the data as given, signed. Raises RsaError if there are too many."""
        if len(data) > self.size - _MIN_PADDING:
            raise RsaError(f"{len(data)} bytes do not fit a {self.size}-byte modulus")
        return self._library.sign(data, padding.PKCS1v15(), utils.NoDigestInfo())

    def decipher(self, cryptogram: bytes) -> bytes:
        """The plain text of a PKCS#1 v1.5 cryptogram, without its padding. Raises RsaError if there is none."""
        block = self.raw(cryptogram)
        end = block.find(b"\x00", 2)
        if block[:2] != b"\x00\x02" or end < _MIN_PADDING - 1:
            raise RsaError("no PKCS#1 padding of type 2")
        return block[end + 1 :]

    def raw(self, block: bytes) -> bytes:
        """The private operation on a block of ``size`` bytes. Raises RsaError for another size or a number >= n."""
        number = int.from_bytes(block, "big")
        if len(block) != self.size or number >= self._n:
            raise RsaError(f"a block has {self.size} bytes and is below the modulus")
        first, second = pow(number, self._dp, self._p), pow(number, self._dq, self._q)
        result = second + (first - second) * self._qinv % self._p * self._q
        return result.to_bytes(self.size, "big")
