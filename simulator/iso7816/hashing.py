"""SHA-1 and SHA-256 resumed from an intermediate state that the host computed (FIPS 180-4).

A card ends a hash begun elsewhere: it is given the chaining value, how many bits went into it, and what is left of
the message. No library takes a foreign chaining value, hence the two compression functions here; they see one or two
blocks a signature. Messages are public to whoever sends them, so nothing here needs constant time.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from bifente.simulator.iso7816.image import Digest

BLOCK = 64
_MASK = 0xFFFFFFFF
_MAX_BITS = (1 << 64) - 1

Words = tuple[int, ...]


class HashingError(ValueError):
    """The intermediate state is none: wrong size, or a count that no whole number of blocks gives."""


# A word times this stands twice side by side: shifted, its low half is the word rotated. What lies above 32 bits is in
# no sum's way, and is cut off once at the end of each.
_TWICE = 0x100000001


def _sha1(state: Words, block: bytes) -> Words:
    w = list(struct.unpack(">16I", block))
    for t in range(16, 80):
        w.append((w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16]) * _TWICE >> 31 & _MASK)
    a, b, c, d, e = state
    for t, word in enumerate(w):
        if t < 20:
            f = (d ^ b & (c ^ d)) + 0x5A827999
        elif t < 40:
            f = (b ^ c ^ d) + 0x6ED9EBA1
        elif t < 60:
            f = (b & c | d & (b | c)) + 0x8F1BBCDC
        else:
            f = (b ^ c ^ d) + 0xCA62C1D6
        a, b, c, d, e = (a * _TWICE >> 27) + f + e + word & _MASK, a, b * _TWICE >> 2 & _MASK, c, d
    return tuple(old + new & _MASK for old, new in zip(state, (a, b, c, d, e), strict=True))


def _primes(count: int) -> list[int]:
    found: list[int] = []
    candidate = 2
    while len(found) < count:
        if all(candidate % prime for prime in found):
            found.append(candidate)
        candidate += 1
    return found


def _cube_root_fraction(number: int) -> int:
    # The first 32 bits of the fractional part of a cube root: the integer cube root of number * 2^96, by bisection.
    low, high = 0, 1 << 40
    while high - low > 1:
        middle = (low + high) // 2
        if middle**3 <= number << 96:
            low = middle
        else:
            high = middle
    return low & _MASK


_K256 = tuple(_cube_root_fraction(prime) for prime in _primes(64))


def _sha256(state: Words, block: bytes) -> Words:
    w = list(struct.unpack(">16I", block))
    for t in range(16, 64):
        x, y = w[t - 15], w[t - 2]
        xx, yy = x * _TWICE, y * _TWICE
        w.append(w[t - 16] + (xx >> 7 ^ xx >> 18 ^ x >> 3) + w[t - 7] + (yy >> 17 ^ yy >> 19 ^ y >> 10) & _MASK)
    a, b, c, d, e, f, g, h = state
    bc = b ^ c
    for constant, word in zip(_K256, w, strict=True):
        # Ch and Maj with fewer operations: a round's a ^ b is the next one's b ^ c.
        aa, ee, ab = a * _TWICE, e * _TWICE, a ^ b
        t1 = h + (ee >> 6 ^ ee >> 11 ^ ee >> 25) + (g ^ e & (f ^ g)) + constant + word
        t2 = (aa >> 2 ^ aa >> 13 ^ aa >> 22) + (b ^ ab & bc)
        a, b, c, d, e, f, g, h, bc = t1 + t2 & _MASK, a, b, c, d + t1 & _MASK, e, f, g, ab
    return tuple(old + new & _MASK for old, new in zip(state, (a, b, c, d, e, f, g, h), strict=True))


@dataclass(frozen=True, slots=True)
class _Function:
    words: int
    compress: Callable[[Words, bytes], Words]


_FUNCTIONS = {Digest.SHA1: _Function(5, _sha1), Digest.SHA256: _Function(8, _sha256)}


_INITIAL: Mapping[Digest, Words] = {
    Digest.SHA1: (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0),
    Digest.SHA256: (
        *(0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A),
        *(0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19),
    ),
}


def state_size(digest: Digest) -> int:
    """Bytes of a chaining value, which is also the size of the hash: 20 or 32."""
    return _FUNCTIONS[digest].words * 4


def advance(digest: Digest, state: bytes, blocks: bytes) -> bytes:
    """The chaining value after some whole blocks. Raises HashingError for a wrong size of either."""
    function = _FUNCTIONS[digest]
    if len(state) != function.words * 4 or len(blocks) % BLOCK:
        raise HashingError(f"{len(state)} bytes of state and {len(blocks)} of blocks do not fit {digest}")
    words: Words = struct.unpack(f">{function.words}I", state)
    for position in range(0, len(blocks), BLOCK):
        words = function.compress(words, blocks[position : position + BLOCK])
    return struct.pack(f">{function.words}I", *words)


@lru_cache(maxsize=64)
def _begun(digest: Digest, words: Words, block: bytes) -> Words:
    return _FUNCTIONS[digest].compress(words, block)


def begin(digest: Digest, blocks: bytes) -> bytes:
    """The chaining value of a message's first whole blocks: what a host hashes. Raises HashingError for another size.

    Much of what is signed begins alike (the SignedInfo of XMLDSig up to its identifier): those blocks are hashed once.
    """
    if len(blocks) % BLOCK:
        raise HashingError(f"{len(blocks)} bytes are no whole number of blocks")
    words = _INITIAL[digest]
    for position in range(0, len(blocks), BLOCK):
        words = _begun(digest, words, blocks[position : position + BLOCK])
    return struct.pack(f">{len(words)}I", *words)


def finish(digest: Digest, state: bytes, hashed_bits: int, rest: bytes) -> bytes:
    """The hash of a message of which ``hashed_bits`` (a multiple of 512) are in ``state`` and ``rest`` is the end.

    An empty state with no bits hashed starts afresh. Raises HashingError for anything inconsistent.
    """
    if not state and not hashed_bits:
        return hashlib.new(digest, rest, usedforsecurity=False).digest()
    total = hashed_bits + 8 * len(rest)
    if hashed_bits <= 0 or hashed_bits % (BLOCK * 8) or total > _MAX_BITS:
        raise HashingError(f"{hashed_bits} bits is no count of whole blocks already hashed")
    padding = b"\x80" + bytes(-(len(rest) + 9) % BLOCK) + total.to_bytes(8, "big")
    return advance(digest, state, rest + padding)
