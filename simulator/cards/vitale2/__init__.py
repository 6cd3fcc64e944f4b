"""The Vitale 2. ``layout.yaml``: where things lie and who may read them; ``family.py``: what is served."""

from bifente.simulator.cards.making import maker
from bifente.simulator.cards.vitale2.family import FAMILY

__all__ = ["FAMILY", "card"]

card = maker(FAMILY)
"""A Vitale 2 with this personalisation."""
