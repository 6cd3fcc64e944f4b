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

from bifente.simulator.iso7816.image import Digest

BLOCK = 64
_MASK = 0xFFFFFFFF
_MAX_BITS = (1 << 64) - 1

Words = tuple[int, ...]


class HashingError(ValueError):
    """The intermediate state is none: wrong size, or a count that no whole number of blocks gives."""


def _left(word: int, count: int) -> int:
    return (word << count | word >> (32 - count)) & _MASK


def _sha1(state: Words, block: bytes) -> Words:
    w = list(struct.unpack(">16I", block))
    for t in range(16, 80):
        w.append(_left(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1))
    a, b, c, d, e = state
    for t in range(80):
        if t < 20:
            f, k = b & c | ~b & d, 0x5A827999
        elif t < 40:
            f, k = b ^ c ^ d, 0x6ED9EBA1
        elif t < 60:
            f, k = b & c | b & d | c & d, 0x8F1BBCDC
        else:
            f, k = b ^ c ^ d, 0xCA62C1D6
        a, b, c, d, e = (_left(a, 5) + f + e + k + w[t]) & _MASK, a, _left(b, 30), c, d
    return tuple((old + new) & _MASK for old, new in zip(state, (a, b, c, d, e), strict=True))


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
    # Rotations without a call: a word written twice side by side, shifted, holds its rotation in its low half.
    w = list(struct.unpack(">16I", block))
    for t in range(16, 64):
        x, y = w[t - 15], w[t - 2]
        xx, yy = x << 32 | x, y << 32 | y
        s0 = (xx >> 7 ^ xx >> 18) & _MASK ^ x >> 3
        s1 = (yy >> 17 ^ yy >> 19) & _MASK ^ y >> 10
        w.append((w[t - 16] + s0 + w[t - 7] + s1) & _MASK)
    a, b, c, d, e, f, g, h = state
    for constant, word in zip(_K256, w, strict=True):
        aa, ee = a << 32 | a, e << 32 | e
        t1 = h + ((ee >> 6 ^ ee >> 11 ^ ee >> 25) & _MASK) + (e & f ^ ~e & g) + constant + word
        t2 = ((aa >> 2 ^ aa >> 13 ^ aa >> 22) & _MASK) + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = (t1 + t2) & _MASK, a, b, c, (d + t1) & _MASK, e, f, g
    return tuple((old + new) & _MASK for old, new in zip(state, (a, b, c, d, e, f, g, h), strict=True))


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


def initial(digest: Digest) -> bytes:
    """The chaining value a hash starts from (FIPS 180-4, section 5.3): what a host needs to hash the first blocks."""
    return struct.pack(f">{_FUNCTIONS[digest].words}I", *_INITIAL[digest])


def advance(digest: Digest, state: bytes, blocks: bytes) -> bytes:
    """The chaining value after some whole blocks. Raises HashingError for a wrong size of either."""
    function = _FUNCTIONS[digest]
    if len(state) != function.words * 4 or len(blocks) % BLOCK:
        raise HashingError(f"{len(state)} bytes of state and {len(blocks)} of blocks do not fit {digest}")
    words: Words = struct.unpack(f">{function.words}I", state)
    for position in range(0, len(blocks), BLOCK):
        words = function.compress(words, blocks[position : position + BLOCK])
    return struct.pack(f">{function.words}I", *words)


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
