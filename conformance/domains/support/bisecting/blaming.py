"""The failing journey run on mixes of two workstations until the differences that carry the failure are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bifente.conformance.bisecting.search import Bisection, Culprit, bisect
from bifente.conformance.bisecting.trials import Label, Limits
from bifente.conformance.domains.support.bisecting.mixing import PosteChange, PostePair
from bifente.conformance.domains.support.journeys import Journey, Symptom
from bifente.conformance.domains.support.laboratory import PosteLaboratory
from bifente.conformance.domains.support.software import software_profile
from bifente.conformance.loading import InputError
from bifente.ground.text import Text
from bifente.simulator.workstation import Confidence, PosteRule, met_rules

_BY_PROGRAM = frozenset({"bits", "without"})
"""What an effect takes that matters only with the word length of the program: of that a profile says how sure it is."""


@dataclass(frozen=True, slots=True)
class PosteBlame:
    """What a search among the differences of two workstations found, for one journey.

    ``symptoms`` tell, by label, how a failure shows and where it happened the first time it was seen.
    """

    pair: PostePair
    journey: Journey
    changes: tuple[PosteChange, ...]
    search: Bisection[str]
    symptoms: Mapping[str, Symptom]

    def change(self, key: str) -> PosteChange:
        """Return a difference by its key."""
        return next(one for one in self.changes if one.key == key)

    def rules(self, keys: tuple[str, ...]) -> tuple[PosteRule, ...]:
        """Return the rules that hold with these differences and not on the working workstation: why it fails."""
        before = {one.rule.id for one in met_rules(self.pair.working)}
        return tuple(one.rule for one in met_rules(self.pair.mixed(keys)) if one.rule.id not in before)

    def seen(self, label: Label) -> Text:
        """Return what a user reads of a label."""
        symptom = self.symptoms.get(label or "")
        return symptom.text if symptom is not None else Text.same(label or "")

    def confidence(self, rule: PosteRule, culprit: Culprit[str]) -> Confidence:
        """Return how sure a rule's explanation is: no surer than what is known of the program it strikes."""
        poste = self.pair.mixed(culprit.differences)
        program = software_profile(poste.get("software")).process(poste)
        by_program = any(_BY_PROGRAM & set(effect.parameters) for effect in rule.effects)
        return Confidence.weakest([rule.confidence, *([program.confidence] if by_program else [])])


def blame(
    pair: PostePair,
    journey: Journey,
    laboratory: PosteLaboratory,
    limits: Limits | None = None,
    watch: Callable[[int], object] = lambda count: None,
) -> PosteBlame:
    """Find the differences that carry the failure of a journey. Raise InputError for a workstation that cannot be run.

    Two failures are one where a user reads the same. ``watch`` hears how many differences each run has, as it begins.
    """
    changes = pair.changes()
    symptoms: dict[str, Symptom] = {}
    everything = frozenset(one.key for one in changes)

    def attempt(keys: frozenset[str], number: int) -> Label:
        watch(len(keys))
        try:
            symptom = laboratory.run(pair.mixed(keys), journey, seed=number + 1)
        except InputError as error:
            if keys in (frozenset(), everything):
                raise
            return str(error.problems[0])  # this mix is no workstation: it shows nothing of the failure
        if symptom.works:
            return None
        return symptoms.setdefault(symptom.text.fr, symptom).text.fr

    return PosteBlame(pair, journey, changes, bisect([one.key for one in changes], attempt, limits), symptoms)


def failing_journeys(pair: PostePair, laboratory: PosteLaboratory) -> tuple[Journey, ...]:
    """Return the journeys that fail on the failing workstation and work on the other, one run each."""
    return tuple(
        journey
        for journey in Journey
        if not laboratory.run(pair.failing, journey).works and laboratory.run(pair.working, journey).works
    )
