"""What a card is by its ATR, as the support tools of the field recognise it (sources#vitale-card)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from bifente.ground.text import Text


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

ATR_PREFIXES: Mapping[bytes, CardKind] = {
    bytes.fromhex("3BAC00402A"): CardKind.CPS,
    bytes.fromhex("3B7B18"): CardKind.CPS,
    bytes.fromhex("3BDC18"): CardKind.CPS,
    bytes.fromhex("3B7513"): CardKind.VITALE_2,
    bytes.fromhex("3F65"): CardKind.VITALE_1,
}


def kind_of(atr: bytes) -> CardKind:
    """What a card is by its ATR."""
    return next((kind for prefix, kind in ATR_PREFIXES.items() if atr.startswith(prefix)), CardKind.OTHER)
