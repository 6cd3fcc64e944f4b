"""What a server or a client of the bench agrees to: versions, suites, ways to sign (sources#dmp-messages)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from tlslite.handshakesettings import HandshakeSettings

from bifente.simulator.serving.handshake.keys import PKCS1, PSS


class TlsVersion(IntEnum):
    """The versions that are spoken here, by their number on the wire."""

    TLS_1_2 = 0x0303
    TLS_1_3 = 0x0304

    @property
    def word(self) -> str:
        """As people write it."""
        return f"TLS 1.{self.value - 0x0301}"


@dataclass(frozen=True, slots=True)
class TlsTerms:
    """``oldest`` to ``newest`` are spoken. ``schemes`` and ``digests``: how the other side may sign, best first."""

    oldest: TlsVersion = TlsVersion.TLS_1_2
    newest: TlsVersion = TlsVersion.TLS_1_3
    ciphers: tuple[str, ...] = ("chacha20-poly1305", "aes128gcm", "aes256gcm", "aes256")
    macs: tuple[str, ...] = ("sha384", "aead")
    schemes: tuple[str, ...] = (PKCS1, PSS)
    digests: tuple[str, ...] = ("sha256", "sha384", "sha512")

    def up_to(self, newest: TlsVersion) -> TlsTerms:
        """Return the same without newer versions."""
        return replace(self, newest=min(self.newest, newest))

    def settings(self) -> Any:
        """Return them as tlslite-ng takes them."""
        found = HandshakeSettings()
        found.minVersion, found.maxVersion = _pair(self.oldest), _pair(self.newest)
        found.versions = [_pair(one) for one in reversed(TlsVersion) if self.oldest <= one <= self.newest]
        found.cipherNames, found.macNames = list(self.ciphers), list(self.macs)
        found.keyExchangeNames = ["ecdhe_rsa"]
        found.rsaSchemes, found.rsaSigHashes = list(self.schemes), list(self.digests)
        found.ecdsaSigHashes, found.dsaSigHashes, found.more_sig_schemes = [], [], []
        found.eccCurves, found.keyShares = ["x25519", "secp256r1", "secp384r1"], ["x25519"]
        found.dhGroups = []
        found.use_heartbeat_extension = False
        found.certificate_compression_send = found.certificate_compression_receive = []
        return found


LPS = TlsTerms(newest=TlsVersion.TLS_1_2, schemes=(PKCS1,), digests=("sha256",))
"""The DMP for software: TLS 1.2 alone, its four suites (documented); PKCS#1 signatures alone, so that any card can."""
WEB = TlsTerms(schemes=(PKCS1, PSS))
"""Pages behind Pro Santé Connect: TLS 1.2 and 1.3."""
PSS_ALONE = TlsTerms(newest=TlsVersion.TLS_1_2, schemes=(PSS,), digests=("sha256",))
"""A server that insists on RSA-PSS."""
NEWEST_ALONE = TlsTerms(oldest=TlsVersion.TLS_1_3)
"""A server that speaks TLS 1.3 alone."""


def _pair(version: TlsVersion) -> tuple[int, int]:
    return version >> 8, version & 0xFF
