"""Why an apCV operation is refused, and the return code that goes with it. All of it is modelled."""

from __future__ import annotations

from enum import StrEnum

from bifente.ground.text import Text
from bifente.simulator.middleware.codes import SsvCode


class ApcvRefusal(StrEnum):
    """The reasons, as a scenario names them."""

    NO_PHONE = "no-phone"
    UNREADABLE = "unreadable"
    TAMPERED = "tampered"
    UNKNOWN_PHONE = "unknown-phone"
    WRONG_CHANNEL = "wrong-channel"
    WRONG_CHALLENGE = "wrong-challenge"
    PROOF_EXPIRED = "proof-expired"
    NOT_YET = "not-yet"
    REPLAYED = "replayed"
    NO_CONTEXT = "no-context"
    CONTEXT_EXPIRED = "context-expired"
    STILL_VALID = "still-valid"
    OTHER_INVOICE = "other-invoice"
    BAD_INVOICE = "bad-invoice"
    UNREACHABLE = "unreachable"

    @property
    def sentence(self) -> Text:
        """What was met, and what to do."""
        return _SENTENCES[self]

    @property
    def code(self) -> SsvCode:
        """No public text gives a code: a phone that is not there is a missing Vitale, the rest is FFFF, unspecified."""
        return SsvCode.VITALE_ABSENT if self is ApcvRefusal.NO_PHONE else SsvCode.UNSPECIFIED


_SENTENCES = {
    ApcvRefusal.NO_PHONE: Text(
        "aucun téléphone devant le lecteur : présenter le téléphone", "no phone at the reader: present it"
    ),
    ApcvRefusal.UNREADABLE: Text(
        "ce n'est pas un code d'apCV : afficher un nouveau code", "this is no apCV code: show a new one"
    ),
    ApcvRefusal.TAMPERED: Text(
        "la signature est fausse : acquérir un nouveau contexte", "the signature is wrong: acquire a new context"
    ),
    ApcvRefusal.UNKNOWN_PHONE: Text(
        "ce téléphone n'est pas enrôlé : activer l'application", "this phone is not enrolled: activate the application"
    ),
    ApcvRefusal.WRONG_CHANNEL: Text(
        "une preuve NFC ne vaut pas par QR code, ni l'inverse", "an NFC proof is not good as a QR code, nor conversely"
    ),
    ApcvRefusal.WRONG_CHALLENGE: Text(
        "la réponse est celle d'une autre présentation : présenter à nouveau le téléphone",
        "the answer belongs to another presentation: present the phone again",
    ),
    ApcvRefusal.PROOF_EXPIRED: Text(
        "le code du téléphone a expiré : afficher un nouveau code", "the phone's code has expired: show a new one"
    ),
    ApcvRefusal.NOT_YET: Text(
        "le code vient du futur : régler l'heure du téléphone", "the code comes from the future: set the phone's clock"
    ),
    ApcvRefusal.REPLAYED: Text("ce code a déjà servi : afficher un nouveau code", "this code was used: show a new one"),
    ApcvRefusal.NO_CONTEXT: Text(
        "aucun contexte apCV en cours : en acquérir un", "there is no apCV context: acquire one"
    ),
    ApcvRefusal.CONTEXT_EXPIRED: Text(
        "le contexte a expiré : le renouveler pour la facture, ou en acquérir un",
        "the context has expired: renew it for the invoice, or acquire one",
    ),
    ApcvRefusal.STILL_VALID: Text(
        "le contexte est encore valide : rien à renouveler", "the context is still valid: nothing to renew"
    ),
    ApcvRefusal.OTHER_INVOICE: Text(
        "le contexte n'est renouvelé que pour une autre facture : en acquérir un",
        "the context was renewed for another invoice alone: acquire one",
    ),
    ApcvRefusal.BAD_INVOICE: Text("un numéro de facture a 1 à 9 chiffres", "an invoice number has 1 to 9 digits"),
    ApcvRefusal.UNREACHABLE: Text(
        "le service apCV ne répond pas : réessayer", "the apCV service does not answer: try again"
    ),
}


class ApcvError(Exception):
    """An operation that was refused; ``detail`` is for a log."""

    def __init__(self, refusal: ApcvRefusal, detail: str = "") -> None:
        self.refusal = refusal
        self.detail = detail
        super().__init__(refusal.sentence.en + (f" ({detail})" if detail else ""))
