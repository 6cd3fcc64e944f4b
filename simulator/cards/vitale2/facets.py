"""What the bench asks of a Vitale 2: to be alive, its state, its files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bifente.simulator.cards.files import papers, volumes
from bifente.simulator.cards.vitale.personalise import PersonalisedVitale
from bifente.simulator.cards.vitale2.engine import card
from bifente.simulator.iso7816.engine import SmartCard
from bifente.simulator.iso7816.image import CardImage

__all__ = ["card", "files", "state"]


def state(card: SmartCard) -> Mapping[str, Any]:
    """Return its power, what is selected, and who authenticated."""
    state = card.state()
    return {
        "powered": state.powered,
        "selected": state.main.current_name if state.main else "MF",
        "authenticated-by": next(iter(state.authenticated.values()), "none"),
    }


def files(card: PersonalisedVitale, at: datetime) -> Mapping[str, bytes]:
    """Return what it holds, its certificates and the revocation list of ``at``; never its private keys."""
    assert isinstance(card.image, CardImage)  # noqa: S101 - what ``image.fill`` made
    return {**papers(card, at), **volumes(card.image)}
