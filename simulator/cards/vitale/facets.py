"""What the bench asks of a Vitale card, of either family: its facts, the names and numbers on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bifente.ground.identifiers import nir_key
from bifente.simulator.cards.vitale.personalise import PersonalisedVitale
from bifente.simulator.cards.vitale.template import VitaleTemplate


def facts(card: PersonalisedVitale) -> Mapping[str, Any]:
    """Return what a scenario may refer to."""
    return card.facts()


def holders(template: VitaleTemplate) -> set[str]:
    """Return the names of all the people on it."""
    return {
        name
        for person in template.beneficiaries
        for name in (person.name, person.birth_name, person.first_name)
        if name
    }


def numbers(template: VitaleTemplate) -> set[str]:
    """Return the social security numbers on it, without and with their keys."""
    nirs = {template.insured.nir, *(person.nir for person in template.beneficiaries if person.nir)}
    return nirs | {nir + nir_key(nir) for nir in nirs}
