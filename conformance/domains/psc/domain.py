"""The descriptor of the domain."""

from bifente.conformance.domain import Domain
from bifente.ground.text import Text

DOMAIN = Domain(
    name="psc",
    title=Text("Pro Santé Connect et e-CPS", "Pro Santé Connect and e-CPS"),
    steps=(
        "bifente.conformance.domains.psc.steps.login",
        "bifente.conformance.domains.psc.steps.client",
        "bifente.conformance.domains.psc.steps.tokens",
        "bifente.conformance.domains.psc.steps.backchannel",
        "bifente.conformance.domains.psc.steps.phone",
        "bifente.conformance.domains.psc.steps.provider",
    ),
    sections={"psc": "bifente.conformance.domains.psc.section:PscSection"},
    services={"psc": "bifente.conformance.domains.psc.serving:start"},
    spots="bifente.conformance.domains.psc.spots:SPOTS",
)
