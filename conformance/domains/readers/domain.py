"""The descriptor of the domain."""

from bifente.conformance.domain import Domain
from bifente.ground.text import Text

DOMAIN = Domain(
    name="readers",
    title=Text("Lecteurs et fentes", "Readers and slots"),
    steps=(
        "bifente.conformance.domains.readers.steps.hand",
        "bifente.conformance.domains.readers.steps.readers",
        "bifente.conformance.domains.readers.steps.sharing",
        "bifente.conformance.domains.readers.steps.pin_pad",
        "bifente.conformance.domains.readers.steps.faults",
    ),
    spots="bifente.conformance.domains.readers.spots:SPOTS",
)
