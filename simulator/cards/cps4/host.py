"""The command sequences of a CPS4, as the real Cryptolib sends them (sources#cps4)."""

from __future__ import annotations

import hashlib
from typing import ClassVar

from bifente.simulator.cards.host import OK, CardHost, NotOnThisCardError, in_turn
from bifente.simulator.cards.padding import deciphered, to_sign
from bifente.simulator.iso7816.apdu import Command, Response

_MF = b"\x3f\x00"
_LOCAL = 0x80
_FOR_SIGNATURE, _FOR_DECIPHERING = 0xB6, 0xB8
_BLOCKED = 0x6983
_KEY_SIZE = 256


class Cps4Host(CardHost):
    """Drives one CPS4 on logical channel 1, which the SELECT of its application opens (CARD-CPS4-02)."""

    application: ClassVar[str] = "chipdoc"
    channel: ClassVar[int] = 1
    piece: ClassVar[int] = 256

    def open(self) -> Response:
        """SELECT the application; if another program holds it, free channel 0 and try again (CARD-CPS4-03)."""
        selected = super().open()
        if selected.sw == OK:
            return selected
        aids = self._layout.aids
        self.select_application(aids["security-domain"])
        self._dialogue.send(Command(0x00, 0xA4, 0x04, 0x0C, aids["cps2ter"]))
        return super().open()

    def select_file(self, path: bytes, *, describe: bool = False) -> Response:
        """SELECT from the MF, whose own identifier is left out (CARD-CPS4-05)."""
        p2 = 0x00 if describe else 0x0C
        if path == _MF:
            return self._send(0xA4, 0x00, p2, path, answers=describe)
        return self._send(0xA4, 0x08, p2, path.removeprefix(_MF), answers=describe)

    def change(self, reference: int, old: bytes, new: bytes) -> Response:
        """VERIFY of the old value, then CHANGE REFERENCE DATA with the new one alone (CARD-CPS4-14)."""
        return in_turn(lambda: self.verify(reference, old), lambda: self._assign(reference, new))

    def reset_retry(self, reference: int, new: bytes) -> Response:
        """RESET RETRY COUNTER without data, then CHANGE REFERENCE DATA (CARD-CPS4-13)."""
        return in_turn(lambda: self._send(0x2C, 0x03, reference | _LOCAL), lambda: self._assign(reference, new))

    def counters(self, reference: int) -> tuple[Response, dict[str, int]]:
        """Tries left, by an empty VERIFY; the card tells no maximum (CARD-CPS4-10)."""
        response = self.verify(reference, b"")
        left = response.sw & 0x0F if response.sw >> 4 == 0x63C else 0 if response.sw == _BLOCKED else None
        return response, {} if left is None else {"tries-left": left}

    def environment(self, template: int, algorithm: int | None, key: int | None = None) -> Response:
        """To sign: algorithm and key in tag 91; otherwise the key in tag 83 (CARD-CPS4-16, CARD-CPS4-18)."""
        named = bytes(value for value in (algorithm, key) if value is not None)
        if template == _FOR_SIGNATURE:
            return self._send(0x22, 0x81, template, bytes((0x91, len(named))) + named)
        return self._send(0x22, 0x41, template, bytes((0x83, len(named))) + named)

    def sign(self, key: str, digest: str, message: bytes, scheme: str = "pkcs1") -> Response:
        """Hash, then sign."""
        return self.sign_hash(key, digest, hashlib.new(digest, message).digest(), scheme)

    def sign_hash(self, key: str, digest: str, value: bytes, scheme: str = "pkcs1") -> Response:
        """MSE B6, then PSO COMPUTE DIGITAL SIGNATURE of the hash, which the card pads."""
        algorithm = self.algorithm("sign", digest, scheme)
        return in_turn(
            lambda: self.environment(_FOR_SIGNATURE, algorithm, self.key(key) | _LOCAL),
            lambda: self._send(0x2A, 0x9E, 0x9A, value, answers=True),
        )

    def authenticate(self, key: str, data: bytes) -> Response:
        """The raw operation on a block that the host pads: there is no INTERNAL AUTHENTICATE (CL-INTRO-04)."""
        try:
            block = to_sign(data, _KEY_SIZE)
        except ValueError as error:
            raise NotOnThisCardError(
                self._layout.family, f"ne signe pas {len(data)} octets : 245 au plus", f"does not sign: {error}"
            ) from None
        return self._raw(key, block)

    def decipher(self, key: str, cryptogram: bytes) -> Response:
        """The raw operation; the host takes the padding off (CARD-CPS4-19). A block without padding stays as it is."""
        response = self._raw(key, cryptogram)
        return Response(deciphered(response.data), response.sw)

    def _raw(self, key: str, block: bytes) -> Response:
        return in_turn(
            lambda: self.environment(_FOR_DECIPHERING, None, self.key(key)), lambda: self._private_operation(block)
        )

    def _assign(self, reference: int, new: bytes) -> Response:
        return self._send(0x24, 0x01, reference, new)
