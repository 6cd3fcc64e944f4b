"""From the material of a Vitale 1 to its memory: no key, no certificate."""

from __future__ import annotations

from bifente.simulator.cards.vitale.personalise import Filled, VitaleMaterial
from bifente.simulator.cards.vitale1.memory import write


def fill(material: VitaleMaterial) -> Filled:
    """Return the image. Raise MemoryImageError if the groups are too many."""
    return write(material.layout, material.groups, atr=material.template.card.atr), {}
