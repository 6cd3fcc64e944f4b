"""The descriptor of the domain. It stands above the others: what it watches with is the observation's."""

from bifente.conformance.domain import Domain
from bifente.ground.text import Text

DOMAIN = Domain(
    name="software",
    title=Text("Logiciel à l'essai", "Software under test"),
    steps=("bifente.conformance.observation.scenarios.steps",),
    sections={"software": "bifente.conformance.observation.scenarios.section:SoftwareSection"},
)
