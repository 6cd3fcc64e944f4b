"""Why a token, or an order that needs one, is refused: a closed set, each with its sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum

from bifente.ground.text import Text
from bifente.simulator.formats.jose.refusals import SealError, SealRefusal


class Refusal(StrEnum):
    """The reasons, as scenarios name them."""

    MALFORMED = "malformed"
    ALGORITHM = "algorithm"
    COMPRESSION = "compression"
    UNKNOWN_KEY = "unknown-key"
    SIGNATURE = "signature"
    CLAIMS = "claims"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    LIFETIME = "lifetime"
    EXPIRED = "expired"
    NOT_YET = "not-yet"
    OTHER_TERMINAL = "other-terminal"
    OTHER_PAIRING = "other-pairing"
    OTHER_SESSION = "other-session"
    REPLAYED = "replayed"
    NOT_PAIRED = "not-paired"
    REVOKED = "revoked"
    NO_SESSION = "no-session"
    TOO_LATE = "too-late"
    OFFLINE = "offline"

    @property
    def sentence(self) -> Text:
        """The reason in words."""
        return _SENTENCES[self]


class TokenRefusedError(Exception):
    """A refusal; ``detail`` says what was met, never the token itself."""

    def __init__(self, reason: Refusal, detail: str = "") -> None:
        self.reason = reason
        super().__init__(reason.sentence.en + (f" ({detail})" if detail else ""))


@contextmanager
def refusing() -> Iterator[None]:
    """Tell what is wrong with the seal of a token as a refusal of the token. Raise TokenRefusedError."""
    try:
        yield
    except SealError as error:
        raise TokenRefusedError(Refusal(error.reason.value), error.detail) from None


_SENTENCES: Mapping[Refusal, Text] = {
    **{Refusal(reason.value): reason.sentence for reason in SealRefusal},
    Refusal.ISSUER: Text("le jeton vient d'un autre émetteur", "the token comes from another issuer"),
    Refusal.AUDIENCE: Text("le jeton est destiné à un autre", "the token is meant for somebody else"),
    Refusal.LIFETIME: Text(
        "le jeton se donne une vie plus longue que la règle", "the token gives itself a longer life than the rule"
    ),
    Refusal.EXPIRED: Text("le jeton a expiré", "the token has expired"),
    Refusal.NOT_YET: Text(
        "le jeton vient du futur : les horloges sont décalées", "the token comes from the future: the clocks disagree"
    ),
    Refusal.OTHER_TERMINAL: Text("le jeton est celui d'un autre terminal", "the token is another terminal's"),
    Refusal.OTHER_PAIRING: Text("le jeton date d'un appairage précédent", "the token dates from an earlier pairing"),
    Refusal.OTHER_SESSION: Text("le jeton est d'une autre session", "the token is of another session"),
    Refusal.REPLAYED: Text("le jeton a déjà servi ou a déjà été renouvelé", "the token was used or renewed already"),
    Refusal.NOT_PAIRED: Text("le terminal n'est pas appairé", "the terminal is not paired"),
    Refusal.REVOKED: Text("l'appairage du terminal est révoqué", "the pairing of the terminal is revoked"),
    Refusal.NO_SESSION: Text("le terminal n'a pas de session", "the terminal has no session"),
    Refusal.TOO_LATE: Text(
        "la session est finie : le renouvellement vient trop tard",
        "the session is over: the renewal comes too late, open a new one",
    ),
    Refusal.OFFLINE: Text(
        "le terminal est éteint ou hors de portée", "the terminal is off or out of range: bring it back first"
    ),
}
