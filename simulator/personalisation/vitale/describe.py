"""What a desk would see of a Vitale card, in words: the insured, each beneficiary with the rights of the day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Literal

from bifente.ground.text import Text
from bifente.simulator.personalisation.template import Words
from bifente.simulator.personalisation.vitale.contents import nir_of
from bifente.simulator.personalisation.vitale.personalise import PersonalisedVitale
from bifente.simulator.personalisation.vitale.spans import Period
from bifente.simulator.personalisation.vitale.template import Beneficiary, CardState
from bifente.simulator.zones import GROUPS

Language = Literal["fr", "en"]


def _words(fr: str, en: str) -> Words:
    return Words(fr=fr, en=en)


_STATES = {
    CardState.ACTIVE: _words("en service", "in use"),
    CardState.EXPIRED: _words("expirée", "expired"),
    CardState.OPPOSED: _words("en opposition", "opposed"),
}


def describe_vitale(card: PersonalisedVitale, language: Language = "en") -> list[tuple[str, str]]:
    """(label, value) lines about a card, on the day at which it is seen."""
    return [(label.in_language(language), value) for label, value in _lines(card, language)]


def _lines(card: PersonalisedVitale, language: Language) -> Iterator[tuple[Words, str]]:
    template, insured = card.template, card.template.insured
    fidelity = template.fidelity
    mark = "TEST" if template.card.mark == "T" else _words("marquée réelle", "marked real").in_language(language)
    yield _words("Carte", "Card"), template.title.in_language(language)
    yield _words("Gabarit", "Template"), f"vitale/{template.id}"
    yield _words("Type", "Type"), f"Vitale ({template.family}), {mark}"
    yield _words("Numéro de série", "Serial number"), card.serial
    yield _words("État", "State"), _STATES[template.card.state].in_language(language)
    yield _words("Valable", "Valid"), _days(card.valid)
    yield _words("Assuré", "Insured"), nir_of(template.beneficiaries[0], insured)
    yield _words("Organisme", "Body"), f"{insured.regime} {insured.caisse} {insured.centre}"
    if template.service:
        name = _meaning(102, "service-code", template.service.code, language)
        yield _words("Service AMO", "AMO service"), f"{name} ({_days(template.service.period.at(card.day))})"
    if template.accident:
        yield _words("Accident du travail", "Accident at work"), f"{template.accident.body} {template.accident.id}"
    for rank, person in enumerate(template.beneficiaries, 1):
        yield _words(f"Bénéficiaire {rank}", f"Beneficiary {rank}"), _person(person, language)
        for label, value in _rights(person, card.day, language):
            yield _words(f"  {label.fr}", f"  {label.en}"), value
    yield _words("Fidélité", "Fidelity"), f"{fidelity.mark}: {fidelity.note.in_language(language)}"


def _person(person: Beneficiary, language: Language) -> str:
    quality = _meaning(104, "quality", person.quality, language)
    born = f"{person.born[6:]}/{person.born[4:6]}/{person.born[:4]}"
    twin = _words(f", rang {person.rank}", f", rank {person.rank}").in_language(language) if person.rank > 1 else ""
    birth_name = f" ({person.birth_name})" if person.birth_name else ""
    return f"{person.name}{birth_name} {person.first_name}, {born}{twin}, {quality}"


def _rights(person: Beneficiary, day: date, language: Language) -> Iterator[tuple[Words, str]]:
    periods = [span.at(day) for span in person.rights]
    current = next((period for period in periods if period.holds(day)), None)
    if current is not None:
        shown = _words("ouverts", "open").in_language(language) + f" ({_days(current)})"
    else:
        last = max((period.end for period in periods if period.end), default=None)
        shown = _words("fermés", "closed").in_language(language) + (f" ({last})" if last else "")
    yield _words("Droits", "Rights"), shown
    for item in person.coverage:
        if item.period.at(day).holds(day):
            ald = _words("ALD, exonéré", "ALD, exonerated") if item.ald != "0" else _words("aucune", "none")
            yield _words("Exonération", "Exoneration"), f"{ald.in_language(language)} ({item.situation})"
    if person.service:
        yield (
            _words("Service AMO", "AMO service"),
            f"{_meaning(104, 'service-code', person.service.code, language)} ({_days(person.service.period.at(day))})",
        )
    if person.mutuelle:
        means = _meaning(107, "treatment-indicator", person.mutuelle.indicator, language)
        yield _words("Mutuelle", "Mutuelle"), f"{person.mutuelle.id}, {means}"
    if person.amc:
        means = _meaning(109, "treatment-indicator", person.amc.indicator, language)
        yield (
            _words("Complémentaire", "Complementary"),
            f"{person.amc.b2_number}, {means} ({_days(person.amc.valid.at(day))})",
        )


def _meaning(group: int, field: str, code: str, language: Language) -> str:
    known = GROUPS[group]
    values: Mapping[str, Text] = known.fields[known.positions[field]].values
    return str(getattr(values[code], language))


def _days(period: Period) -> str:
    return f"{period.start} → {period.end or '…'}"
