"""The descriptor of the CPS3. The templates of professionals' cards come with it: each may make a CPS4 as well."""

from bifente.ground.text import Text
from bifente.simulator.cards.cpx.family import cpx_family
from bifente.simulator.cards.family import TemplateFolder

FAMILY = cpx_family(
    name="cps3",
    title=Text("CPS3, carte IAS ECC du professionnel", "CPS3, the professional's IAS ECC card"),
    package=__package__,
    host="Cps3Host",
    # An older one is known by 3B7B18 too (sources#vitale-card); the last is what a CPS3 answers without contact.
    prefixes=("3BAC00402A", "3B7B18", "3B8F80010031B864"),
    templates=TemplateFolder("bifente.simulator.cards.cpx"),
)
