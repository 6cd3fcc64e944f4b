"""The Vitale 1: a memory read in words under class BC. ``layout.yaml``: its ATRs; ``memory.py``: what lies where."""

from bifente.simulator.cards.vitale1.card import MemoryCard
from bifente.simulator.cards.vitale1.memory import MemoryImage, MemoryImageError, read, write

__all__ = ["MemoryCard", "MemoryImage", "MemoryImageError", "read", "write"]
