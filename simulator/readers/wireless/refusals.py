"""Why a token, or an order that needs one, is refused: a closed set, each with its sentence."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from bifente.ground.text import Text


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


_SENTENCES: Mapping[Refusal, Text] = {
    Refusal.MALFORMED: Text("le jeton n'est pas un JWS compact lisible", "the token is no readable compact JWS"),
    Refusal.ALGORITHM: Text(
        "le jeton n'est pas signé par l'algorithme convenu", "the token is not signed with the agreed algorithm"
    ),
    Refusal.COMPRESSION: Text(
        "le contenu du jeton n'est pas compressé comme convenu, ou trop long une fois décompressé",
        "the content of the token is not compressed as agreed, or too long once inflated",
    ),
    Refusal.UNKNOWN_KEY: Text("la clé que nomme le jeton est inconnue", "the key the token names is unknown"),
    Refusal.SIGNATURE: Text("la signature du jeton est fausse", "the signature of the token is wrong"),
    Refusal.CLAIMS: Text(
        "le jeton ne dit pas ce qu'il doit dire", "the token does not say what it must say, or not in the right form"
    ),
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
