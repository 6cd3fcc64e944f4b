"""A card from its image, whatever its family."""

from __future__ import annotations

import secrets

from bifente.simulator.cards import cps3, cps4
from bifente.simulator.iso7816.engine import Random, SmartCard
from bifente.simulator.iso7816.image import CardImage
from bifente.simulator.iso7816.memory import MemoryStore

FAMILIES = {family.name: family for family in (cps3.FAMILY, cps4.FAMILY)}


def make_card(
    image: CardImage, *, memory: MemoryStore | None = None, random: Random = secrets.token_bytes
) -> SmartCard:
    """Give life to an image. Raises ValueError for an unknown family, else what ``SmartCard`` raises."""
    family = FAMILIES.get(image.family)
    if family is None:
        raise ValueError(f"no card family is named {image.family}; known: {', '.join(sorted(FAMILIES))}")
    return SmartCard(image, family, memory=memory, random=random)
