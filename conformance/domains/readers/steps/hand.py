"""What the hand does: cards in and out, resets, other applications, time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from bifente.conformance.bench.facets import Insertion, OtherApplications, Personalisation
from bifente.conformance.bench.scene import Act
from bifente.conformance.expectations import BytesMatcher
from bifente.conformance.model import CardChoice
from bifente.conformance.scenario.step import CardStep, Observation, Observes, Step
from bifente.conformance.targets.facets import Facet, PrivateClock
from bifente.ground.text import Text


class Connect(CardStep):
    """Open a dialogue with the card anew, its ATR observed. Steps do this by themselves when none is open."""

    name: ClassVar[str] = "connect"
    title: ClassVar[Text] = Text("Se connecter à la carte", "Connect to the card")
    observes: ClassVar[Observes] = {"atr": BytesMatcher()}

    def run(self, act: Act) -> Observation:
        """Connect."""
        act.scene.hang_up(act.role)
        return Observation({"atr": act.dialogue.connection.atr})


class ResetCard(CardStep):
    """Reset the card: warm (RST line) or cold (power off and on)."""

    name: ClassVar[str] = "reset-card"
    title: ClassVar[Text] = Text("Réinitialiser la carte", "Reset the card")
    shorthand: ClassVar[str] = "kind"
    observes: ClassVar[Observes] = {"atr": BytesMatcher()}

    kind: Literal["warm", "cold"] = Field(default="warm", description="with or without a power cut")

    def run(self, act: Act) -> Observation:
        """Reset it."""
        return Observation({"atr": act.dialogue.reset(cold=self.kind == "cold")})


class ResetByAnother(CardStep):
    """Another application connects to the same card and resets it, as a second software on the workstation may."""

    name: ClassVar[str] = "reset-by-another-application"
    title: ClassVar[Text] = Text("Une autre application réinitialise la carte", "Another application resets the card")
    needs = frozenset[type[Facet]]({OtherApplications})
    observes: ClassVar[Observes] = {"atr": BytesMatcher()}

    def run(self, act: Act) -> Observation:
        """Connect beside, reset, leave."""
        other = act.facet(OtherApplications).join(act.role)
        atr = other.reset(cold=False)
        other.disconnect()
        act.scene.changed(
            act.role, Text("une autre application réinitialise la carte", "another application resets the card")
        )
        return Observation({"atr": atr})


class Reconnect(CardStep):
    """Take up the dialogue again after another application reset the card."""

    name: ClassVar[str] = "reconnect"
    title: ClassVar[Text] = Text("Reprendre le dialogue", "Take up the dialogue again")
    observes: ClassVar[Observes] = {"atr": BytesMatcher()}

    def run(self, act: Act) -> Observation:
        """Join the card as it is, without resetting it."""
        act.scene.hang_up(act.role)
        connection = act.facet(OtherApplications).join(act.role)
        act.scene.adopt(act.role, connection)
        return Observation({"atr": connection.atr})


class InsertCard(Step):
    """Put the slot's card back in."""

    name: ClassVar[str] = "insert-card"
    title: ClassVar[Text] = Text("Insérer la carte", "Insert the card")
    needs = frozenset[type[Facet]]({Insertion})

    def run(self, act: Act) -> Observation:
        """Insert it."""
        act.scene.changed(act.role, act.facet(Insertion).insert(act.role))
        return Observation({})


class RemoveCard(Step):
    """Take the slot's card out."""

    name: ClassVar[str] = "remove-card"
    title: ClassVar[Text] = Text("Retirer la carte", "Remove the card")
    needs = frozenset[type[Facet]]({Insertion})

    def run(self, act: Act) -> Observation:
        """Remove it."""
        act.scene.changed(act.role, act.facet(Insertion).remove(act.role))
        return Observation({})


class PutCard(Step):
    """Put another card in the slot, made for the purpose; the one that was in is out for good."""

    name: ClassVar[str] = "put-card"
    title: ClassVar[Text] = Text("Mettre une autre carte", "Put another card in")
    shorthand: ClassVar[str] = "template"
    moves_cards = True
    needs = frozenset[type[Facet]]({Insertion, Personalisation})

    template: str = Field(description="template of the card (bifente cards list)")
    parameters: dict[str, Any] = Field(default_factory=dict, description="parameters of the template given anew")

    def run(self, act: Act) -> Observation:
        """Put it in."""
        choice = self._choice(self.template, self.parameters)
        for secret in act.bench.workshop.secrets([choice]):
            act.scene.declare(secret)
        act.facet(Personalisation).put(act.role, choice, act.scene.random)
        fr, en = f"autre carte dans la fente {act.role}", f"another card in slot {act.role}"
        act.scene.changed(act.role, Text(f"{fr} : {self.template}", f"{en}: {self.template}"))
        return Observation({})

    @staticmethod
    def _choice(template: str, parameters: Mapping[str, Any]) -> CardChoice:
        return CardChoice.model_validate({**parameters, "template": template})

    @classmethod
    def cards(cls, raw: Any) -> tuple[CardChoice, ...]:
        """The card it puts in."""
        given = cls.arguments(raw)
        template, parameters = given.get("template"), given.get("parameters") or {}
        known = isinstance(template, str) and isinstance(parameters, Mapping)
        return (cls._choice(template, parameters),) if known else ()


class AdvanceClock(Step):
    """Let time pass on the bench clock."""

    name: ClassVar[str] = "advance-clock"
    title: ClassVar[Text] = Text("Laisser passer le temps", "Let time pass")
    shorthand: ClassVar[str] = "seconds"
    needs = frozenset[type[Facet]]({PrivateClock})

    seconds: int = Field(gt=0, description="how long")

    def run(self, act: Act) -> Observation:
        """Advance it."""
        act.facet(PrivateClock).advance(self.seconds)
        act.scene.changed(
            None, Text(f"l'horloge avance de {self.seconds} s", f"the clock advances by {self.seconds} s")
        )
        return Observation({})
