"""What a desk would see of a Vitale card, in words: the insured, each beneficiary with the rights of the day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from bifente.ground.text import Lang, Text
from bifente.simulator.cards.vitale.contents import nir_of
from bifente.simulator.cards.vitale.personalise import PersonalisedVitale
from bifente.simulator.cards.vitale.spans import Period
from bifente.simulator.cards.vitale.template import BeneficiaryData, VitaleState
from bifente.simulator.zones import GROUPS

_STATES = {
    VitaleState.ACTIVE: Text("en service", "in use"),
    VitaleState.EXPIRED: Text("expirée", "expired"),
    VitaleState.OPPOSED: Text("en opposition", "opposed"),
}


def describe(card: PersonalisedVitale, language: Lang = "en", *, codes: bool = False) -> list[tuple[str, str]]:
    """(label, value) lines about a card, on the day at which it is seen. A Vitale has no codes to show."""
    del codes
    return [(label.get(language), value) for label, value in _lines(card, language)]


def _lines(card: PersonalisedVitale, language: Lang) -> Iterator[tuple[Text, str]]:
    template, insured = card.template, card.template.insured
    fidelity = template.fidelity
    mark = "TEST" if template.card.mark == "T" else Text("marquée réelle", "marked real").get(language)
    yield Text("Carte", "Card"), template.title.get(language)
    yield Text("Modèle", "Template"), f"vitale/{template.id}"
    yield Text("Type", "Type"), f"Vitale ({template.family}), {mark}"
    yield Text("Numéro de série", "Serial number"), card.serial
    yield Text("État", "State"), _STATES[template.card.state].get(language)
    yield Text("Valable", "Valid"), _days(card.valid)
    yield Text("Assuré", "Insured"), nir_of(template.beneficiaries[0], insured)
    yield Text("Organisme", "Body"), f"{insured.regime} {insured.caisse} {insured.centre}"
    if template.service:
        name = _meaning(102, "service-code", template.service.code, language)
        yield Text("Service AMO", "AMO service"), f"{name} ({_days(template.service.period.at(card.day))})"
    if template.accident:
        yield Text("Accident du travail", "Accident at work"), f"{template.accident.body} {template.accident.id}"
    for rank, person in enumerate(template.beneficiaries, 1):
        yield Text(f"Bénéficiaire {rank}", f"Beneficiary {rank}"), _person(person, language)
        for label, value in _rights(person, card.day, language):
            yield Text(f"  {label.fr}", f"  {label.en}"), value
    yield Text("Fidélité", "Fidelity"), f"{fidelity.mark}: {fidelity.note.get(language)}"


def _person(person: BeneficiaryData, language: Lang) -> str:
    quality = _meaning(104, "quality", person.quality, language)
    born = f"{person.born[6:]}/{person.born[4:6]}/{person.born[:4]}"
    twin = Text(f", rang {person.rank}", f", rank {person.rank}").get(language) if person.rank > 1 else ""
    birth_name = f" ({person.birth_name})" if person.birth_name else ""
    return f"{person.name}{birth_name} {person.first_name}, {born}{twin}, {quality}"


def _rights(person: BeneficiaryData, day: date, language: Lang) -> Iterator[tuple[Text, str]]:
    periods = [span.at(day) for span in person.rights]
    current = next((period for period in periods if period.holds(day)), None)
    if current is not None:
        shown = Text("ouverts", "open").get(language) + f" ({_days(current)})"
    else:
        last = max((period.end for period in periods if period.end), default=None)
        shown = Text("fermés", "closed").get(language) + (f" ({last})" if last else "")
    yield Text("Droits", "Rights"), shown
    for item in person.coverage:
        if item.period.at(day).holds(day):
            ald = Text("ALD, exonéré", "ALD, exonerated") if item.ald != "0" else Text("aucune", "none")
            yield Text("Exonération", "Exoneration"), f"{ald.get(language)} ({item.situation})"
    if person.service:
        yield (
            Text("Service AMO", "AMO service"),
            f"{_meaning(104, 'service-code', person.service.code, language)} ({_days(person.service.period.at(day))})",
        )
    if person.mutuelle:
        means = _meaning(107, "treatment-indicator", person.mutuelle.indicator, language)
        yield Text("Mutuelle", "Mutuelle"), f"{person.mutuelle.id}, {means}"
    if person.amc:
        means = _meaning(109, "treatment-indicator", person.amc.indicator, language)
        yield (
            Text("Complémentaire", "Complementary"),
            f"{person.amc.b2_number}, {means} ({_days(person.amc.valid.at(day))})",
        )


def _meaning(group: int, field: str, code: str, language: Lang) -> str:
    known = GROUPS[group]
    values: Mapping[str, Text] = known.fields[known.positions[field]].values
    return str(getattr(values[code if code in values else code.zfill(2)], language))


def _days(period: Period) -> str:
    return f"{period.start} → {period.end or '…'}"
