"""The reading functions of the SSV library, on whatever gives access to the two cards.

Sources: sources#ssv-functions and sources#ssv-codes.

``SSV_TraduireARL`` and the functions of the invoice are not here: nothing reads a card in them.
"""

from bifente.simulator.middleware.ssv.answer import Answer
from bifente.simulator.middleware.ssv.components import Components
from bifente.simulator.middleware.ssv.library import Ssv

__all__ = ["Answer", "Components", "Ssv"]
