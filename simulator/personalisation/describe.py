"""What a card is, in words, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from bifente.simulator.personalisation.personalise import PersonalisedCard
from bifente.simulator.personalisation.template import Lifecycle, Words
from bifente.simulator.pki.certificate_profiles import Validity

Language = Literal["fr", "en"]


def _words(fr: str, en: str) -> Words:
    return Words(fr=fr, en=en)


_LIFECYCLES = {
    Lifecycle.NEVER_UPDATED: _words("jamais mise à jour", "never updated"),
    Lifecycle.UPDATED: _words("mise à jour", "updated"),
    Lifecycle.DAMAGED_UPDATE: _words("mise à jour interrompue : dates à zéro", "update cut short: zero dates"),
    Lifecycle.EMPTY_UPDATE: _words("mise à jour interrompue : fichier vide", "update cut short: empty file"),
    Lifecycle.PIN_BLOCKED: _words("code porteur bloqué", "holder code blocked"),
    Lifecycle.PUK_EXHAUSTED: _words("code porteur et code de déblocage bloqués", "holder and unblocking codes blocked"),
    Lifecycle.EXPIRED: _words("expirée", "expired"),
    Lifecycle.REVOKED: _words("révoquée", "revoked"),
}


def describe(card: PersonalisedCard, language: Language = "en", *, codes: bool = False) -> list[tuple[str, str]]:
    """(label, value) lines about a card; its codes only if asked for."""
    return [(label.in_language(language), value) for label, value in _lines(card, language, codes)]


def _lines(card: PersonalisedCard, language: Language, codes: bool) -> Iterator[tuple[Words, str]]:
    template = card.template
    fidelity = template.fidelity
    yield _words("Carte", "Card"), template.title.in_language(language)
    yield _words("Gabarit", "Template"), template.id
    yield _words("Type", "Type"), f"{template.card.type} ({template.family.upper()}), TEST"
    yield _words("Étiquette", "Token label"), card.token_label
    yield _words("Numéro de série", "Serial number"), card.serial
    yield _words("État", "State"), _LIFECYCLES[template.lifecycle].in_language(language)
    yield _words("Valable", "Valid"), _days(card.calendar.card)
    yield _words("Titulaire", "Holder"), _holder(card)
    yield _words("Identifiant national", "National id"), template.national_id
    yield _words("Titre", "Title"), template.certificate_title
    if template.holder.speciality:
        yield _words("Spécialité", "Speciality"), template.holder.speciality
    for number, activity in card.activities.items():
        yield (
            _words(f"Situation d'exercice {number}", f"Exercise situation {number}"),
            f"{activity.structure} ({activity.structure_id}), {activity.sector}",
        )
    for item in template.billing:
        yield _words(f"Situation de facturation {item.number}", f"Billing situation {item.number}"), item.billing_id
    yield _words("Certificat de signature", "Signature certificate"), _days(card.calendar.signature)
    yield _words("Certificat d'authentification", "Authentication certificate"), _days(card.calendar.authentication)
    yield _words("Émetteur", "Issuer"), card.authority.name.rfc4514_string()
    if codes:
        yield _words("Code porteur", "Holder code"), template.codes.pin
        yield _words("Code de déblocage", "Unblocking code"), template.codes.puk
    yield _words("Fidélité", "Fidelity"), f"{fidelity.mark}: {fidelity.note.in_language(language)}"


def _holder(card: PersonalisedCard) -> str:
    holder, structure = card.template.holder, card.template.structure
    names = " ".join((*(holder.given_names or ()), holder.family_name or holder.pseudonym or ""))
    return f"{names}, {structure.name}" if structure else names


def _days(validity: Validity) -> str:
    return f"{validity.start} → {validity.end}"
