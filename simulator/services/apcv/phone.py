"""A phone with the application: it proves itself by signing, with a laboratory key that the service knows."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from bifente.ground.clock import Clock
from bifente.simulator.formats.jose.seal import Seal, SigningKey
from bifente.simulator.services.apcv.parameters import ApcvParameters

SEAL = Seal("ES256", deflated=False)
#: What a QR code of this laboratory begins with, so that no real one is taken for it, nor it for a real one.
QR_PREFIX = "BIFENTE-APCV-1:"
QR, NFC = "qr", "nfc"


@dataclass(slots=True)
class Phone:
    """A phone. ``serial`` names it at the service; ``clock`` is its own, which may be wrong."""

    serial: str
    clock: Clock
    parameters: ApcvParameters = field(default_factory=ApcvParameters)
    random: Callable[[int], bytes] = secrets.token_bytes
    key: SigningKey = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.key = SigningKey.es256(self.serial)

    def qr(self) -> str:
        """The text of the QR code shown now; each is good once, for ``parameters.proof``."""
        return QR_PREFIX + self._proof(QR, {})

    def answer(self, challenge: bytes) -> str:
        """What is answered by NFC to the challenge of a reader."""
        return self._proof(NFC, {"challenge": challenge.hex()})

    def _proof(self, channel: str, more: dict[str, str]) -> str:
        now = self.clock.now()
        claims = {
            "sub": self.serial,
            "use": channel,
            "jti": self.random(12).hex(),
            "iat": now.timestamp(),
            "exp": (now + self.parameters.proof).timestamp(),
            **more,
        }
        return SEAL.close(claims, self.key.key, self.key.kid)
