"""e-CPS: the application on a professional's phone, as a state machine.

Documented: activation by the card, or by the two contact data of the directory, for listed professions only
(sources#founding-text-004); one notification for each login on each workstation (sources#founding-text-002); two digits
compared on both screens (sources#psc-code). Modelled: the order of the steps, what happens to a second device, that a
number which does not match refuses the login.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from bifente.ground.clock import Clock
from bifente.ground.text import Text
from bifente.simulator.services.psc.model import ListedProfessional

LISTED_PROFESSIONS = frozenset({"10", "21", "40", "50", "60", "70", "80"})
"""Codes of the professions under an Order: physicians, pharmacists, dental surgeons, midwives, nurses,
physiotherapists, podiatrists. Only they activate by contact data; others need a card (sources#founding-text-004)."""

_DIGITS = 6
_TRIES = 3


class Activation(StrEnum):
    """How far a phone is."""

    NONE = "none"
    WAITING = "waiting"
    """The two secrets were sent, one to the mail and one to the mobile number."""
    ACTIVE = "active"
    REPLACED = "replaced"
    """Another device was activated for the same professional since."""


class NotificationState(StrEnum):
    """What became of a notification."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    EXPIRED = "expired"


class EcpsRefusal(StrEnum):
    """Why the application refuses. ``sentence`` tells it to the user."""

    NOT_LISTED = "not-listed"
    PROFESSION = "profession"
    NO_EMAIL = "no-email"
    NO_MOBILE = "no-mobile"
    WRONG_CONTACT = "wrong-contact"
    WRONG_SECRET = "wrong-secret"  # noqa: S105 - a word
    OTHER_CARD = "other-card"
    NOT_ACTIVE = "not-active"
    UNKNOWN_NOTIFICATION = "unknown-notification"
    WRONG_NUMBER = "wrong-number"
    OVER = "over"

    @property
    def sentence(self) -> Text:
        """The reason in words."""
        return _SENTENCES[self]


class EcpsError(Exception):
    """The phone, or the portal, refuses."""

    def __init__(self, refusal: EcpsRefusal) -> None:
        self.refusal = refusal
        super().__init__(refusal.sentence.en)


@dataclass(slots=True)
class Notification:
    """A login to be approved: where it was asked for, and the two digits its screen shows."""

    key: str
    professional: str
    service: str
    number: str
    end: float
    device: str
    answer: NotificationState = NotificationState.PENDING


@dataclass(slots=True)
class EcpsPhone:
    """A phone with the application. ``device`` names it; ``owner`` is the national id of who activated it."""

    device: str
    owner: str = ""
    activation: Activation = Activation.NONE
    mode: str = ""
    secrets: tuple[str, str] = ("", "")
    tries: int = 0
    notifications: dict[str, Notification] = field(default_factory=dict)


class EcpsPlatform:
    """Knows the phones, sends notifications and hears the answers. ``key`` draws names, ``secret`` declared secrets."""

    def __init__(self, clock: Clock, key: Callable[[], str], number: Callable[[int], str]) -> None:
        self._clock = clock
        self._key = key
        self._number = number
        self.phones: dict[str, EcpsPhone] = {}

    # -- activation ----------------------------------------------------------------------------------------------------

    def phone(self, device: str) -> EcpsPhone:
        """Return the phone of this name, a new one if it was never seen."""
        return self.phones.setdefault(device, EcpsPhone(device))

    def phone_of(self, professional: str) -> EcpsPhone | None:
        """Return the active phone of a professional."""
        return next(
            (p for p in list(self.phones.values()) if p.owner == professional and p.activation is Activation.ACTIVE),
            None,
        )

    def activate_by_card(self, device: str, professional: ListedProfessional, card: str) -> EcpsPhone:
        """Activate with the card, whose national id is ``card``. Raise EcpsError."""
        if not professional.listed:
            raise EcpsError(EcpsRefusal.NOT_LISTED)
        if card != professional.id:
            raise EcpsError(EcpsRefusal.OTHER_CARD)
        return self._activated(self.phone(device), professional.id, "card")

    def begin_by_contact(self, device: str, professional: ListedProfessional, email: str, mobile: str) -> EcpsPhone:
        """Send the two secrets, if these are the contact data of the directory. Raise EcpsError."""
        if not professional.listed:
            raise EcpsError(EcpsRefusal.NOT_LISTED)
        if professional.profession not in LISTED_PROFESSIONS:
            raise EcpsError(EcpsRefusal.PROFESSION)
        known = professional.contact
        if not known.email:
            raise EcpsError(EcpsRefusal.NO_EMAIL)
        if not known.mobile:
            raise EcpsError(EcpsRefusal.NO_MOBILE)
        if (email.casefold(), mobile) != (known.email.casefold(), known.mobile):
            raise EcpsError(EcpsRefusal.WRONG_CONTACT)
        phone = self.phone(device)
        phone.owner, phone.activation, phone.mode = professional.id, Activation.WAITING, "contact"
        phone.secrets, phone.tries = (self._number(_DIGITS), self._number(_DIGITS)), 0
        # Not active any more until the codes are typed: what it showed is nobody's to answer.
        phone.notifications.clear()
        return phone

    def finish_by_contact(self, device: str, by_email: str, by_mobile: str) -> EcpsPhone:
        """Activate with the two secrets; after three wrong tries they must be asked for again. Raise EcpsError."""
        phone = self.phone(device)
        if phone.activation is not Activation.WAITING:
            raise EcpsError(EcpsRefusal.NOT_ACTIVE)
        if (by_email, by_mobile) != phone.secrets:
            phone.tries += 1
            if phone.tries >= _TRIES:
                phone.activation, phone.secrets = Activation.NONE, ("", "")
            raise EcpsError(EcpsRefusal.WRONG_SECRET)
        return self._activated(phone, phone.owner, "contact")

    def _activated(self, phone: EcpsPhone, owner: str, mode: str) -> EcpsPhone:
        for other in list(self.phones.values()):
            if other is not phone and other.owner == owner and other.activation is Activation.ACTIVE:
                other.activation = Activation.REPLACED
                other.notifications.clear()
        if phone.owner != owner:
            phone.notifications.clear()
        phone.owner, phone.activation, phone.mode, phone.secrets = owner, Activation.ACTIVE, mode, ("", "")
        return phone

    def lose(self, device: str) -> None:
        """Deactivate a phone that was lost."""
        phone = self.phone(device)
        phone.activation, phone.owner = Activation.NONE, ""
        phone.notifications.clear()

    # -- notifications -------------------------------------------------------------------------------------------------

    def notify(self, professional: str, service: str, number: str, seconds: float) -> Notification:
        """Tell the phone of a professional of a login. Raise EcpsError (NOT_ACTIVE) if there is no active one."""
        phone = self.phone_of(professional)
        if phone is None:
            raise EcpsError(EcpsRefusal.NOT_ACTIVE)
        made = Notification(self._key(), professional, service, number, self._now + seconds, phone.device)
        now = self._now
        phone.notifications = {key: one for key, one in phone.notifications.items() if one.end > now}
        phone.notifications[made.key] = made
        return made

    def pending(self, device: str) -> list[Notification]:
        """Return what a phone shows, the oldest first."""
        return [
            one for one in self.phone(device).notifications.values() if self.answer_of(one) is NotificationState.PENDING
        ]

    def answer_of(self, one: Notification) -> NotificationState:
        """Return what became of a notification by now."""
        return (
            NotificationState.EXPIRED
            if one.answer is NotificationState.PENDING and self._now >= one.end
            else one.answer
        )

    def accept(self, device: str, key: str, number: str) -> Notification:
        """Approve a login, with the two digits its screen shows. Raise EcpsError; a wrong number refuses the login."""
        found = self._open(device, key)
        if number != found.number:
            found.answer = NotificationState.REFUSED
            raise EcpsError(EcpsRefusal.WRONG_NUMBER)
        found.answer = NotificationState.ACCEPTED
        return found

    def refuse(self, device: str, key: str) -> Notification:
        """Refuse a login. Raise EcpsError."""
        found = self._open(device, key)
        found.answer = NotificationState.REFUSED
        return found

    def _open(self, device: str, key: str) -> Notification:
        phone = self.phone(device)
        if phone.activation is not Activation.ACTIVE:
            raise EcpsError(EcpsRefusal.NOT_ACTIVE)
        found = phone.notifications.get(key)
        if found is None or found.professional != phone.owner:
            raise EcpsError(EcpsRefusal.UNKNOWN_NOTIFICATION)
        if self.answer_of(found) is not NotificationState.PENDING:
            raise EcpsError(EcpsRefusal.OVER)
        return found

    @property
    def _now(self) -> float:
        return self._clock.now().timestamp()


_SENTENCES = {
    EcpsRefusal.NOT_LISTED: Text(
        "aucun dossier à ce numéro dans l'annuaire : l'e-CPS ne peut pas être activée",
        "the directory has no record of this number: the e-CPS cannot be activated",
    ),
    EcpsRefusal.PROFESSION: Text(
        "cette profession n'active pas l'e-CPS par ses coordonnées : utilisez la carte",
        "this profession does not activate the e-CPS by contact data: use the card",
    ),
    EcpsRefusal.NO_EMAIL: Text(
        "l'annuaire n'a pas d'adresse de messagerie : faites-la ajouter par votre Ordre",
        "the directory has no mail address: have your Order add it",
    ),
    EcpsRefusal.NO_MOBILE: Text(
        "l'annuaire n'a pas de numéro de mobile : faites-le ajouter par votre Ordre",
        "the directory has no mobile number: have your Order add it",
    ),
    EcpsRefusal.WRONG_CONTACT: Text(
        "ces coordonnées ne sont pas celles de l'annuaire", "these contact data are not those of the directory"
    ),
    EcpsRefusal.WRONG_SECRET: Text(
        "les deux codes reçus ne sont pas ceux-là", "these are not the two codes that were sent"
    ),
    EcpsRefusal.OTHER_CARD: Text("la carte est celle d'une autre personne", "the card is somebody else's"),
    EcpsRefusal.NOT_ACTIVE: Text(
        "aucune e-CPS n'est active pour ce numéro sur cet appareil", "no e-CPS is active for this number on this device"
    ),
    EcpsRefusal.UNKNOWN_NOTIFICATION: Text(
        "cette demande n'est pas adressée à ce téléphone", "this request is not for this phone"
    ),
    EcpsRefusal.WRONG_NUMBER: Text(
        "les deux nombres diffèrent : la connexion est refusée", "the two numbers differ: the login is refused"
    ),
    EcpsRefusal.OVER: Text("cette demande est déjà close", "this request is over already"),
}
