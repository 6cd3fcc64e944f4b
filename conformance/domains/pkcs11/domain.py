"""The descriptor of the domain."""

from bifente.conformance.domain import Domain
from bifente.ground.text import Text

DOMAIN = Domain(
    name="pkcs11",
    title=Text("Module PKCS#11", "PKCS#11 module"),
    prefix="p11-",
    steps=(
        "bifente.conformance.domains.pkcs11.steps.session",
        "bifente.conformance.domains.pkcs11.steps.keys",
        "bifente.conformance.domains.pkcs11.steps.objects",
    ),
)
