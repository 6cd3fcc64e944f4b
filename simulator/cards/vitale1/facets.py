"""What the bench asks of a Vitale 1: to be alive, its state, its memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bifente.simulator.cards.files import papers
from bifente.simulator.cards.vitale.personalise import PersonalisedVitale
from bifente.simulator.cards.vitale1.engine import MemoryCard
from bifente.simulator.cards.vitale1.memory import WORD_SIZE, MemoryImage
from bifente.simulator.iso7816.memory import MemoryStore


def card(image: MemoryImage, *, memory: MemoryStore | None, random: Callable[[int], bytes]) -> MemoryCard:
    """Return the card of an image. It is only read: it has no memory to keep, and draws no random bytes."""
    del memory, random
    return MemoryCard(image)


def state(card: MemoryCard) -> Mapping[str, Any]:
    """Return all there is: its power."""
    return {"powered": card.powered}


def files(card: PersonalisedVitale, at: datetime) -> Mapping[str, bytes]:
    """Return its words, and what its authority publishes at ``at``."""
    assert isinstance(card.image, MemoryImage)  # noqa: S101 - what ``image.fill`` made
    return {
        **papers(card, at),
        "files/memory.bin": b"".join(word.to_bytes(WORD_SIZE, "big") for word in card.image.words),
    }
