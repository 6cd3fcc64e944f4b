"""The command sequences of a CPS3, as real clients send them (the project's CPS3 card facts, section 6)."""

from __future__ import annotations

import hashlib
from random import Random

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from conformance.hosts.dialogue import Dialogue
from simulator.cards.layout import Layout
from simulator.iso7816 import tlv
from simulator.iso7816.apdu import Command, Response
from simulator.iso7816.hashing import BLOCK, advance, initial
from simulator.iso7816.image import Digest

_OK = 0x9000
_CHUNK = 0xE7
"""Bytes a read asks for at once, as the Cryptolib does."""
_COUNTERS = {0x9A: "tries-maximum", 0x9B: "tries-left", 0x9D: "uses-left"}
_PRIVATE_BLOCK = 254
"""Cryptogram bytes in the first chained DECIPHER block, beside the padding indicator."""
_LEAST_FILLING = 8


class Cps3Host:
    """Drives one CPS3 through a dialogue. Every method gives the last response: the first refusal ends a sequence."""

    def __init__(self, dialogue: Dialogue, layout: Layout) -> None:
        self._dialogue = dialogue
        self._layout = layout

    def select_application(self, aid: bytes) -> Response:
        """SELECT by name, no answer wanted."""
        return self._send(0xA4, 0x04, 0x0C, aid)

    def select_file(self, path: bytes, *, want_fcp: bool = False) -> Response:
        """SELECT by absolute path, the MF's identifier included."""
        return self._send(0xA4, 0x09, 0x04 if want_fcp else 0x0C, path)

    def read_binary(self, offset: int, length: int, sfi: int | None = None) -> Response:
        """READ BINARY of the current EF, or of one by short identifier (offset under 256 then)."""
        p1, p2 = (0x80 | sfi, offset) if sfi is not None else (offset >> 8, offset & 0xFF)
        return self._send(0xB0, p1, p2, ne=length)

    def read(self, path: bytes) -> Response:
        """A whole file: SELECT for its size, then READ BINARY by pieces."""
        selected = self.select_file(path, want_fcp=True)
        if selected.sw != _OK:
            return selected
        data = bytearray()
        size = _size(selected.data)
        while len(data) < size:
            piece = self.read_binary(len(data), min(_CHUNK, size - len(data)))
            if piece.sw != _OK or not piece.data:
                return Response(bytes(data), piece.sw)
            data += piece.data
        return Response(bytes(data), _OK)

    def update_binary(self, offset: int, data: bytes) -> Response:
        """UPDATE BINARY of the current EF."""
        return self._send(0xD6, offset >> 8, offset & 0xFF, data)

    def verify(self, reference: int, code: bytes) -> Response:
        """VERIFY; an empty code asks for the counter without using a try."""
        if not code:
            return self._dialogue.raw(bytes((0x00, 0x20, 0x00, reference, 0x00)))
        return self._send(0x20, 0x00, reference, code)

    def change(self, reference: int, old: bytes, new: bytes) -> Response:
        """CHANGE REFERENCE DATA: both values joined, the card knows the old length."""
        return self._send(0x24, 0x00, reference, old + new)

    def reset_retry(self, reference: int, new: bytes) -> Response:
        """RESET RETRY COUNTER with the new value (P1 = 02)."""
        return self._send(0x2C, 0x02, reference, new)

    def get_data(self, request: bytes) -> Response:
        """GET DATA of security data objects (``00 CB 3F FF``)."""
        return self._send(0xCB, 0x3F, 0xFF, request)

    def counters(self, reference: int) -> tuple[Response, dict[str, int]]:
        """A code's object and its counters, by the tags 9A, 9B and 9D of its DOCP (CARD-CPS3-16)."""
        wanted = tlv.encode(0x4D, tlv.encode(0x70, bytes((0xBF, 0x81, reference, 0x02, 0xA0, 0x80))))
        response = self.get_data(wanted)
        try:
            docp = tlv.find(tlv.parse(response.data), 0x70, 0xBF8100 | reference, 0xA0)
        except tlv.TlvError:
            docp = None
        found = {item.tag: int.from_bytes(item.value, "big") for item in docp.children} if docp else {}
        return response, {name: found[tag] for tag, name in _COUNTERS.items() if tag in found}

    def challenge(self, length: int) -> Response:
        """GET CHALLENGE."""
        return self._send(0x84, 0x00, 0x00, ne=length)

    def environment(self, template: int, algorithm: int, key: int | None = None) -> Response:
        """MSE SET: algorithm reference, then the key's."""
        data = bytes((0x80, 0x01, algorithm)) + (bytes((0x84, 0x01, key)) if key is not None else b"")
        return self._send(0x22, 0x41, template, data)

    def hash_last_block(self, digest: str, message: bytes) -> Response:
        """MSE AA and PSO HASH: the host hashes all but the last block, the card the rest (CARD-CPS3-25)."""
        prepared = self.environment(0xAA, self.algorithm("hash", digest))
        if prepared.sw != _OK:
            return prepared
        state, last = partial(Digest(digest), message)
        return self._send(0x2A, 0x90, 0xA0, bytes((0x90, len(state))) + state + bytes((0x80, len(last))) + last)

    def compute_signature(self, key: str, digest: str) -> Response:
        """MSE B6 and PSO COMPUTE DIGITAL SIGNATURE of the hash the card holds."""
        prepared = self.environment(0xB6, self.algorithm("sign", digest), self.key(key))
        if prepared.sw != _OK:
            return prepared
        return self._send(0x2A, 0x9E, 0x9A)

    def sign(self, key: str, digest: str, message: bytes) -> Response:
        """The whole signature of a message."""
        hashed = self.hash_last_block(digest, message)
        return hashed if hashed.sw != _OK else self.compute_signature(key, digest)

    def authenticate(self, key: str, data: bytes) -> Response:
        """MSE A4 and INTERNAL AUTHENTICATE of data as given (a DigestInfo)."""
        prepared = self.environment(0xA4, self.algorithm("authenticate"), self.key(key))
        if prepared.sw != _OK:
            return prepared
        return self._send(0x88, 0x00, 0x00, data)

    def decipher(self, key: str, cryptogram: bytes) -> Response:
        """MSE B8 and chained PSO DECIPHER (CARD-CPS3-28)."""
        prepared = self.environment(0xB8, self.algorithm("decipher"), self.key(key))
        if prepared.sw != _OK:
            return prepared
        first, rest = b"\x81" + cryptogram[:_PRIVATE_BLOCK], cryptogram[_PRIVATE_BLOCK:]
        if rest:
            begun = self._send(0x2A, 0x80, 0x86, first, cla=0x10)
            if begun.sw != _OK:
                return begun
            first = rest
        return self._send(0x2A, 0x80, 0x86, first)

    def read_cps2ter(self, path: bytes) -> Response:
        """A file of the CPS2ter side: SELECT of each level in class A0, then READ BINARY (CARD-CPS3-32)."""
        header = Response()
        for index in range(0, len(path), 2):
            header = self._dialogue.send(Command(0xA0, 0xA4, 0x00, 0x00, path[index : index + 2]))
            if header.sw != _OK:
                return header
        size = int.from_bytes(header.data[2:4], "big")
        return self._dialogue.send(Command(0xA0, 0xB0, 0x00, 0x00, ne=size))

    def key(self, name: str) -> int:
        """What MSE SET calls a key of the layout."""
        return self._layout.keys[name].mse

    def algorithm(self, operation: str, digest: str | None = None) -> int:
        """The reference of an algorithm of the layout."""
        return next(
            entry.reference
            for entry in self._layout.algorithms
            if entry.operation == operation and entry.digest in (None, digest)
        )

    def _send(
        self, ins: int, p1: int, p2: int, data: bytes = b"", *, ne: int | None = None, cla: int = 0x00
    ) -> Response:
        # Case 1 of T=0 has five bytes, P3 = 00 (PCSC-01).
        if not data and ne is None:
            return self._follow(Command(cla, ins, p1, p2), bytes((cla, ins, p1, p2, 0)))
        return self._dialogue.send(Command(cla, ins, p1, p2, data, ne))

    def _follow(self, command: Command, raw: bytes) -> Response:
        first = self._dialogue.raw(raw)
        if first.sw >> 8 != 0x61:
            return first
        return self._dialogue.send(Command(command.cla, 0xC0, 0x00, 0x00, ne=first.sw & 0xFF or 256))


def partial(digest: Digest, message: bytes) -> tuple[bytes, bytes]:
    """What the host leaves to the card: (intermediate state and its count of bits, last 1 to 64 bytes).

    A message of one block or less has no state; a full last block is the card's (CARD-CPS3-25).
    """
    cut = max(0, (len(message) - 1) // BLOCK * BLOCK)
    if not cut:
        return b"", message
    return advance(digest, initial(digest), message[:cut]) + (8 * cut).to_bytes(8, "big"), message[cut:]


_DIGEST_INFO = {
    "sha1": bytes.fromhex("3021300906052B0E03021A05000414"),
    "sha256": bytes.fromhex("3031300D060960864801650304020105000420"),
}


def digest_info(digest: str, message: bytes) -> bytes:
    """The DigestInfo of a message (RFC 8017, section 9.2)."""
    return _DIGEST_INFO[digest] + hashlib.new(digest, message).digest()


def enciphered(public: RSAPublicKey, message: bytes, chance: Random) -> bytes:
    """A message under a public key, PKCS#1 v1.5 block type 2, its filling drawn from ``chance`` so that a run repeats.

    Raises ValueError for a message that does not fit the key.
    """
    numbers = public.public_numbers()
    size = (public.key_size + 7) // 8
    filling = size - 3 - len(message)
    if filling < _LEAST_FILLING:
        raise ValueError(f"a message of {len(message)} bytes does not fit a {size}-byte key")
    block = b"\x00\x02" + bytes(chance.randint(1, 0xFF) for _ in range(filling)) + b"\x00" + message
    return pow(int.from_bytes(block, "big"), numbers.e, numbers.n).to_bytes(size, "big")


def _size(fcp: bytes) -> int:
    try:
        found = tlv.find(tlv.parse(fcp), 0x62, 0x80)
    except tlv.TlvError:
        return 0
    return int.from_bytes(found.value, "big") if found else 0
