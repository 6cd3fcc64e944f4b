"""Why a signed token cannot be believed, whoever it is for: a closed set, each with its sentence."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from bifente.ground.text import Text


class SealRefusal(StrEnum):
    """The reasons that lie in the token itself."""

    MALFORMED = "malformed"
    ALGORITHM = "algorithm"
    COMPRESSION = "compression"
    UNKNOWN_KEY = "unknown-key"
    SIGNATURE = "signature"
    CLAIMS = "claims"

    @property
    def sentence(self) -> Text:
        """The reason in words."""
        return _SENTENCES[self]


class SealError(Exception):
    """A token that is not believed; ``detail`` says what was met, never the token itself."""

    def __init__(self, reason: SealRefusal, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason.sentence.en + (f" ({detail})" if detail else ""))


_SENTENCES: Mapping[SealRefusal, Text] = {
    SealRefusal.MALFORMED: Text("le jeton n'est pas un JWS compact lisible", "the token is no readable compact JWS"),
    SealRefusal.ALGORITHM: Text(
        "le jeton n'est pas signé par l'algorithme convenu", "the token is not signed with the agreed algorithm"
    ),
    SealRefusal.COMPRESSION: Text(
        "le contenu du jeton n'est pas compressé comme convenu, ou trop long une fois décompressé",
        "the content of the token is not compressed as agreed, or too long once inflated",
    ),
    SealRefusal.UNKNOWN_KEY: Text("la clé que nomme le jeton est inconnue", "the key the token names is unknown"),
    SealRefusal.SIGNATURE: Text("la signature du jeton est fausse", "the signature of the token is wrong"),
    SealRefusal.CLAIMS: Text(
        "le jeton ne dit pas ce qu'il doit dire", "the token does not say what it must say, or not in the right form"
    ),
}
