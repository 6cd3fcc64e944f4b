"""The CPS4: a ChipDoc application on a Java Card. ``layout.yaml``: where things lie; ``family.py``: what is served."""

from bifente.simulator.cards.cps4.family import FAMILY
from bifente.simulator.cards.making import maker

__all__ = ["FAMILY", "card"]

card = maker(FAMILY)
