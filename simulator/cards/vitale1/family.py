"""The descriptor of the Vitale 1, which has no ISO 7816-4 commands."""

from bifente.ground.text import Text
from bifente.simulator.cards.vitale.family import POWERED, vitale_family

FAMILY = vitale_family(
    name="vitale1",
    title=Text("Vitale 1, carte à mémoire", "Vitale 1, a memory card"),
    package=__package__,
    taken_for="vitale-1",
    prefixes=("3F65",),
    state=POWERED,
)
