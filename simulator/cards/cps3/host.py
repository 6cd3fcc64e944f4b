"""The command sequences of a CPS3, as real clients send them (sources#cps3)."""

from __future__ import annotations

from typing import ClassVar

from bifente.simulator.cards.host import OK, CardHost, in_turn
from bifente.simulator.iso7816 import tlv
from bifente.simulator.iso7816.apdu import Command, Response
from bifente.simulator.iso7816.hashing import BLOCK, begin
from bifente.simulator.iso7816.image import Digest

_COUNTERS = {0x9A: "tries-maximum", 0x9B: "tries-left", 0x9D: "uses-left"}
_CPS2TER, _CPS2TER_CLASS = "cps2ter", 0xA0


class Cps3Host(CardHost):
    """Drives one CPS3, whose IAS ECC side is there from the start."""

    application: ClassVar[str] = "cpx-ias"
    piece: ClassVar[int] = 0xE7  # as the Cryptolib does

    def select_file(self, path: bytes, *, describe: bool = False) -> Response:
        """SELECT by path from the MF."""
        return self._send(0xA4, 0x09, 0x04 if describe else 0x0C, path, answers=describe)

    def read(self, path: bytes, volume: str | None = None) -> Response:
        """A whole file, on the CPS2ter side if it lies there."""
        return self._read_cps2ter(path) if volume == _CPS2TER else super().read(path)

    def change(self, reference: int, old: bytes, new: bytes) -> Response:
        """CHANGE REFERENCE DATA: both values joined, the card knows the old length (CARD-CPS3-21)."""
        return self._send(0x24, 0x00, reference, old + new)

    def reset_retry(self, reference: int, new: bytes) -> Response:
        """RESET RETRY COUNTER with the new value (P1 = 02)."""
        return self._send(0x2C, 0x02, reference, new)

    def counters(self, reference: int) -> tuple[Response, dict[str, int]]:
        """GET DATA of a code's object: its counters by the tags 9A, 9B and 9D of its DOCP (CARD-CPS3-16)."""
        wanted = tlv.encode(0x4D, tlv.encode(0x70, bytes((0xBF, 0x81, reference, 0x02, 0xA0, 0x80))))
        response = self._send(0xCB, 0x3F, 0xFF, wanted, answers=True)
        try:
            docp = tlv.find(tlv.parse(response.data), 0x70, 0xBF8100 | reference, 0xA0)
        except tlv.TlvError:
            docp = None
        found = {item.tag: int.from_bytes(item.value, "big") for item in docp.children} if docp else {}
        return response, {name: found[tag] for tag, name in _COUNTERS.items() if tag in found}

    def environment(self, template: int, algorithm: int | None, key: int | None = None) -> Response:
        """Algorithm reference in tag 80, then the key's in tag 84."""
        named = ((tag, value) for tag, value in ((0x80, algorithm), (0x84, key)) if value is not None)
        return self._send(0x22, 0x41, template, b"".join(bytes((tag, 1, value)) for tag, value in named))

    def hash_last_block(self, digest: str, message: bytes) -> Response:
        """MSE AA and PSO HASH: the host hashes all but the last block, the card the rest (CARD-CPS3-25)."""
        state, last = partial(Digest(digest), message)
        body = bytes((0x90, len(state))) + state + bytes((0x80, len(last))) + last
        return in_turn(
            lambda: self.environment(0xAA, self.algorithm("hash", digest)), lambda: self._send(0x2A, 0x90, 0xA0, body)
        )

    def compute_signature(self, key: str, digest: str) -> Response:
        """MSE B6 and PSO COMPUTE DIGITAL SIGNATURE of the hash the card holds."""
        return in_turn(
            lambda: self.enter(key),
            lambda: self.environment(0xB6, self.algorithm("sign", digest), self.key(key)),
            lambda: self._send(0x2A, 0x9E, 0x9A, answers=True),
        )

    def sign(self, key: str, digest: str, message: bytes, scheme: str = "pkcs1") -> Response:
        """Hash, then sign."""
        self.algorithm("sign", digest, scheme)
        return in_turn(lambda: self.hash_last_block(digest, message), lambda: self.compute_signature(key, digest))

    def sign_hash(self, key: str, digest: str, value: bytes, scheme: str = "pkcs1") -> Response:
        """MSE B6 and PSO COMPUTE DIGITAL SIGNATURE of a hash of the host's, as the Cryptolib does for CKM_RSA_PKCS.

        The folder of the key comes first, as with every use. That a real card takes a hash is not known (sources#cps3).
        """
        algorithm = self.algorithm("sign", digest, scheme)
        return in_turn(
            lambda: self.enter(key),
            lambda: self.environment(0xB6, algorithm, self.key(key)),
            lambda: self._send(0x2A, 0x9E, 0x9A, value, answers=True),
        )

    def authenticate(self, key: str, data: bytes) -> Response:
        """MSE A4 and INTERNAL AUTHENTICATE, which pads."""
        return in_turn(
            lambda: self.enter(key),
            lambda: self.environment(0xA4, self.algorithm("authenticate"), self.key(key)),
            lambda: self._send(0x88, 0x00, 0x00, data, answers=True),
        )

    def decipher(self, key: str, cryptogram: bytes) -> Response:
        """MSE B8 and PSO DECIPHER behind a padding indicator (CARD-CPS3-28)."""
        return in_turn(
            lambda: self.enter(key),
            lambda: self.environment(0xB8, self.algorithm("decipher"), self.key(key)),
            lambda: self._private_operation(b"\x81" + cryptogram),
        )

    def _read_cps2ter(self, path: bytes) -> Response:
        """SELECT of each level in class A0, then READ BINARY (CARD-CPS3-32)."""
        header = Response()
        for index in range(0, len(path), 2):
            header = self._dialogue.send(Command(_CPS2TER_CLASS, 0xA4, 0x00, 0x00, path[index : index + 2]))
            if header.sw != OK:
                return header
        size = int.from_bytes(header.data[2:4], "big")
        if not size:  # told by a card that is not as it should: nothing can be asked for, an Le of 0 is 256
            return Response(b"", header.sw)
        return self._dialogue.send(Command(_CPS2TER_CLASS, 0xB0, 0x00, 0x00, ne=size))


def partial(digest: Digest, message: bytes) -> tuple[bytes, bytes]:
    """What the host leaves to the card: (intermediate state and its count of bits, last 1 to 64 bytes).

    A message of one block or less has no state; a full last block is the card's (CARD-CPS3-25).
    """
    cut = max(0, (len(message) - 1) // BLOCK * BLOCK)
    if not cut:
        return b"", message
    return begin(digest, message[:cut]) + (8 * cut).to_bytes(8, "big"), message[cut:]
