"""Which acts of a day go together: a supplement and its act, one act of a group, a consultation and a CCAM act."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from bifente.simulator.formats.fse.model import CareAct, Invoice, Nomenclature
from bifente.simulator.tarification.ages import age
from bifente.simulator.tarification.deadlines import takes_holiday_rate
from bifente.simulator.tarification.tables import ACTS, CCAM, profession_of
from bifente.simulator.tarification.tables.acts import ActType

Broken = tuple[str, Mapping[str, object]]
"""A rule that is broken, and the words that its sentence is filled in with."""
_CONSULTATION = "consultation"


def conditions(invoice: Invoice, act: CareAct, kind: ActType) -> Iterator[Broken]:
    """What an act asks of the others of its day, of the age of the patient and of the care path."""
    there = [other for other in invoice.acts if other.on == act.on and other.code in kind.accompanies]
    if kind.accompanies and not there:
        yield "supplement-alone", {"code": act.code, "wanted": ", ".join(kind.accompanies)}
    elif kind.most is not None and all(other.coefficient > kind.most for other in there):
        yield "supplement-coefficient", {"code": act.code, "most": kind.most}
    if kind.each and act.quantity > (most := sum(other.quantity for other in there)) > 0:
        yield "supplement-too-often", {"code": act.code, "most": most}
    if kind.highest is not None and act.coefficient > kind.highest:
        yield "coefficient-too-high", {"code": act.code, "most": kind.highest}
    if not takes_holiday_rate(act.on):
        if kind.holiday:
            yield "not-a-holiday", {"code": act.code, "on": act.on}
        for letter in act.modifiers:
            if letter in CCAM.modifiers and CCAM.modifiers[letter].holiday:
                yield "not-a-holiday", {"code": f"{act.code} {letter}", "on": act.on}
    for letter in act.modifiers:
        known = CCAM.modifiers.get(letter)
        if known is not None and known.specialties and invoice.professional.specialty not in known.specialties:
            yield "modifier-not-of-specialty", {"letter": letter, "specialty": invoice.professional.specialty}
    if not kind.is_of_age(age(invoice.beneficiary.birth, act.on)):
        yield "supplement-age", {"code": act.code, "limit": _ages(kind)}
    if kind.paths and invoice.care_path and invoice.care_path not in kind.paths:
        yield "act-not-of-care-path", {"code": act.code, "letter": invoice.care_path}


def together(invoice: Invoice) -> Iterator[Broken]:
    """Acts of one day that exclude each other."""
    profession = profession_of(invoice.professional.specialty)
    for day in sorted({act.on for act in invoice.acts}):
        session = [act for act in invoice.acts if act.on == day and act.code in ACTS]
        yield from _too_often(session, day)
        for group, codes in _groups(session).items():
            if len(codes) > 1:
                yield "acts-together", {"codes": ", ".join(codes), "on": day}
            if group == _CONSULTATION and profession in (None, "medecin", "dentiste"):
                yield from _with_consultation(session, day)


def _too_often(session: Sequence[CareAct], day: date) -> Iterator[Broken]:
    told: Counter[str] = Counter()
    for act in session:
        told[act.code] += act.quantity
    for code, count in told.items():
        most = ACTS[code].a_day
        if most is not None and count > most:
            yield "act-too-often", {"code": code, "on": day, "found": count, "most": most}


def _groups(session: Sequence[CareAct]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for code in dict.fromkeys(act.code for act in session):
        group = ACTS[code].group
        if group is not None:
            found.setdefault(group, []).append(code)
    return found


def _with_consultation(session: Sequence[CareAct], day: date) -> Iterator[Broken]:
    for code in dict.fromkeys(act.code for act in session):
        kind = ACTS[code]
        if kind.nomenclature is Nomenclature.CCAM and not kind.with_consultation:
            yield "consultation-not-with", {"code": code, "on": day}


def _ages(kind: ActType) -> str:
    below = f"< {kind.below}" if kind.below is not None else ""
    above = f">= {kind.from_age}" if kind.from_age is not None else ""
    return " / ".join(filter(None, (below, above)))
