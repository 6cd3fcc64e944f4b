"""What a host computes around a card's private keys: DigestInfo and PKCS#1 v1.5 blocks (RFC 8017, 7.2 and 9.2)."""

from __future__ import annotations

import hashlib
from random import Random

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

_LEAST_FILLING = 8
_SIGNATURE, _ENCRYPTION = b"\x00\x01", b"\x00\x02"
_DIGEST_INFO = {
    "sha1": bytes.fromhex("3021300906052B0E03021A05000414"),
    "sha256": bytes.fromhex("3031300D060960864801650304020105000420"),
}


def digest_info(digest: str, message: bytes) -> bytes:
    """The DigestInfo of a message."""
    return _DIGEST_INFO[digest] + hashlib.new(digest, message).digest()


def to_sign(data: bytes, size: int) -> bytes:
    """The block that a raw private operation makes a signature of. Raises ValueError if data do not fit in ``size``."""
    return _SIGNATURE + b"\xff" * _filling(data, size) + b"\x00" + data


def deciphered(block: bytes) -> bytes:
    """The message in a block that a raw private operation gave; the block as it is if it holds none."""
    filling, zero, message = block[2:].partition(b"\x00")
    if not block.startswith(_ENCRYPTION) or not zero or len(filling) < _LEAST_FILLING:
        return block
    return message


def enciphered(public: RSAPublicKey, message: bytes, chance: Random) -> bytes:
    """A message under a public key, its filling drawn from ``chance`` so that a run repeats.

    Raises ValueError for a message that does not fit the key.
    """
    numbers = public.public_numbers()
    size = (public.key_size + 7) // 8
    filling = bytes(chance.randint(1, 0xFF) for _ in range(_filling(message, size)))
    block = _ENCRYPTION + filling + b"\x00" + message
    return pow(int.from_bytes(block, "big"), numbers.e, numbers.n).to_bytes(size, "big")


def _filling(data: bytes, size: int) -> int:
    filling = size - 3 - len(data)
    if filling < _LEAST_FILLING:
        raise ValueError(f"a message of {len(data)} bytes does not fit a {size}-byte key")
    return filling
