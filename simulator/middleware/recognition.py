"""What a card is by its ATR, as the support tools of the field recognise it (sources#vitale-card)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache

from bifente.ground.text import Text
from bifente.simulator.cards.families import families


class CardKind(StrEnum):
    """What a support tool takes a card for by its ATR."""

    CPS = "cps"
    VITALE_2 = "vitale-2"
    VITALE_1 = "vitale-1"
    MUTE = "mute"
    HELD = "held"
    OTHER = "other"

    @property
    def label(self) -> Text:
        """In words."""
        return _LABELS[self]


_LABELS = {
    CardKind.CPS: Text("carte PS", "professional's card"),
    CardKind.VITALE_2: Text("carte Vitale 2", "Vitale 2 card"),
    CardKind.VITALE_1: Text("carte Vitale 1", "Vitale 1 card"),
    CardKind.MUTE: Text("carte muette", "mute card"),
    CardKind.HELD: Text("carte tenue par un autre programme", "card held by another program"),
    CardKind.OTHER: Text("carte inconnue", "unknown card"),
}


def kind_of(atr: bytes) -> CardKind:
    """Return what a card is by its ATR."""
    return next((kind for prefix, kind in atr_prefixes().items() if atr.startswith(prefix)), CardKind.OTHER)


@cache
def atr_prefixes() -> Mapping[bytes, CardKind]:
    """Return what each beginning of an ATR tells, as the card families say; a family the tools do not know is OTHER."""
    known = {str(kind): kind for kind in CardKind}
    return {
        bytes.fromhex(prefix): known.get(family.taken_for, CardKind.OTHER)
        for family in families().values()
        for prefix in family.prefixes
    }
