"""The descriptor of the Vitale 2. The templates of Vitale cards come with it, a Vitale 1 among them."""

from bifente.ground.text import Text
from bifente.simulator.cards.family import TemplateFolder
from bifente.simulator.cards.vitale.family import POWERED, vitale_family

FAMILY = vitale_family(
    name="vitale2",
    title=Text("Vitale 2", "Vitale 2"),
    package=__package__,
    taken_for="vitale-2",
    prefixes=("3B7513",),
    state={
        **POWERED,
        "selected": Text("dossier ou application courante", "current folder or application"),
        "authenticated-by": Text("qui s'est authentifié auprès de la Vitale", "who authenticated to the Vitale"),
    },
    host="VitaleHost",
    templates=TemplateFolder("bifente.simulator.cards.vitale", prefix="vitale/"),
)
