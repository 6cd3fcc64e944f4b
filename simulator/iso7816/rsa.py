"""RSA as a card does it: signatures over a hash (PKCS#1 v1.5, PSS) or over any data, and decryption (RFC 8017).

Where the library offers the operation it does the work. It has none for a raw private operation, which DECIPHER (a
definite answer to bad padding) and PSS (a salt that the card draws, so that a run repeats) need: that one is computed
here with the Chinese remainder theorem. It is not constant-time: laboratory keys only.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, utils
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bifente.simulator.iso7816.image import Digest, Scheme

_HASHES: dict[Digest, hashes.HashAlgorithm] = {Digest.SHA1: hashes.SHA1(), Digest.SHA256: hashes.SHA256()}  # noqa: S303
_MIN_PADDING = 11


class RsaError(ValueError):
    """The data cannot be used with this key: wrong length, number too large, or padding broken."""


class RsaKey:
    """A private key ready for use. ``size`` is its modulus in bytes, ``modulus`` and ``exponent`` its public half."""

    def __init__(self, private_key: RSAPrivateKey) -> None:
        self._library = private_key
        numbers = private_key.private_numbers()
        self._p, self._q = numbers.p, numbers.q
        self._dp, self._dq, self._qinv = numbers.dmp1, numbers.dmq1, numbers.iqmp
        self._n = numbers.public_numbers.n
        self.size = (self._n.bit_length() + 7) // 8
        exponent = numbers.public_numbers.e
        self.modulus = self._n.to_bytes(self.size, "big")
        self.exponent = exponent.to_bytes((exponent.bit_length() + 7) // 8, "big")

    def sign_hash(
        self,
        digest: Digest,
        value: bytes,
        scheme: Scheme = Scheme.PKCS1,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> bytes:
        """A hash already computed, signed: the card adds the DigestInfo, or pads by PSS (CARD-CPS3-25, CARD-CPS4-17).

        ``random`` gives the salt. Raises RsaError if the value has not the size of this hash.
        """
        algorithm = _HASHES[digest]
        if len(value) != algorithm.digest_size:
            raise RsaError(f"{len(value)} bytes are no {digest} hash")
        if scheme is Scheme.PSS:
            block = pss_block(digest, value, random(algorithm.digest_size), self._n.bit_length() - 1)
            return self.raw(block.rjust(self.size, b"\0"))
        return self._library.sign(value, padding.PKCS1v15(), utils.Prehashed(algorithm))

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
        """The private operation on a block of ``size`` bytes. Raises RsaError for another size or a number >= n.

        A block padded as for a signature is left to the library, which makes the same number of it.
        """
        number = int.from_bytes(block, "big")
        if len(block) != self.size or number >= self._n:
            raise RsaError(f"a block has {self.size} bytes and is below the modulus")
        if data := _padded_to_sign(block):
            return self.sign_data(data)
        first, second = pow(number, self._dp, self._p), pow(number, self._dq, self._q)
        result = second + (first - second) * self._qinv % self._p * self._q
        return result.to_bytes(self.size, "big")


def _padded_to_sign(block: bytes) -> bytes:
    """What a host padded by PKCS#1 v1.5, type 1, to be signed (RFC 8017, 9.2); empty for any other block."""
    ones, _, data = block[2:].partition(b"\x00")
    padded = block.startswith(b"\x00\x01") and len(ones) >= _MIN_PADDING - 3 and not ones.strip(b"\xff")
    return data if padded else b""


def pss_block(digest: str, value: bytes, salt: bytes, bits: int) -> bytes:
    """EMSA-PSS of a hash with MGF1, for a number of ``bits`` bits (RFC 8017, 9.1.1 and B.2.1)."""
    marked = hashlib.new(digest, bytes(8) + value + salt).digest()
    size = (bits + 7) // 8 - len(marked) - 1
    rounds = range(-(-size // len(marked)))
    mask = b"".join(hashlib.new(digest, marked + number.to_bytes(4, "big")).digest() for number in rounds)
    data = int.from_bytes(b"\x01" + salt, "big") ^ int.from_bytes(mask[:size], "big")
    data &= (1 << bits - 8 * (len(marked) + 1)) - 1
    return data.to_bytes(size, "big") + marked + b"\xbc"
