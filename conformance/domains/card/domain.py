"""The descriptor of the domain."""

from bifente.conformance.domain import Domain
from bifente.ground.text import Text

DOMAIN = Domain(
    name="card",
    title=Text("Carte du professionnel", "The professional's card"),
    steps=(
        "bifente.conformance.domains.card.steps.selection",
        "bifente.conformance.domains.card.steps.codes",
        "bifente.conformance.domains.card.steps.files",
        "bifente.conformance.domains.card.steps.keys",
        "bifente.conformance.domains.card.steps.raw",
        "bifente.conformance.domains.card.steps.certificates",
    ),
)
