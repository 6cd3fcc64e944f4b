"""The descriptor of the domain."""

from bifente.conformance.domain import Domain
from bifente.ground.text import Text

DOMAIN = Domain(
    name="dmpconnect",
    title=Text("DmpConnect-JS", "DmpConnect-JS"),
    prefix="dmpconnect",
    steps=("bifente.conformance.domains.dmpconnect.steps",),
    services={"dmpconnect": "bifente.conformance.domains.dmpconnect.serving:start"},
)
