"""Why a client refuses what comes back from a provider, or through a browser."""

from __future__ import annotations

from enum import StrEnum


class ClientRefusal(StrEnum):
    """The reason; the value is the word of scenarios."""

    NO_LOGIN = "no-login"
    """Nothing was begun on this browser."""
    STATE = "state"
    ISSUER = "issuer"
    PROVIDER_ERROR = "provider-error"
    TOKEN_ERROR = "token-error"  # noqa: S105 - a word
    ALGORITHM = "algorithm"
    KEY = "key"
    SIGNATURE = "signature"
    MALFORMED = "malformed"
    TOKEN_ISSUER = "token-issuer"  # noqa: S105 - a word
    AUDIENCE = "audience"
    EXPIRED = "expired"
    NONCE = "nonce"
    ACCESS_HASH = "access-hash"
    LEVEL = "level"
    SUBJECT = "subject"
    IDENTITY = "identity"
    UNAVAILABLE = "unavailable"


class ClientRefusedError(Exception):
    """What came is not accepted; ``error`` is the provider's own word, where there is one."""

    def __init__(self, refusal: ClientRefusal, error: str = "") -> None:
        self.refusal = refusal
        self.error = error
        super().__init__(f"{refusal.value}: {error}" if error else refusal.value)
