"""The descriptor of the domain."""

from bifente.conformance.domain import Domain
from bifente.ground.text import Text

DOMAIN = Domain(
    name="pki",
    title=Text("IGC-Santé et TLS avec la carte", "IGC-Santé and TLS with the card"),
    steps=(
        "bifente.conformance.domains.pki.steps.status",
        "bifente.conformance.domains.pki.steps.tls",
    ),
    services=dict.fromkeys(("pki", "ocsp"), "bifente.conformance.domains.pki.serving:start"),
    spots="bifente.conformance.domains.pki.spots:SPOTS",
)
