"""The e-CPS on a phone: activated, notified, answering; and what its holder sees."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.psc.holding import card_in_hand
from bifente.conformance.domains.psc.steps.login import Browser
from bifente.conformance.domains.psc.steps.words import ACCEPTED
from bifente.conformance.domains.psc.vocabulary import WORKSTATION, psc
from bifente.conformance.expectations import ChoiceMatcher, ValueMatcher
from bifente.conformance.scenario.step import ImpossibleStepError, Observation, Observes, Step
from bifente.ground.text import Text
from bifente.simulator.services.psc.ecps import EcpsError, EcpsRefusal
from bifente.simulator.services.psc.model import ListedProfessional
from bifente.simulator.serving.service import ServiceError

_OUTCOME = ChoiceMatcher(frozenset({ACCEPTED, *(one.value for one in EcpsRefusal)}))
PHONE = "telephone-1"
Device = Field(default=PHONE, pattern=r"^[a-z0-9-]{1,40}$", description="phone, by its name")


class EcpsActivate(Step):
    """Activate the e-CPS on a phone: with the card of the step's slot, or by contact data and the two codes."""

    name: ClassVar[str] = "ecps-activate"
    title: ClassVar[Text] = Text("Activer l'e-CPS", "Activate the e-CPS")
    shorthand: ClassVar[str] = "id"
    success: ClassVar[tuple[str, str]] = ("outcome", ACCEPTED)
    observes: ClassVar[Observes] = {"outcome": _OUTCOME}

    id: str = Field(max_length=64, description="national id of the professional")
    device: str = Device
    by: Literal["card", "contact"] = Field(default="contact", description="with the card, or by contact data")
    email: str | None = Field(default=None, max_length=200, description="instead of that of the directory")
    mobile: str | None = Field(default=None, max_length=20, description="instead of that of the directory")
    codes: Literal["right", "wrong", "swapped", "none"] = Field(
        default="right", description="the two codes that are typed; none stops before"
    )

    def run(self, act: Act) -> Observation:
        """Activate it."""
        service = psc(act).service
        try:
            one = service.professional(self.id)
        except ServiceError as error:
            raise ImpossibleStepError(Text(str(error), str(error))) from None
        try:
            if self.by == "card":
                service.core.ecps.activate_by_card(self.device, one, card_in_hand(act).template.national_id)
            else:
                self._by_contact(act, one)
        except EcpsError as error:
            return Observation({"outcome": error.refusal.value}, (("refus", error.refusal.sentence),))
        return Observation({"outcome": ACCEPTED})

    def _by_contact(self, act: Act, one: ListedProfessional) -> None:
        platform = psc(act).service.core.ecps
        email = one.contact.email if self.email is None else self.email
        mobile = one.contact.mobile if self.mobile is None else self.mobile
        phone = platform.begin_by_contact(self.device, one, email, mobile)
        first, second = phone.secrets
        typed = {"right": (first, second), "swapped": (second, first), "wrong": ("0000000", "0000000")}
        if self.codes != "none":
            platform.finish_by_contact(self.device, *typed[self.codes])


class EcpsAnswer(Step):
    """Answer a login on a phone: the one of a browser, or the only one there is, with the number that is read there."""

    name: ClassVar[str] = "ecps-answer"
    title: ClassVar[Text] = Text("Répondre sur le téléphone", "Answer on the phone")
    shorthand: ClassVar[str] = "answer"
    success: ClassVar[tuple[str, str]] = ("outcome", ACCEPTED)
    observes: ClassVar[Observes] = {"outcome": _OUTCOME, "service": ValueMatcher(), "number": ValueMatcher()}

    answer: Literal["accept", "refuse"] = Field(default="accept", description="what is touched")
    device: str = Device
    browser: Browser = WORKSTATION
    number: str | None = Field(
        default=None, max_length=2, description="the number read on the screen; left out, that of the browser"
    )
    which: Literal["of-the-browser", "oldest", "newest", "foreign"] = Field(
        default="of-the-browser", description="which notification; foreign is one of another phone"
    )

    def run(self, act: Act) -> Observation:
        """Answer it."""
        bench = psc(act)
        platform, read = bench.service.core.ecps, self.number or bench.browser(self.browser).number
        pending = platform.pending(self.device)
        if self.which == "foreign":
            pending = [one for name in platform.phones if name != self.device for one in platform.pending(name)]
        elif self.which == "of-the-browser":
            pending = [one for one in pending if one.number == bench.browser(self.browser).number] or pending
        if not pending:
            raise ImpossibleStepError(
                Text("aucune connexion n'attend sur ce téléphone", "no login is to be answered on this phone")
            )
        one = pending[-1 if self.which == "newest" else 0]
        told = {"service": one.service, "number": one.number}
        try:
            if self.answer == "accept":
                platform.accept(self.device, one.key, read or one.number)
            else:
                platform.refuse(self.device, one.key)
        except EcpsError as error:
            return Observation({"outcome": error.refusal.value, **told}, (("refus", error.refusal.sentence),))
        return Observation({"outcome": ACCEPTED, **told}, (("service", one.service), ("nombre", one.number)))


class EcpsPhoneState(Step):
    """Look at a phone."""

    name: ClassVar[str] = "ecps-phone"
    title: ClassVar[Text] = Text("Regarder le téléphone", "Look at the phone")
    shorthand: ClassVar[str] = "device"
    observes: ClassVar[Observes] = {
        "activation": ValueMatcher(),
        "pending": ValueMatcher(),
        "owner": ValueMatcher(),
        "services": ValueMatcher(),
    }

    device: str = Device

    def run(self, act: Act) -> Observation:
        """Look."""
        platform = psc(act).service.core.ecps
        phone = platform.phone(self.device)
        pending = platform.pending(self.device)
        return Observation(
            {
                "activation": phone.activation.value,
                "owner": phone.owner,
                "pending": len(pending),
                "services": [one.service for one in pending],
            }
        )


class EcpsLose(Step):
    """Deactivate a phone that was lost."""

    name: ClassVar[str] = "ecps-lose"
    title: ClassVar[Text] = Text("Perdre le téléphone", "Lose the phone")
    shorthand: ClassVar[str] = "device"

    device: str = Device

    def run(self, act: Act) -> Observation:
        """Deactivate it."""
        psc(act).service.core.ecps.lose(self.device)
        return Observation({})
