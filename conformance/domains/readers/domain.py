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
    orders={
        "insert": "insert-card",
        "remove": "remove-card",
        "swap": "swap-cards",
        "put": "put-card",
        "inject": "inject-fault",
        "clear": "clear-faults",
        "clock": "advance-clock",
        "unplug": "unplug-reader",
        "plug": "plug-reader",
        "stop-service": "stop-service",
        "start-service": "start-service",
        "type": "type-on-pin-pad",
    },
    spots="bifente.conformance.domains.readers.spots:SPOTS",
)
