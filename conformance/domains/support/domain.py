"""The descriptor of the domain."""

from bifente.conformance.domain import Domain
from bifente.ground.text import Text

DOMAIN = Domain(
    name="support",
    title=Text("Support : le poste de travail", "Support: the workstation"),
    prefix="poste",
    steps=("bifente.conformance.domains.support.steps",),
)
