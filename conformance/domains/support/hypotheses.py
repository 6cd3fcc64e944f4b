"""What would explain what a user says: rules supposed one by one, kept if the journeys then go as they are told."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bifente.conformance.domains.support.journeys import Journey, Symptom
from bifente.conformance.domains.support.laboratory import PosteLaboratory
from bifente.conformance.domains.support.poste_file import SupportCase, Told
from bifente.simulator.workstation import Poste, PosteRule, poste_rules
from bifente.simulator.workstation.confidence import Confidence

_SUREST = tuple(Confidence)
_QUICKEST = (
    *(Journey.ASSOCIATION, Journey.READ_CPS, Journey.READ_VITALE, Journey.DMP_SOFTWARE),
    *(Journey.AMELI, Journey.DMP_WEB, Journey.SHEET, Journey.LOTS),
)


@dataclass(frozen=True, slots=True)
class PosteHypothesis:
    """A rule that would explain what is told, the workstation as it then is, and its journeys."""

    rule: PosteRule
    poste: Poste
    symptoms: tuple[Symptom, ...]


@dataclass(frozen=True, slots=True)
class ToldOutcome:
    """What came of what a user says. ``fits``: the workstation as it is written already goes so, or nothing is told;
    else ``hypotheses`` are the single rules that would explain it, the surest first, none where no known one does.
    """

    fits: bool
    hypotheses: tuple[PosteHypothesis, ...] = ()

    @property
    def unexplained(self) -> bool:
        """Whether the user sees what the bench neither shows nor explains."""
        return not self.fits and not self.hypotheses


def agrees(symptom: Symptom, told: Told) -> bool:
    """Whether a journey went as its user tells; of words read, the ones told must be among them."""
    if symptom.works != told.works:
        return False
    said = _plain(told.text)
    return not said or any(said in _plain(text) for text in (symptom.text.fr, symptom.text.en))


def explain_told(laboratory: PosteLaboratory, case: SupportCase) -> ToldOutcome:
    """Explain what the user of a workstation says. What was looked at is not supposed otherwise. Raise InputError."""
    if not case.told or _matching(laboratory, case.poste, case.told) is not None:
        return ToldOutcome(fits=True)
    found = sorted(
        _supposed(laboratory, case), key=lambda one: (_SUREST.index(one.rule.confidence), not one.rule.server)
    )
    return ToldOutcome(fits=False, hypotheses=tuple(found))


def _supposed(laboratory: PosteLaboratory, case: SupportCase) -> Iterator[PosteHypothesis]:
    for rule in poste_rules().values():
        if not rule.effects or rule.meets(case.poste):
            continue
        poste = rule.supposed(case.poste)
        if poste is None:
            continue
        symptoms = _matching(laboratory, poste, case.told)
        if symptoms is not None:
            yield PosteHypothesis(rule, poste, symptoms)


def _matching(laboratory: PosteLaboratory, poste: Poste, told: Mapping[Journey, Told]) -> tuple[Symptom, ...] | None:
    """The journeys told, if each goes so; the failing ones are tried first, for most suppositions fall there."""
    found = []
    for journey, said in sorted(told.items(), key=lambda pair: (pair[1].works, _QUICKEST.index(pair[0]))):
        symptom = laboratory.run(poste, journey)
        if not agrees(symptom, said):
            return None
        found.append(symptom)
    return tuple(found)


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
    return " ".join("".join(letter if letter.isalnum() else " " for letter in folded).split())
