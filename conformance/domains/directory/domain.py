"""The descriptor of the domain."""

from bifente.conformance.domain import Domain
from bifente.ground.text import Text

DOMAIN = Domain(
    name="directory",
    title=Text("Annuaire Santé", "Health directory"),
    prefix="directory-",
    steps=("bifente.conformance.domains.directory.steps",),
    services={"annuaire": "bifente.conformance.domains.directory.serving:start"},
    spots="bifente.conformance.domains.directory.spots:SPOTS",
)
