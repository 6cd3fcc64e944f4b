"""What is wrong with a workstation: its journeys run, and each failure explained by what makes it go away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache

from bifente.conformance.domains.support.examined_files import FileFinding, file_findings
from bifente.conformance.domains.support.journeys import Journey, Symptom
from bifente.conformance.domains.support.laboratory import PosteLaboratory
from bifente.ground.text import Text
from bifente.simulator.workstation import MetRule, Poste, PosteRule, met_rules, poste_rules

_MOST_CAUSES = 4
"""Causes that may hide one another and still be told apart."""


class FaultSide(StrEnum):
    """Where the fault is: on the workstation, at a service, both, one or the other, nowhere that was looked at, or not
    explained.
    """

    WORKSTATION = "workstation"
    SERVER = "server"
    BOTH = "both"
    UNDECIDED = "undecided"
    NONE = "none"
    UNEXPLAINED = "unexplained"

    @property
    def label(self) -> Text:
        """One sentence for somebody at a desk."""
        return _SIDES[self]


_SIDES = {
    FaultSide.WORKSTATION: Text("la panne est sur le poste", "the fault is on the workstation"),
    FaultSide.SERVER: Text("côté serveur : ne touchez pas au poste", "server side: do not touch the workstation"),
    FaultSide.BOTH: Text(
        "deux pannes se superposent : une côté serveur et une sur le poste",
        "two faults lie over each other: one at the server and one on the workstation",
    ),
    FaultSide.UNDECIDED: Text(
        "poste ou serveur : à départager avant de toucher au poste",
        "workstation or server: to be told apart before the workstation is touched",
    ),
    FaultSide.NONE: Text(
        "aucune panne vue dans ce qui a été regardé",
        "no fault seen in what was looked at",
    ),
    FaultSide.UNEXPLAINED: Text(
        "le banc voit l'échec et ne sait pas l'expliquer",
        "the bench sees the failure and cannot explain it",
    ),
}


@dataclass(frozen=True, slots=True)
class ExplainedFailure:
    """A journey that fails: ``layers`` are its causes, the outermost first; the next shows once one is cured.

    The rules of one layer each make a difference by themselves.
    """

    symptom: Symptom
    layers: tuple[tuple[MetRule, ...], ...]
    cured: bool
    """Whether nothing fails any more without all of them."""


@dataclass(frozen=True, slots=True)
class PosteDiagnosis:
    """All that was found. ``noted`` are rules that are met and explain nothing here; ``doubtful`` those that rest on
    what nobody could look at, and so can neither be told nor excluded.
    """

    poste: Poste
    symptoms: tuple[Symptom, ...]
    failures: tuple[ExplainedFailure, ...]
    noted: tuple[MetRule, ...]
    doubtful: tuple[PosteRule, ...]
    files: tuple[FileFinding, ...]

    @property
    def causes(self) -> Mapping[str, MetRule]:
        """Every rule that explains a failure, by its id, the outermost first."""
        return {met.rule.id: met for failure in self.failures for layer in failure.layers for met in layer}

    @property
    def side(self) -> FaultSide:
        """Where the fault is."""
        if not self.failures:
            # A service that is known to be down is the server's fault, whether or not a journey goes through it.
            return FaultSide.SERVER if any(one.rule.server for one in self.noted) else FaultSide.NONE
        sides = {met.rule.server for met in self.causes.values()}
        unexplained = any(not failure.layers for failure in self.failures)
        if not sides or (unexplained and sides == {True}):
            return FaultSide.UNEXPLAINED
        if sides == {True, False}:
            return FaultSide.BOTH
        return FaultSide.SERVER if sides == {True} else FaultSide.WORKSTATION


def diagnose(
    laboratory: PosteLaboratory,
    poste: Poste,
    journeys: Iterable[Journey] = tuple(Journey),
    *,
    seed: int = 1,
    day: date | None = None,
) -> PosteDiagnosis:
    """Run the journeys of a workstation and explain what fails. Raise InputError."""

    @cache  # taking the causes found away asks again for what was tried to find them
    def attempt(journey: Journey, without: frozenset[str] = frozenset()) -> Symptom:
        return laboratory.run(poste, journey, seed=seed, day=day, without=without)

    symptoms = tuple(attempt(journey) for journey in journeys)
    met = met_rules(poste)
    failures = tuple(_explained(one, met, attempt) for one in symptoms if not one.works)
    explaining = {rule.rule.id for one in failures for layer in one.layers for rule in layer}
    return PosteDiagnosis(
        poste,
        symptoms,
        failures,
        tuple(one for one in met if one.rule.id not in explaining and _told(poste, one.rule)),
        tuple(rule for rule in poste_rules().values() if _could_be(poste, rule)),
        tuple(file_findings(poste)),
    )


def _explained(
    symptom: Symptom, met: tuple[MetRule, ...], attempt: Callable[[Journey, frozenset[str]], Symptom]
) -> ExplainedFailure:
    """Take rules away until it works: those that make a difference are a layer, what shows then is the next."""
    layers: list[tuple[MetRule, ...]] = []
    removed: frozenset[str] = frozenset()
    current = symptom
    acting = [one for one in met if one.rule.effects]
    while not current.works and len(layers) < _MOST_CAUSES:
        without = [
            (one, attempt(symptom.journey, removed | {one.rule.id})) for one in acting if one.rule.id not in removed
        ]
        # A software that says the same of everything hides from its user that another cause stands behind the first.
        found = tuple(one for one, then in without if not then.same(current)) or tuple(
            one for one, then in without if then.failure != current.failure
        )
        found = found or _together([one for one, _then in without], removed, current, attempt)
        if not found:
            break
        layers.append(found)
        removed |= {one.rule.id for one in found}
        current = attempt(symptom.journey, removed)
    return ExplainedFailure(symptom, tuple(layers), current.works)


def _together(
    rules: list[MetRule],
    removed: frozenset[str],
    current: Symptom,
    attempt: Callable[[Journey, frozenset[str]], Symptom],
) -> tuple[MetRule, ...]:
    """Return rules of which each is enough for the failure, so that none makes a difference alone: the fewest that must
    all go. Nothing where all of them together make none either.
    """

    def differs(taken: list[MetRule]) -> bool:
        then = attempt(current.journey, removed | {one.rule.id for one in taken})
        return not then.same(current) or then.failure != current.failure

    if len(rules) < 2 or not differs(rules):
        return ()
    kept = list(rules)
    for one in rules:
        fewer = [other for other in kept if other is not one]
        if fewer and differs(fewer):
            kept = fewer
    return tuple(kept)


def _told(poste: Poste, rule: PosteRule) -> bool:
    """Whether something of the workstation itself meets a rule, and not only what is taken for granted."""
    return any(poste.told(one.key) for one in rule.conditions if one.key != "os")


def _could_be(poste: Poste, rule: PosteRule) -> bool:
    """Whether a rule rests on what nobody looked at, and everything else of it is met."""
    hidden = set(rule.unseen(poste))
    return bool(hidden) and all(one.meets(poste) for one in rule.conditions if one.key not in hidden)
