"""The holder code and the unblocking code."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.card.steps.names import CodeName
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.scenario.step import ANSWER, SW, CardStep, Code, Observation, Observes
from bifente.ground.text import Text
from bifente.simulator.cards.host import NotOnThisCardError


def _reference(act: Act, name: str) -> int:
    rule = act.card.layout.secrets.get(name)
    if rule is None:
        raise NotOnThisCardError(act.card.layout.family, f"n'a pas de code {name}", f"has no code {name}")
    return rule.reference


class VerifyCode(CardStep):
    """VERIFY: present a code."""

    name: ClassVar[str] = "verify-code"
    title: ClassVar[Text] = Text("Présenter un code", "Present a code")
    shorthand: ClassVar[str] = "code"
    observes: ClassVar[Observes] = SW

    code: Code = Field(description="what is presented; never written in a record")
    which: CodeName = Field(default="pin", description="which code it is")

    def run(self, act: Act) -> Observation:
        """Present it."""
        return Observation.of(act.host.verify(_reference(act, self.which), self.code.encode()))


class CodeStatus(CardStep):
    """VERIFY with an empty body: how many tries are left, or that the code is verified; uses up no try."""

    name: ClassVar[str] = "code-status"
    title: ClassVar[Text] = Text("Lire l'état d'un code", "Ask the state of a code")
    shorthand: ClassVar[str] = "which"
    observes: ClassVar[Observes] = SW

    which: CodeName = Field(default="pin", description="which code it is")

    def run(self, act: Act) -> Observation:
        """Ask."""
        return Observation.of(act.host.verify(_reference(act, self.which), b""))


class ChangeCode(CardStep):
    """CHANGE REFERENCE DATA: old and new value joined (CARD-CPS3-21), or VERIFY first (CARD-CPS4-14)."""

    name: ClassVar[str] = "change-code"
    title: ClassVar[Text] = Text("Changer un code", "Change a code")
    observes: ClassVar[Observes] = SW

    old: Code = Field(description="the value until now")
    new: Code = Field(description="the value from now on")
    which: CodeName = Field(default="pin", description="which code it is")

    def run(self, act: Act) -> Observation:
        """Change it."""
        return Observation.of(act.host.change(_reference(act, self.which), self.old.encode(), self.new.encode()))


class ResetCode(CardStep):
    """RESET RETRY COUNTER with a new value: the last half of an unblocking."""

    name: ClassVar[str] = "reset-code"
    title: ClassVar[Text] = Text("Réarmer un code", "Reset a code")
    shorthand: ClassVar[str] = "new"
    observes: ClassVar[Observes] = SW

    new: Code = Field(description="the value from now on")
    which: CodeName = Field(default="pin", description="which code it is")

    def run(self, act: Act) -> Observation:
        """Reset it."""
        return Observation.of(act.host.reset_retry(_reference(act, self.which), self.new.encode()))


class CodeCounters(CardStep):
    """The counters of a code as the Cryptolib reads them: GET DATA of its object (CARD-CPS3-16), or VERIFY with an
    empty body, which tells no maximum and whose answer is 63Cx or 6983 (CARD-CPS4-10).
    """

    name: ClassVar[str] = "code-counters"
    title: ClassVar[Text] = Text("Lire les compteurs d'un code", "Read the counters of a code")
    shorthand: ClassVar[str] = "which"
    observes: ClassVar[Observes] = {
        **ANSWER,
        "tries-maximum": ValueMatcher(),
        "tries-left": ValueMatcher(),
        "uses-left": ValueMatcher(),
    }

    which: CodeName = Field(default="pin", description="which code it is")

    def run(self, act: Act) -> Observation:
        """Read them; a counter the answer does not hold is absent."""
        response, counters = act.host.counters(_reference(act, self.which))
        return Observation.of(response, **counters)
