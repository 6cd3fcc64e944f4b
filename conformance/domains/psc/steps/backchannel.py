"""CIBA: the request of a server, its polls, and the card answered for on the workstation."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.psc.holding import card_in_hand
from bifente.conformance.domains.psc.steps.tokens import TOKENS, FormStep, tokens_of
from bifente.conformance.domains.psc.steps.words import ACCEPTED, ANSWER, answered, body_of
from bifente.conformance.domains.psc.vocabulary import psc
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.scenario.step import Observation, Observes, Secret, Step
from bifente.ground.text import Text
from bifente.simulator.services.psc.errors import OAuthError
from bifente.simulator.services.psc.grant_types import CIBA


class CibaRequest(FormStep):
    """Ask for a login by backchannel."""

    name: ClassVar[str] = "ciba-request"
    title: ClassVar[Text] = Text("Demander une connexion CIBA", "Ask for a login by CIBA")
    shorthand: ClassVar[str] = "id"
    observes: ClassVar[Observes] = {
        **ANSWER,
        "request": ValueMatcher(),
        "expires-in": ValueMatcher(),
        "interval": ValueMatcher(),
    }

    id: str = Field(max_length=64, description="login_hint: the national id")
    channel: str | None = Field(default="MOBILE", max_length=20, description="MOBILE or CARD")
    number: str | None = Field(default="42", max_length=20, description="binding_message: two digits")

    def run(self, act: Act) -> Observation:
        """Ask."""
        core = psc(act).service.core
        form = {
            "scope": "openid scope_all",
            "acr_values": "eidas1",
            "login_hint": self.id,
            "binding_message": self.number,
            "channel": self.channel,
        }
        answer = self.posted(act, core.addresses.protocol("ext/ciba/auth"), form)
        body = body_of(answer)
        more = {"expires-in": body.get("expires_in"), "interval": body.get("interval")}
        return answered(answer, request=str(body.get("auth_req_id", "")), **more)


class CibaPoll(FormStep):
    """Ask whether a login by backchannel was approved."""

    name: ClassVar[str] = "ciba-poll"
    title: ClassVar[Text] = Text("Interroger une demande CIBA", "Poll a request by CIBA")
    shorthand: ClassVar[str] = "request"
    observes: ClassVar[Observes] = TOKENS

    request: Annotated[str | None, Secret()] = Field(default=None, max_length=200, description="auth_req_id")

    def run(self, act: Act) -> Observation:
        """Ask."""
        url = psc(act).service.core.addresses.protocol("token")
        return tokens_of(self.posted(act, url, {"grant_type": CIBA, "auth_req_id": self.request}))


class CpsGestion(Step):
    """Answer on the workstation for the card channel of CIBA, with the card of a professional, or refuse."""

    name: ClassVar[str] = "cps-gestion"
    title: ClassVar[Text] = Text("Répondre par CPS-Gestion", "Answer in CPS-Gestion")
    shorthand: ClassVar[str] = "request"
    success: ClassVar[tuple[str, str]] = ("outcome", ACCEPTED)
    observes: ClassVar[Observes] = {"outcome": ValueMatcher()}

    request: Annotated[str, Secret()] = Field(max_length=200, description="auth_req_id")
    refuse: bool = Field(default=False, description="the professional refuses")

    def run(self, act: Act) -> Observation:
        """Answer."""
        bench = psc(act)
        card = None if self.refuse else card_in_hand(act).template.national_id
        try:
            bench.service.backchannel.answer_by_card(self.request, card)
        except OAuthError as error:
            return Observation({"outcome": error.error})
        return Observation({"outcome": ACCEPTED})
