"""The descriptor of the CPS4."""

from bifente.ground.text import Text
from bifente.simulator.cards.cpx.family import cpx_family

FAMILY = cpx_family(
    name="cps4",
    title=Text("CPS4, carte ChipDoc du professionnel", "CPS4, the professional's ChipDoc card"),
    package=__package__,
    host="Cps4Host",
    # The tools of the field know the first; the second is that of the cards that offer T=1 (sources#cryptolib-source).
    prefixes=("3BDC18", "3B9B18"),
)
