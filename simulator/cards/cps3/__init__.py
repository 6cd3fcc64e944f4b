"""The CPS3: an IAS ECC card with a CPS2ter part. ``layout.yaml``: where things lie; ``family.py``: what is served."""

from bifente.simulator.cards.cps3.family import FAMILY
from bifente.simulator.cards.making import maker

__all__ = ["FAMILY", "card"]

card = maker(FAMILY)
