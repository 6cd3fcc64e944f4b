"""The CPS3: an IAS ECC card with a CPS2ter part. ``layout.yaml``: where things lie; ``family.py``: what is served."""

from __future__ import annotations

import secrets

from simulator.cards.cps3.family import FAMILY
from simulator.iso7816.engine import Random, SmartCard
from simulator.iso7816.image import CardImage
from simulator.iso7816.memory import MemoryStore

__all__ = ["FAMILY", "card"]


def card(image: CardImage, *, memory: MemoryStore | None = None, random: Random = secrets.token_bytes) -> SmartCard:
    """A CPS3 with this personalisation. Arguments and errors are those of ``SmartCard``.

    Raises ValueError for an image of another family.
    """
    if image.family != FAMILY.name:
        raise ValueError(f"this image is that of a {image.family}, not of a {FAMILY.name}")
    return SmartCard(image, FAMILY, memory=memory, random=random)
