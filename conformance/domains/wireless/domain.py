"""The descriptor of the domain."""

from bifente.conformance.domain import Domain
from bifente.ground.text import Text

DOMAIN = Domain(
    name="wireless",
    title=Text("Terminal sans fil", "Wireless terminal"),
    steps=("bifente.conformance.domains.wireless.steps",),
)
