"""The card that a step holds in its hand: one of the bench's own, of a professional."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifente.conformance.bench.scene import Act
from bifente.conformance.scenario.step import ImpossibleStepError
from bifente.ground.text import Text

if TYPE_CHECKING:
    from bifente.simulator.cards.cpx.personalise import PersonalisedCard


def card_in_hand(act: Act) -> PersonalisedCard:
    """Return the professional's card in the step's slot. Raise ImpossibleStepError for any other, and a real one."""
    from bifente.simulator.cards.cpx.personalise import PersonalisedCard

    found = act.card.made_as(PersonalisedCard)
    if found is None:
        raise ImpossibleStepError(
            Text(
                "la carte de cette fente n'est pas une carte de professionnel du banc",
                "the card of this slot is no professional's card of the bench",
            )
        )
    return found
