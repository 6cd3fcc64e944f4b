"""The key in a card as a handshake signs with it: each signature one command to the card, by whatever reaches it."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509

from bifente.ground.text import Text
from bifente.simulator.cards.host import OK, CardHost, NotOnThisCardError
from bifente.simulator.serving.handshake.keys import PKCS1, PSS, TlsIdentity

DIGEST = "sha256"
"""What every card of the field signs (PKI-02)."""
SIGNATURE = "signature"
_HASH_SIZE = 32


class CardSignatureError(Exception):
    """The card did not sign. ``sw`` is what it answered: 6982 before the holder code was given."""

    def __init__(self, sw: int) -> None:
        self.sw = sw
        self.text = Text(
            f"la carte n'a pas signé ({sw:04X})"
            + (" : le code porteur n'a pas été présenté" if sw == _NO_CODE else ""),
            f"the card did not sign ({sw:04X})" + (": the holder code was not given" if sw == _NO_CODE else ""),
        )
        super().__init__(self.text.en)


_NO_CODE = 0x6982


@dataclass(frozen=True, slots=True)
class CardTlsKey:
    """One key of a card. ``schemes`` are those its family has: a CPS3 signs PKCS#1 v1.5 alone (sources#cps3)."""

    host: CardHost
    name: str = "authentication"

    @property
    def schemes(self) -> tuple[str, ...]:
        """PKCS#1 v1.5 first: it is what every server of the field takes."""
        try:
            self.host.algorithm("sign", DIGEST, PSS)
        except NotOnThisCardError:
            return (PKCS1,)
        return (PKCS1, PSS)

    @property
    def digests(self) -> tuple[str, ...]:
        """SHA-256."""
        return (DIGEST,)

    def sign_info(self, info: bytes) -> bytes:
        """Return the PKCS#1 v1.5 signature of a DigestInfo. Raise CardSignatureError, ScardError."""
        if self.name == SIGNATURE:
            # The key for signatures answers no challenge: it signs the hash in the DigestInfo.
            answer = self.host.sign_hash(self.name, DIGEST, info[-_HASH_SIZE:])
        else:
            answer = self.host.authenticate(self.name, info)
        if answer.sw != OK:
            raise CardSignatureError(answer.sw)
        return answer.data

    def sign_pss(self, digest: str, value: bytes) -> bytes:
        """Return the PSS signature of a hash. Raise CardSignatureError, ScardError."""
        answer = self.host.sign_hash(self.name, digest, value, PSS)
        if answer.sw != OK:
            raise CardSignatureError(answer.sw)
        return answer.data


def card_identity(host: CardHost, certificate: x509.Certificate, key: str = "authentication") -> TlsIdentity:
    """Return what a client shows and signs with: a certificate, as it was read, and a key of the card."""
    return TlsIdentity((certificate,), CardTlsKey(host, key))
