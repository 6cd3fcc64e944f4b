"""The descriptor of the domain."""

from bifente.conformance.domain import Domain
from bifente.ground.text import Text

DOMAIN = Domain(
    name="wireless",
    title=Text("Terminal sans fil", "Wireless terminal"),
    steps=("bifente.conformance.domains.wireless.steps",),
    orders={
        "link": "link",
        "battery": "battery",
        "renew": "renew-token",
        "session": "open-session",
        "pair": "pair",
        "unpair": "unpair",
        "lose-code": "lose-code",
        "terminal-clock": "terminal-clock",
    },
    profile_sections={"wireless": "bifente.conformance.domains.wireless.profile:WirelessProfile"},
    features={"wireless": Text("le lecteur n'est pas sans fil", "the reader is not wireless")},
    attachments=("bifente.conformance.domains.wireless.attachment:attach",),
    spots="bifente.conformance.domains.wireless.spots:SPOTS",
)
