"""The descriptor of the domain."""

from bifente.conformance.domain import Domain
from bifente.ground.text import Text

DOMAIN = Domain(
    name="card",
    title=Text("Carte du professionnel", "The professional's card"),
    steps=(
        "bifente.conformance.domains.card.steps.selection",
        "bifente.conformance.domains.card.steps.codes",
        "bifente.conformance.domains.card.steps.files",
        "bifente.conformance.domains.card.steps.keys",
        "bifente.conformance.domains.card.steps.raw",
        "bifente.conformance.domains.card.steps.certificates",
    ),
    state={
        "powered": Text("sous tension", "powered"),
        "pin-tries": Text("essais restants du code porteur", "tries left of the holder code"),
        "pin-verified": Text("code porteur présenté", "holder code presented"),
        "puk-tries": Text("essais restants du code de déblocage", "tries left of the unblocking code"),
        "puk-uses": Text("déblocages restants", "uses left of the unblocking code"),
        "puk-verified": Text("code de déblocage présenté", "unblocking code presented"),
        "hash": Text("empreinte en attente de signature", "hash that waits for a signature"),
        "selected": Text("dossier ou application courante", "current folder or application"),
    },
)
