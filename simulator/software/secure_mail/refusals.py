"""Why a secured mail is not what it should be: a closed set, each with its sentence."""

from __future__ import annotations

from enum import Enum

from bifente.ground.text import Text


class MailRefusal(Enum):
    """Why."""

    NOT_SIGNED = Text("le message n'est pas signé", "the message is not signed")
    NOT_ENCIPHERED = Text("le message n'est pas chiffré", "the message is not enciphered")
    UNREADABLE = Text("le message est illisible", "the message cannot be read")
    ALTERED = Text("le message a été modifié depuis sa signature", "the message was altered since it was signed")
    WRONG_SIGNATURE = Text(
        "la signature n'est pas celle du certificat joint", "the signature is not that of the certificate enclosed"
    )
    FORBIDDEN_ALGORITHM = Text("un algorithme interdit est employé", "a forbidden algorithm is used")
    OTHER_ADDRESSEE = Text("le message est chiffré pour un autre", "the message is enciphered for somebody else")
    CARD = Text("la carte n'a pas fait l'opération", "the card did not do the operation")

    @property
    def key(self) -> str:
        """The word for it in scenarios."""
        return self.name.lower().replace("_", "-")


class SecureMailError(Exception):
    """A mail is refused. ``refusal`` says why, ``sw`` is the status word of the card where it is the card's."""

    def __init__(self, refusal: MailRefusal, detail: str = "", sw: int | None = None) -> None:
        self.refusal = refusal
        self.sw = sw
        text: Text = refusal.value
        super().__init__(f"{text.en}: {detail}" if detail else text.en)
