"""The descriptor of the domain."""

from bifente.conformance.domain import Domain
from bifente.ground.text import Text

DOMAIN = Domain(
    name="ins",
    title=Text("INS : téléservice INSi et identités", "INS: INSi teleservice and identities"),
    steps=(
        "bifente.conformance.domains.ins.steps.patient",
        "bifente.conformance.domains.ins.steps.searching",
        "bifente.conformance.domains.ins.steps.service",
    ),
    sections={"ins": "bifente.conformance.domains.ins.section:InsSection"},
    services={"insi": "bifente.conformance.domains.ins.serving:start"},
    spots="bifente.conformance.domains.ins.spots:SPOTS",
)
