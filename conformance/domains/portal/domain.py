"""The descriptor of the domain."""

from bifente.conformance.domain import Domain
from bifente.ground.text import Text

DOMAIN = Domain(
    name="portal",
    title=Text("Portails et composant CNAM", "Portals and CNAM component"),
    prefix="portal-",
    steps=("bifente.conformance.domains.portal.steps",),
    services={"portal": "bifente.conformance.domains.portal.serving:start"},
)
