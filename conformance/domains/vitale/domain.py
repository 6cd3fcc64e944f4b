"""The descriptor of the domain."""

from bifente.conformance.domain import Domain
from bifente.ground.text import Text

DOMAIN = Domain(
    name="vitale",
    title=Text("Carte Vitale, SSV, GALSS, apCV", "Vitale card, SSV, GALSS, apCV"),
    steps=(
        "bifente.conformance.domains.vitale.steps.card",
        "bifente.conformance.domains.vitale.steps.ssv",
        "bifente.conformance.domains.vitale.steps.galss",
        "bifente.conformance.domains.vitale.steps.apcv",
    ),
    spots="bifente.conformance.domains.vitale.spots:SPOTS",
)
