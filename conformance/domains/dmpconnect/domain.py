"""The descriptor of the domain."""

from bifente.conformance.domain import Domain
from bifente.ground.text import Text

DOMAIN = Domain(
    name="dmpconnect",
    title=Text("DmpConnect-JS", "DmpConnect-JS"),
    prefix="dmpconnect",
    steps=("bifente.conformance.domains.dmpconnect.steps",),
    sections={"dmpconnect": "bifente.conformance.domains.dmpconnect.section:DmpConnectSection"},
    services={"dmpconnect": "bifente.conformance.domains.dmpconnect.serving:start"},
)
