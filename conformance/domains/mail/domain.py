"""The descriptor of the domain."""

from bifente.conformance.domain import Domain
from bifente.ground.text import Text

DOMAIN = Domain(
    name="mail",
    title=Text("Messagerie sécurisée", "Secure mail"),
    services={"mssante": "bifente.conformance.domains.mail.serving:start"},
    prefix="mail-",
    steps=("bifente.conformance.domains.mail.steps",),
)
