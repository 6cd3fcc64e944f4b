"""Any command, as bytes."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.expectations import TlvMatcher
from bifente.conformance.scenario.step import ANSWER, CardStep, Hex, Observation, Observes
from bifente.ground.text import Text


class Transmit(CardStep):
    """Send one APDU as it is written; no procedure is followed, so 61xx and 6Cxx can be expected."""

    name: ClassVar[str] = "transmit"
    title: ClassVar[Text] = Text("Envoyer une commande", "Send a command")
    shorthand: ClassVar[str] = "command"
    observes: ClassVar[Observes] = {**ANSWER, "tlv": TlvMatcher()}

    command: Hex = Field(min_length=1, description="the whole command, in hexadecimal")

    def run(self, act: Act) -> Observation:
        """Send it."""
        response = act.dialogue.raw(self.command)
        return Observation.of(response, tlv=response.data)
