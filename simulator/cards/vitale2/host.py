"""A middleware's way with a Vitale 2: its files, and the recognition between it and a professional's card.

What is read and how is public (sources#vitale-card); the recognition is the laboratory's own: the host gives the Vitale
the certificate of the other card, has that one sign the Vitale's challenge, and hands the signature over. So is the
signature of a sheet, which the Vitale gives once it has recognised that card.
"""

from __future__ import annotations

import hashlib
from typing import ClassVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from bifente.simulator.cards.host import OK, CardHost
from bifente.simulator.cards.padding import digest_info
from bifente.simulator.cards.vitale2.engine import CHALLENGE_SIZE
from bifente.simulator.iso7816.apdu import Response

_MF = b"\x3f\x00"
_CHAINED, _BLOCK = 0x10, 255
_KEY, _SIGNATURE_KEY = "authentication", "signature"


class VitaleHost(CardHost):
    """Drives one Vitale 2."""

    application: ClassVar[str] = "vitale"
    piece: ClassVar[int] = 256

    def select_file(self, path: bytes, *, describe: bool = False) -> Response:
        """SELECT by absolute path; the MF by its identifier, as the public clients do."""
        p2 = 0x04 if describe else 0x0C
        if path == _MF:
            return self._send(0xA4, 0x00, p2, path, answers=describe)
        return self._send(0xA4, 0x09, p2, path, answers=describe)

    # -- recognition --------------------------------------------------------------------------------------------------

    def present_certificate(self, certificate: bytes) -> Response:
        """PSO VERIFY CERTIFICATE, in a chain of commands."""
        return self._chained(0x2A, 0x00, 0xBE, certificate)

    def external_authenticate(self, signature: bytes) -> Response:
        """EXTERNAL AUTHENTICATE."""
        return self._chained(0x82, 0x00, 0x00, signature)

    def internal_authenticate(self, challenge: bytes) -> Response:
        """INTERNAL AUTHENTICATE: the signature of the Vitale."""
        return self._send(0x88, 0x00, 0x00, challenge, answers=True)

    def recognise(self, professional: CardHost, certificate: bytes) -> Response:
        """Let the Vitale open itself to a professional's card, whose code was presented; the first refusal of either
        card ends it.
        """
        presented = self.present_certificate(certificate)
        if presented.sw != OK:
            return presented
        challenge = self.challenge(CHALLENGE_SIZE)
        if challenge.sw != OK:
            return challenge
        proof = professional.authenticate(_KEY, digest_info("sha256", challenge.data))
        if proof.sw != OK:
            return proof
        return self.external_authenticate(proof.data)

    def sign(self, key: str, digest: str, message: bytes, scheme: str = "pkcs1") -> Response:
        """PSO COMPUTE DIGITAL SIGNATURE of the hash, in the presence of a professional's card. Raises
        NotOnThisCardError for another key than that of sheets, or another algorithm.
        """
        self.algorithm("sign", digest, scheme)
        if key != _SIGNATURE_KEY:
            raise self._lacks("ne signe de cette clé que des aléas", "signs challenges only with this key")
        return self._send(0x2A, 0x9E, 0x9A, hashlib.new(digest, message).digest(), answers=True)

    # -- what a Vitale has not ----------------------------------------------------------------------------------------

    def environment(self, template: int, algorithm: int | None, key: int | None = None) -> Response:
        """MSE SET with values as they go to the card, which does not serve it."""
        named = bytes(value for value in (algorithm, key) if value is not None)
        return self._send(0x22, 0x41, template, named)

    def authenticate(self, key: str, data: bytes) -> Response:
        """A Vitale hashes and pads by itself. Raises NotOnThisCardError."""
        raise self._lacks("condense elle-même ce qu'elle signe", "hashes by itself what it signs")

    def _chained(self, ins: int, p1: int, p2: int, data: bytes) -> Response:
        *first, last = (data[at : at + _BLOCK] for at in range(0, len(data) or 1, _BLOCK))
        for part in first:
            begun = self._send(ins, p1, p2, part, chained=True)
            if begun.sw != OK:
                return begun
        return self._send(ins, p1, p2, last)


def proves(certificate: bytes, authority: x509.Certificate, challenge: bytes, signature: bytes) -> bool:
    """Whether a Vitale is true: its certificate (DER) is the authority's, and its key signed the challenge."""
    try:
        own = x509.load_der_x509_certificate(certificate)
        own.verify_directly_issued_by(authority)
        key = own.public_key()
        if not isinstance(key, RSAPublicKey):
            return False
        key.verify(signature, challenge, padding.PKCS1v15(), hashes.SHA256())
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
