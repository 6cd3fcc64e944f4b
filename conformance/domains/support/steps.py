"""A workstation set up, changed and used in a scenario: journeys, packages, days, diagnosis."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import BeforeValidator, Field

from bifente.conformance.bench.facets import Personalisation
from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.support.journeys import Journey
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.scenario.step import ImpossibleStepError, Observation, Observes, Step
from bifente.conformance.targets.facets import Facet, PrivateClock
from bifente.ground.french import in_both
from bifente.ground.text import Text
from bifente.simulator.workstation.packages import fits, install, package_names, remove, restart
from bifente.simulator.workstation.poste import PosteError

if TYPE_CHECKING:
    from bifente.conformance.domains.support.part import ScenePoste
    from bifente.conformance.domains.support.poste_file import Told


def _as_word(raw: object) -> object:
    """A version or a word as a file writes it: 75 is a version, yes and no are words."""
    if isinstance(raw, bool):
        return "yes" if raw else "no"
    return str(raw) if isinstance(raw, int) else raw


Fact = Annotated[str, BeforeValidator(_as_word), Field(max_length=120)]
_NEEDS = frozenset[type[Facet]]({Personalisation, PrivateClock})


def _of(act: Act) -> ScenePoste:
    # Here, not above: it brings every room of the bench along, which no other scenario needs.
    from bifente.conformance.domains.support.part import ScenePoste

    return act.scene.part(ScenePoste)


class PosteStep(Step, ABC):
    """A step at a workstation."""

    needs = _NEEDS

    def run(self, act: Act) -> Observation:
        """Do it. Raise ImpossibleStepError for facts that no workstation has."""
        try:
            return self.do(act, _of(act))
        except PosteError as error:
            raise ImpossibleStepError(in_both(error)) from None

    @abstractmethod
    def do(self, act: Act, here: ScenePoste) -> Observation:
        """Do it at the workstation. Raise PosteError."""


class SetPoste(PosteStep):
    """Let a workstation be one that the field tells of, and change facts of it."""

    name: ClassVar[str] = "poste"
    title: ClassVar[Text] = Text("Préparer le poste", "Set the workstation up")
    shorthand: ClassVar[str] = "known"

    known: str | None = Field(default=None, max_length=80, description="a workstation of the field, by its id")
    facts: dict[str, Fact] = Field(default_factory=dict, max_length=60, description="facts by key (docs/support.md)")

    def do(self, act: Act, here: ScenePoste) -> Observation:
        """Set it up."""
        from bifente.simulator.workstation.known import known_postes

        if self.known is not None:
            if self.known not in known_postes():
                raise PosteError(self.known, f"is no known workstation; known: {', '.join(known_postes())}")
            here.poste = known_postes()[self.known].poste
        here.poste = here.poste.changed(self.facts)
        return Observation({})


class RunJourney(PosteStep):
    """Run one journey of the workstation on the bench's components, and see what its user sees."""

    name: ClassVar[str] = "poste-journey"
    title: ClassVar[Text] = Text("Faire un geste au poste", "Do something at the workstation")
    shorthand: ClassVar[str] = "journey"
    observes: ClassVar[Observes] = {
        key: ValueMatcher() for key in ("works", "shown", "shown-in-english", "component", "code", "step", "steps")
    }

    journey: Journey = Field(description="what the user sets out to do")

    def do(self, act: Act, here: ScenePoste) -> Observation:
        """Run it."""
        symptom = here.go(self.journey)
        failure = symptom.failure
        went = ", ".join(step.label.fr for step in symptom.steps)
        return Observation(
            {
                "works": symptom.works,
                "shown": symptom.text.fr,
                "shown-in-english": symptom.text.en,
                "component": failure.component if failure else "none",
                "code": failure.code if failure else "none",
                "step": str(failure.step) if failure else "none",
                "steps": len(symptom.steps),
            },
            (
                ("geste", symptom.journey.label.fr),
                ("étapes réussies", went or "aucune"),
                *((("arrêt", f"{failure.step.label.fr} : {failure.detail}"),) if failure else ()),
                ("ce que l'utilisateur lit", symptom.text.fr or "rien d'anormal"),
            ),
        )


class InstallPackage(PosteStep):
    """Install a package at the workstation; ``fits`` tells whether it is meant for its system."""

    name: ClassVar[str] = "poste-install"
    title: ClassVar[Text] = Text("Installer un paquet", "Install a package")
    shorthand: ClassVar[str] = "package"
    observes: ClassVar[Observes] = {key: ValueMatcher() for key in ("fits", "cryptolib", "galss", "srvsvcnam")}

    package: str = Field(max_length=60, description="the package, e.g. atsam-4.41")

    def do(self, act: Act, here: ScenePoste) -> Observation:
        """Install it."""
        if self.package not in package_names():
            raise PosteError(self.package, f"is no known package; known: {', '.join(package_names())}")
        meant = fits(here.poste, self.package)
        here.poste = install(here.poste, self.package)
        return Observation({"fits": meant, **_versions(here)})


class RemovePackage(PosteStep):
    """Remove a set of components by its tool: all of them or nothing."""

    name: ClassVar[str] = "poste-remove"
    title: ClassVar[Text] = Text("Désinstaller un ensemble", "Remove a set")
    shorthand: ClassVar[str] = "package"
    observes: ClassVar[Observes] = {key: ValueMatcher() for key in ("cryptolib", "galss", "srvsvcnam", "cache")}

    package: str = Field(default="atsam", max_length=60, description="the set")

    def do(self, act: Act, here: ScenePoste) -> Observation:
        """Remove it."""
        here.poste = remove(here.poste, self.package)
        return Observation({**_versions(here), "cache": here.poste.get("cryptolib-cache")})


class RestartPoste(PosteStep):
    """Restart the workstation: stopped services run again, emptied preferences come back."""

    name: ClassVar[str] = "poste-restart"
    title: ClassVar[Text] = Text("Redémarrer le poste", "Restart the workstation")
    observes: ClassVar[Observes] = {"preferences": ValueMatcher()}

    def do(self, act: Act, here: ScenePoste) -> Observation:
        """Restart it."""
        here.poste = restart(here.poste)
        return Observation({"preferences": here.poste.get("software-preferences")})


class WaitUntilDay(PosteStep):
    """Let time pass until nine o'clock (UTC) of a day to come."""

    name: ClassVar[str] = "poste-day"
    title: ClassVar[Text] = Text("Attendre un jour", "Wait for a day")
    shorthand: ClassVar[str] = "day"
    observes: ClassVar[Observes] = {"day": ValueMatcher()}

    day: date = Field(description="the day, e.g. 2019-12-14")

    def do(self, act: Act, here: ScenePoste) -> Observation:
        """Wait."""
        wanted = datetime(self.day.year, self.day.month, self.day.day, 9, tzinfo=UTC)
        seconds = (wanted - act.bench.now()).total_seconds()
        if seconds < 0:
            raise ImpossibleStepError(Text(f"le {self.day} est passé", f"{self.day} is over"))
        act.facet(PrivateClock).advance(seconds)
        return Observation({"day": f"{act.bench.now():%Y-%m-%d}"})


class DiagnosePoste(PosteStep):
    """Diagnose the workstation: run its journeys, explain what fails, tell whose fault it is."""

    name: ClassVar[str] = "poste-diagnose"
    title: ClassVar[Text] = Text("Diagnostiquer le poste", "Diagnose the workstation")
    observes: ClassVar[Observes] = {
        key: ValueMatcher()
        for key in ("side", "causes", "findings", "noted", "unseen", "doubtful", "failing", "supposed", "files")
    }

    journeys: Journey | list[Journey] = Field(
        default_factory=lambda: list(Journey), description="those that are run, or the only one; all by default"
    )
    told: dict[Journey, str] = Field(
        default_factory=dict, description="what the user says: works, fails, or the words that are read"
    )
    unseen: dict[str, str] = Field(default_factory=dict, description="facts that nobody could look at, each with why")

    @property
    def _run(self) -> list[Journey]:
        return self.journeys if isinstance(self.journeys, list) else [self.journeys]

    def do(self, act: Act, here: ScenePoste) -> Observation:
        """Diagnose it."""
        from dataclasses import replace

        from bifente.conformance.domains.support.diagnosis import diagnose
        from bifente.conformance.domains.support.diagnosis_letter import side_of
        from bifente.conformance.domains.support.hypotheses import explain_told
        from bifente.conformance.domains.support.poste_file import SupportCase

        poste = replace(here.poste, unseen=self.unseen)
        found = diagnose(here.laboratory, poste, self._run, day=act.bench.now().date())
        told = {journey: _told(said) for journey, said in self.told.items()}
        outcome = explain_told(here.laboratory, SupportCase(poste, told))
        rules = [met.rule for met in found.causes.values()] + [one.rule for one in outcome.hypotheses]
        side = side_of(found, outcome)
        return Observation(
            {
                "side": str(side),
                "causes": [met.rule.id for met in found.causes.values()],
                "findings": [one.finding for one in rules if one.finding],
                "noted": [met.rule.id for met in found.noted],
                "unseen": len(poste.unseen),
                "doubtful": [rule.id for rule in found.doubtful],
                "failing": [str(one.symptom.journey) for one in found.failures],
                "supposed": [one.rule.id for one in outcome.hypotheses],
                "files": [one.line for one in found.files if one.wrong],
            },
            (
                ("verdict", side.label.fr),
                *(("cause", f"{rule.title.fr} — {rule.cure.fr}") for rule in rules),
            ),
        )


def _told(said: str) -> Told:
    from bifente.conformance.domains.support.poste_file import Told

    if said in ("works", "marche"):
        return Told(works=True)
    return Told(works=False, text="" if said in ("fails", "échoue") else said)


def _versions(here: ScenePoste) -> dict[str, str]:
    return {key: here.poste.get(key) for key in ("cryptolib", "galss", "srvsvcnam")}
