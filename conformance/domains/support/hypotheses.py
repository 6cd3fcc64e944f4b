"""What would explain what a user says: rules supposed one by one, kept if the journeys then go as they are told."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bifente.conformance.domains.support.journeys import Journey, Symptom
from bifente.conformance.domains.support.known_causes import known_causes
from bifente.conformance.domains.support.laboratory import PosteLaboratory
from bifente.conformance.domains.support.poste_file import SupportCase, Told
from bifente.conformance.domains.support.said import could_say
from bifente.conformance.domains.support.software import software_profile
from bifente.simulator.faults import Known, one_writing, pieces
from bifente.simulator.workstation import Poste, PosteRule, poste_rules
from bifente.simulator.workstation.confidence import Confidence

_SUREST = tuple(Confidence)
_SHORTEST_CODE = 4
_MOST_MEANT = 3
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

    ``foreign`` are words that the software is not known to say: of them the failure alone was kept, and ``meant`` is
    what such words speak of elsewhere.
    """

    fits: bool
    hypotheses: tuple[PosteHypothesis, ...] = ()
    foreign: tuple[str, ...] = ()
    meant: tuple[Known, ...] = ()

    @property
    def unexplained(self) -> bool:
        """Whether the user sees what the bench neither shows nor explains."""
        return not self.fits and not self.hypotheses


def agrees(symptom: Symptom, told: Told) -> bool:
    """Whether a journey went as its user tells; of words read, the ones told must be among them."""
    if symptom.works != told.works:
        return False
    said = _plain(told.text)
    if not said or any(said in _plain(text) for text in (symptom.text.fr, symptom.text.en)):
        return True
    # Some software shows the code of the component beside its words: a user who reads one out has told enough.
    code = symptom.failure.code.casefold() if symptom.failure is not None else ""
    return bool(code) and code in (one.casefold() for one in pieces(one_writing(told.text)) if _is_code(one))


def explain_told(laboratory: PosteLaboratory, case: SupportCase) -> ToldOutcome:
    """Explain what the user of a workstation says. What was looked at is not supposed otherwise. Raise InputError."""
    if not case.told or _matching(laboratory, case.poste, case.told) is not None:
        return ToldOutcome(fits=True)
    found = _sorted(_supposed(laboratory, case.poste, case.told))
    foreign = () if found else tuple(_foreign(case))
    if not foreign:
        return ToldOutcome(fits=False, hypotheses=found)
    entries = [match for text in foreign for match in known_causes().matches(text) if match.sure]
    meant = tuple({match.one.id: match.one for match in entries}.values())
    told = {journey: Told(works=False) if one.text in foreign else one for journey, one in case.told.items()}
    if _matching(laboratory, case.poste, told) is not None:
        return ToldOutcome(True, (), foreign, meant[:_MOST_MEANT])
    # Words that mean nothing known explain nothing: of the failure alone a hundred causes would be made up.
    if meant:
        found = _sorted(_supposed(laboratory, case.poste, told), [one.id for one in meant])
    return ToldOutcome(False, found, foreign, meant[:_MOST_MEANT])


def _sorted(found: Iterable[PosteHypothesis], meant: Sequence[str] = ()) -> tuple[PosteHypothesis, ...]:
    """What the user's words speak of comes first, then the surest, then what is the server's."""

    def place(one: PosteHypothesis) -> tuple[int, int, bool]:
        named = meant.index(one.rule.id) if one.rule.id in meant else len(meant)
        return named, _SUREST.index(one.rule.confidence), not one.rule.server

    return tuple(sorted(found, key=place))


def _foreign(case: SupportCase) -> Iterator[str]:
    """The words told that the software shows for nothing in particular."""
    texts = software_profile(case.poste.get("software")).texts
    for one in case.told.values():
        if one.text and not any(could_say(row.text.text, one.text) for row in texts):
            yield one.text


def _is_code(word: str) -> bool:
    return len(word) >= _SHORTEST_CODE and any(letter.isdigit() or letter == "_" for letter in word)


def _supposed(laboratory: PosteLaboratory, written: Poste, told: Mapping[Journey, Told]) -> Iterator[PosteHypothesis]:
    for rule in poste_rules().values():
        if not rule.effects or rule.meets(written):
            continue
        poste = rule.supposed(written)
        if poste is None:
            continue
        symptoms = _matching(laboratory, poste, told)
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
