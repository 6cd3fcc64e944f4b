"""The descriptor of the domain."""

from bifente.conformance.domain import Domain
from bifente.ground.text import Text

DOMAIN = Domain(
    name="fse",
    title=Text("Feuilles de soins électroniques", "Electronic care sheets"),
    prefix="fse-",
    steps=(
        "bifente.conformance.domains.fse.steps.software",
        "bifente.conformance.domains.fse.steps.making",
        "bifente.conformance.domains.fse.steps.securing",
        "bifente.conformance.domains.fse.steps.sending",
        "bifente.conformance.domains.fse.steps.answers",
        "bifente.conformance.domains.fse.steps.desk",
    ),
    spots="bifente.conformance.domains.fse.spots:SPOTS",
)
