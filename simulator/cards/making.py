"""How an image of a given family is brought to life."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from bifente.simulator.iso7816.engine import Random, SmartCard
from bifente.simulator.iso7816.family import Family
from bifente.simulator.iso7816.image import CardImage
from bifente.simulator.iso7816.memory import MemoryStore


def maker(family: Family) -> Callable[..., SmartCard]:
    """What makes cards of one family and refuses the images of others."""

    def card(image: CardImage, *, memory: MemoryStore | None = None, random: Random = secrets.token_bytes) -> SmartCard:
        """A card with this personalisation. Arguments and errors are those of ``SmartCard``.

        Raises ValueError for an image of another family.
        """
        if image.family != family.name:
            raise ValueError(f"this image is that of a {image.family}, not of a {family.name}")
        return SmartCard(image, family, memory=memory, random=random)

    return card
