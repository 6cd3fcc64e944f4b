"""Certificates of the card, looked at as a relying party does."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.card.certificate_contents import FIELDS, describe
from bifente.conformance.domains.card.certificates import judge, parse
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.scenario.step import ANSWER, SUCCESS, CardStep, Observation, Observes
from bifente.ground.text import Text
from bifente.simulator.cards.cpx.personalise import CERTIFICATE_FILES, PersonalisedCard


class CheckCertificate(CardStep):
    """Judge a certificate of the card as a relying party does: chain, validity at the bench's time, revocation."""

    name: ClassVar[str] = "check-certificate"
    title: ClassVar[Text] = Text("Contrôler un certificat", "Check a certificate")
    shorthand: ClassVar[str] = "certificate"
    observes: ClassVar[Observes] = {
        **ANSWER,
        "trust": ValueMatcher(),
        **{field: ValueMatcher() for field in FIELDS},
    }

    certificate: Literal["signature", "authentication", "technical"] = Field(
        default="authentication", description="which one"
    )

    def run(self, act: Act) -> Observation:
        """Read it from the card and check it."""
        response = act.host.read(act.card.path(CERTIFICATE_FILES[self.certificate]))
        certificate = parse(response.data) if response.sw == SUCCESS else None
        values: dict[str, object] = {"sw": response.sw, "data": response.data}
        if certificate is None:
            return Observation({**values, "trust": "unreadable"})
        made = act.card.made_as(PersonalisedCard)
        if made is None:
            return Observation({**values, "trust": "unknown authority", **describe(certificate)})
        return Observation({**values, **judge(certificate, made, act.bench.now())})
