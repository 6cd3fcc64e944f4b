"""What a card is, in words, for people."""

from __future__ import annotations

from collections.abc import Iterator

from bifente.ground.text import Lang, Text
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.cards.cpx.template import Lifecycle
from bifente.simulator.pki.certificate_profiles import Validity

_LIFECYCLES = {
    Lifecycle.NEVER_UPDATED: Text("jamais mise à jour", "never updated"),
    Lifecycle.UPDATED: Text("mise à jour", "updated"),
    Lifecycle.DAMAGED_UPDATE: Text("mise à jour interrompue : dates à zéro", "update cut short: zero dates"),
    Lifecycle.EMPTY_UPDATE: Text("mise à jour interrompue : fichier vide", "update cut short: empty file"),
    Lifecycle.PIN_BLOCKED: Text("code porteur bloqué", "holder code blocked"),
    Lifecycle.PUK_EXHAUSTED: Text("code porteur et code de déblocage bloqués", "holder and unblocking codes blocked"),
    Lifecycle.EXPIRED: Text("expirée", "expired"),
    Lifecycle.REVOKED: Text("révoquée", "revoked"),
}


def describe(card: PersonalisedCard, language: Lang = "en", *, codes: bool = False) -> list[tuple[str, str]]:
    """(label, value) lines about a card; its codes only if asked for."""
    return [(label.get(language), value) for label, value in _lines(card, language, codes)]


def _lines(card: PersonalisedCard, language: Lang, codes: bool) -> Iterator[tuple[Text, str]]:
    template = card.template
    fidelity = template.fidelity
    yield Text("Carte", "Card"), template.title.get(language)
    yield Text("Modèle", "Template"), template.id
    yield Text("Type", "Type"), f"{template.card.type} ({template.family.upper()}), TEST"
    yield Text("Étiquette", "Token label"), card.token_label
    yield Text("Numéro de série", "Serial number"), card.serial
    yield Text("État", "State"), _LIFECYCLES[template.lifecycle].get(language)
    yield Text("Valable", "Valid"), _days(card.calendar.card)
    yield Text("Titulaire", "Holder"), _holder(card)
    yield Text("Identifiant national", "National id"), template.national_id
    yield Text("Titre", "Title"), template.certificate_title
    if template.holder.speciality:
        yield Text("Spécialité", "Speciality"), template.holder.speciality
    for number, activity in card.activities.items():
        yield (
            Text(f"Situation d'exercice {number}", f"Exercise situation {number}"),
            f"{activity.structure} ({activity.structure_id}), {activity.sector}",
        )
    for item in template.billing:
        yield Text(f"Situation de facturation {item.number}", f"Billing situation {item.number}"), item.billing_id
    yield Text("Certificat de signature", "Signature certificate"), _days(card.calendar.signature)
    yield Text("Certificat d'authentification", "Authentication certificate"), _days(card.calendar.authentication)
    yield Text("Émetteur", "Issuer"), card.authority.name.rfc4514_string()
    if codes:
        yield Text("Code porteur", "Holder code"), template.codes.pin
        yield Text("Code de déblocage", "Unblocking code"), template.codes.puk
    yield Text("Fidélité", "Fidelity"), f"{fidelity.mark}: {fidelity.note.get(language)}"


def _holder(card: PersonalisedCard) -> str:
    holder, structure = card.template.holder, card.template.structure
    names = " ".join((*(holder.given_names or ()), holder.family_name or holder.pseudonym or ""))
    return f"{names}, {structure.name}" if structure else names


def _days(validity: Validity) -> str:
    return f"{validity.start} → {validity.end}"
