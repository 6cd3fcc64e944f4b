"""What the bench asks of a professional's card: its facts, its state, its secrets, the names on it, its files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.cards.cpx.template import Template
from bifente.simulator.cards.files import papers, volumes
from bifente.simulator.iso7816.engine import SmartCard


def facts(card: PersonalisedCard) -> Mapping[str, Any]:
    """Return what a scenario may refer to."""
    return card.facts()


def state(card: SmartCard) -> Mapping[str, Any]:
    """Return the inner state by its keys."""
    state = card.state()
    pin, puk, main = state.secrets["pin"], state.secrets["puk"], state.main
    return {
        "powered": state.powered,
        "pin-tries": pin.tries_left,
        "pin-verified": pin.verified,
        "puk-tries": puk.tries_left,
        "puk-uses": puk.uses_left,
        "puk-verified": puk.verified,
        "hash": (main.hash_ready if main else None) or "none",
        "selected": main.current_name if main else "MF",
    }


def files(card: PersonalisedCard, at: datetime) -> Mapping[str, bytes]:
    """Return what it holds, its certificates and the revocation list of ``at``; never its private keys."""
    return {**papers(card, at), **volumes(card.image)}


def secrets(template: Template, parameters: Mapping[str, Any]) -> set[str]:
    """Return its codes, and those that a scenario gives it instead."""
    return {template.codes.pin, template.codes.puk, *(str(code) for code in dict(parameters.get("codes", {})).values())}


def holders(template: Template) -> set[str]:
    """Return the names of its holder."""
    holder = template.holder
    names = (holder.family_name, holder.birth_name, holder.practice_name, *(holder.given_names or ()))
    return {name for name in names if name}
