"""A fault of the catalogue reproduced: a sound workstation that it strikes, and the same one without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.domains.support.journeys import Journey, JourneyStep, Symptom
from bifente.conformance.domains.support.known_causes import known_causes, rule_of
from bifente.conformance.domains.support.laboratory import PosteLaboratory
from bifente.conformance.domains.support.reproduction import SHOWING, base_of
from bifente.conformance.domains.support.software import SoftwareProfile, software_profile
from bifente.ground.text import Text
from bifente.reports.verdict import Verdict
from bifente.simulator.fault import Fault, FaultError
from bifente.simulator.faults import EverydayCause, Known
from bifente.simulator.workstation import Poste, PosteEffect

_LIKELY = 3
_EVERYDAY = {
    "code-wrong": {"holder-code": "wrong"},
    "card-expired": {"cps-state": "expired"},
    "rights-closed": {"vitale": "vitale/droits-fermes"},
    "no-arl": {"service-frontal": "silent"},
}
"""Everyday causes that a workstation can have."""


@dataclass(frozen=True, slots=True)
class PlayedScenario:
    """One scenario that was run for a fault: its id, its title, its file below the folder of scenarios, what came."""

    id: str
    title: Text
    file: str
    verdict: Verdict

    @property
    def shown(self) -> bool:
        """Whether everything went as the scenario says: the fault struck as it is told, and what it says after it."""
        return self.verdict in (Verdict.PASSED, Verdict.PASSED_WITH_REMARK)


@dataclass(frozen=True, slots=True)
class ReproducedFault:
    """A fault or an everyday cause played. ``before`` are the journeys struck, ``after`` the same without it.

    ``others`` are what else fits the words. Not ``sure``: only some of the words agree; ``untold`` are those that no
    entry has. Where no journey of a workstation meets it, ``scenario`` is what the bench played instead.
    """

    said: str
    one: Known
    software: SoftwareProfile
    poste: Poste
    before: tuple[Symptom, ...]
    after: tuple[Symptom, ...]
    others: tuple[Known, ...]
    scenario: PlayedScenario | None
    sure: bool = True
    untold: tuple[str, ...] = ()

    @property
    def played(self) -> bool:
        """Whether some journey fails with it and works without."""
        return any(not one.works and other.works for one, other in zip(self.before, self.after, strict=True))


def reproduce_fault(
    laboratory: PosteLaboratory, said: str, play: Callable[[str, Workshop], PlayedScenario | None]
) -> ReproducedFault | None:
    """Return the likeliest fault for a customer's words, played; None where nothing of the catalogue fits.

    ``play`` runs a scenario that makes a fault strike, by its id: asked where no journey of a workstation meets it.
    """
    found = known_causes().matches(said)
    if not found:
        return None
    first, *others = (match.one for match in found)
    profile = software_profile(SHOWING)
    base = base_of(profile)
    before, after = _played(laboratory, base, first)
    fault = isinstance(first, Fault) and not before
    scenario = play(first.id, laboratory.workshop) if fault else None
    sure = found[0].sure
    untold = () if sure else known_causes().untold(said)
    return ReproducedFault(said, first, profile, base, before, after, tuple(others[:_LIKELY]), scenario, sure, untold)


def _played(laboratory: PosteLaboratory, base: Poste, one: Known) -> tuple[tuple[Symptom, ...], tuple[Symptom, ...]]:
    after = tuple(laboratory.run(base, journey) for journey in Journey)
    if isinstance(one, EverydayCause):
        struck = _poste_with(base, one)
        if struck is None:
            return (), ()
        return tuple(laboratory.run(struck, journey) for journey in Journey), after
    for role in ("cps", "vitale"):
        before = _struck(laboratory, base, one, role)
        if any(not symptom.works for symptom in before):
            return before, after
    return (), ()


def _poste_with(base: Poste, one: EverydayCause) -> Poste | None:
    """The workstation that has an everyday cause, or a rule; None where no workstation can."""
    if (facts := _EVERYDAY.get(one.id)) is not None:
        return base.changed(facts)
    rule = rule_of(one.id)
    return None if rule is None else rule.supposed(base, firm=False)


def _struck(laboratory: PosteLaboratory, base: Poste, one: Fault, role: str) -> tuple[Symptom, ...]:
    """The journeys struck at once, or, where what is to be struck comes up later only, when the DMP is called."""
    plain = {"fault": one.id, "at": role}
    for given in (plain, {**plain, "before": JourneyStep.CALL_DMP.value}):
        try:
            return tuple(laboratory.run(base, journey, further=(PosteEffect("fault", given),)) for journey in Journey)
        except FaultError:
            # It strikes what no journey of a workstation meets: a wireless terminal, a service of another kind.
            continue
    return ()
