"""The descriptor of the domain."""

from bifente.conformance.domain import Domain
from bifente.ground.text import Text

DOMAIN = Domain(
    name="dmp",
    title=Text("DMP", "DMP"),
    prefix="dmp-",
    steps=(
        "bifente.conformance.domains.dmp.steps.session",
        "bifente.conformance.domains.dmp.steps.records",
        "bifente.conformance.domains.dmp.steps.feeding",
        "bifente.conformance.domains.dmp.steps.documents",
        "bifente.conformance.domains.dmp.steps.laboratory",
    ),
    sections={"dmp": "bifente.conformance.domains.dmp.section:DmpSection"},
    services={"dmp": "bifente.conformance.domains.dmp.serving:start"},
    spots="bifente.conformance.domains.dmp.spots:SPOTS",
)
