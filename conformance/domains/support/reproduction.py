"""A customer's words reproduced: which workstation gives them, what goes with it, and the same one cured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from bifente.conformance.domains.support.diagnosis import FaultSide, PosteDiagnosis, diagnose
from bifente.conformance.domains.support.journeys import Journey, Symptom
from bifente.conformance.domains.support.laboratory import PosteLaboratory
from bifente.conformance.domains.support.said import could_say, says, words
from bifente.conformance.domains.support.software import ShownText, SoftwareProfile, software_profiles
from bifente.ground.text import Text
from bifente.simulator.workstation import Poste, PosteRule, poste_rules
from bifente.simulator.workstation.known import KnownPoste, known_postes

_MOST_OTHERS = 6
_MOST_TRIED = 40
"""Workstations tried for other causes once one was found: a desk waits for the letter."""
_CODE = 5
"""Letters and digits of the shortest code that is taken from a sentence."""
CONNECTOR = "0.9.9"
SHOWING = "software/hellodoc-like"
"""The software that tells most: it shows codes as they come."""


@dataclass(frozen=True, slots=True)
class ReproducedSymptom:
    """What a customer says, played: the workstation that gives it and the cured one, journey by journey.

    ``known`` is the workstation of the field that gave it, None if it was made by supposing a rule. ``others`` are
    rules that give the same words elsewhere.
    """

    said: str
    software: SoftwareProfile
    shown: Text
    failing: PosteDiagnosis
    cured: Poste
    after: tuple[Symptom, ...]
    known: KnownPoste | None
    cured_known: KnownPoste | None
    others: tuple[PosteRule, ...]

    @property
    def cures(self) -> bool:
        """Whether the words are no longer read on the cured one."""
        return all(one.text != self.shown for one in self.after)

    @property
    def server_excluded(self) -> bool:
        """Whether the failing workstation itself shows that the DMP's server is not to blame: the browser opens it."""
        went = {one.journey: one.works for one in self.failing.symptoms}
        local = self.failing.side is FaultSide.WORKSTATION
        return local and went[Journey.DMP_WEB] and not went[Journey.DMP_SOFTWARE]


def reproduce_text(laboratory: PosteLaboratory, said: str) -> ReproducedSymptom | None:
    """Return the words of a customer as a software profile says them, reproduced; None if no profile does."""
    # What is said for itself comes first: a bare code fits every text that shows codes, and all have to be tried.
    for alone in (False, True):
        speaking = [one for one in software_profiles().values() if _rows(one, said, code_alone=alone)]
        for profile in sorted(speaking, key=lambda one: -_telling(one, said, code_alone=alone)):
            giving = _giving(laboratory, said, profile, code_alone=alone)
            found = next((one for one in giving if one is not None), None)
            if found is not None:
                return _reproduced(laboratory, said, profile, found, giving)
    return None


def reproduce_finding(laboratory: PosteLaboratory, said: str) -> ReproducedSymptom | None:
    """Return a finding of the field's tools reproduced, by its code (PORT_CONFLICT) or by one that its cause names
    (0xc0e90002); None if no rule bears it.
    """
    given = set(words(said))
    for rule in poste_rules().values():
        if given & set(_codes(rule)):
            profile = software_profiles()[SHOWING]
            poste = rule.supposed(base_of(profile), firm=False)
            if poste is not None:
                found = (replace(poste, name=rule.id), None, rule.title)
                return _reproduced(laboratory, said, profile, found, iter(()))
    return None


def _codes(rule: PosteRule) -> Iterator[str]:
    """The codes by which a rule is known: that of the field's tools, and what in its cause is no word."""
    if rule.finding:
        yield rule.finding.casefold()
    for one in words(rule.cause.fr):
        if len(one) >= _CODE and any(map(str.isdigit, one)) and any(letter.isalpha() for letter in one):
            yield one


def base_of(profile: SoftwareProfile) -> Poste:
    """Return a workstation on which a software works: what it needs is there."""
    facts = {"software": profile.profile, **dict.fromkeys(profile.links, "1.0")}
    if profile.connector:
        facts["dmpconnect-js"] = CONNECTOR
    return Poste(facts, name=profile.profile)


def _rows(profile: SoftwareProfile, said: str, *, code_alone: bool) -> list[ShownText]:
    return [row for row in profile.texts if could_say(row.text.text, said, code_alone=code_alone)]


def _telling(profile: SoftwareProfile, said: str, *, code_alone: bool) -> int:
    """How much of a profile's own words a customer repeats: the longest of its texts that fits, holes apart."""
    return max(len(row.text.fr.partition("{")[0]) for row in _rows(profile, said, code_alone=code_alone))


def _journeys(profile: SoftwareProfile, said: str, *, code_alone: bool) -> Sequence[Journey]:
    rows = _rows(profile, said, code_alone=code_alone)
    named = [journey for row in rows for journey in row.journeys]
    return tuple(dict.fromkeys(named)) if all(row.journeys for row in rows) else tuple(Journey)


Giving = tuple[Poste, KnownPoste | None, Text]


def _giving(
    laboratory: PosteLaboratory, said: str, profile: SoftwareProfile, *, code_alone: bool
) -> Iterator[Giving | None]:
    """Every workstation that is tried: those of the field first, then a rule supposed at a time. None: other words."""
    journeys = _journeys(profile, said, code_alone=code_alone)
    for known in known_postes().values():
        poste = known.poste.changed({"software": profile.profile}, known.poste.name)
        if known.poste.get("software") != profile.profile:
            continue
        shown = _read(laboratory, poste, journeys, said)
        yield None if shown is None else (poste, known, shown)
    for rule in poste_rules().values():
        poste_supposed = rule.supposed(base_of(profile), firm=False) if rule.effects else None
        if poste_supposed is not None:
            shown = _read(laboratory, poste_supposed, journeys, said)
            yield None if shown is None else (replace(poste_supposed, name=rule.id), None, shown)


def _read(laboratory: PosteLaboratory, poste: Poste, journeys: Sequence[Journey], said: str) -> Text | None:
    for journey in journeys:
        symptom = laboratory.run(poste, journey)
        if not symptom.works and says(symptom.text, said):
            return symptom.text
    return None


def _reproduced(
    laboratory: PosteLaboratory,
    said: str,
    profile: SoftwareProfile,
    found: Giving,
    giving: Iterator[Giving | None],
) -> ReproducedSymptom:
    poste, known, shown = found
    failing = diagnose(laboratory, poste)
    cured, cured_known = _cured(laboratory, poste, failing)
    after = tuple(laboratory.run(cured, journey) for journey in Journey)
    causes = set(failing.causes)
    others: dict[str, PosteRule] = {}
    for further in islice(giving, _MOST_TRIED):
        rule = poste_rules().get(further[0].name) if further is not None else None
        if rule is not None and rule.id not in causes:
            others.setdefault(rule.title.fr, rule)
        if len(others) == _MOST_OTHERS:
            break
    return ReproducedSymptom(said, profile, shown, failing, cured, after, known, cured_known, tuple(others.values()))


def _cured(laboratory: PosteLaboratory, poste: Poste, failing: PosteDiagnosis) -> tuple[Poste, KnownPoste | None]:
    """The workstation of the field that is nearest and works, on the same system; else what the rules say cures it."""
    near = []
    for known in known_postes().values():
        other = known.poste
        same = all(other.get(key) == poste.get(key) for key in ("os", "os-version", "software"))
        if same and all(laboratory.run(other, journey).works for journey in Journey):
            near.append((len(poste.differences(other)), known))
    if near and any(not met.rule.server for met in failing.causes.values()):
        best = min(near, key=lambda pair: pair[0])[1]
        return best.poste, best
    changes: dict[str, str] = {}
    for met in failing.causes.values():
        changes |= _recovered(met.rule)
    return poste.changed(changes, f"{poste.name}-cured"), None


def _recovered(rule: PosteRule) -> dict[str, str]:
    """The facts that undo a rule: those it tells, for a service that it is up again."""
    if rule.server:
        return {one.key: "up" for one in rule.conditions if one.key.startswith("service-")}
    return dict(rule.cured_by)
