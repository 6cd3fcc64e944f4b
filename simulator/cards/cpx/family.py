"""What the descriptors of both families of professional's card share."""

from __future__ import annotations

from bifente.ground.extensions import Reference
from bifente.ground.text import Text
from bifente.simulator.cards.family import CardFamily, TemplateFolder

_HERE = __package__
STATE = {
    "powered": Text("sous tension", "powered"),
    "pin-tries": Text("essais restants du code porteur", "tries left of the holder code"),
    "pin-verified": Text("code porteur présenté", "holder code presented"),
    "puk-tries": Text("essais restants du code de déblocage", "tries left of the unblocking code"),
    "puk-uses": Text("déblocages restants", "uses left of the unblocking code"),
    "puk-verified": Text("code de déblocage présenté", "unblocking code presented"),
    "hash": Text("empreinte en attente de signature", "hash that waits for a signature"),
    "selected": Text("dossier ou application courante", "current folder or application"),
}
"""The keys of the inner state of a professional's card."""
_KINDS: dict[str, str | tuple[str, ...]] = {
    **dict.fromkeys(("powered", "pin-verified", "puk-verified"), "truth"),
    **dict.fromkeys(("pin-tries", "puk-tries", "puk-uses"), "number"),
    "hash": ("none", "sha1", "sha256"),
    "selected": "text",
}


def cpx_family(
    name: str, title: Text, package: str, host: str, prefixes: tuple[str, ...], templates: TemplateFolder | None = None
) -> CardFamily:
    """Return the descriptor of a family of professional's cards; ``host`` is the class in its module ``host``."""
    return CardFamily(
        name=name,
        title=title,
        package=package,
        template=Reference(f"{_HERE}.template:Template"),
        parse=Reference(f"{_HERE}.loading:parse_template"),
        override=Reference(f"{_HERE}.loading:with_overrides"),
        personalise=Reference(f"{_HERE}.personalise:personalise"),
        card=Reference(f"{package}.engine:card"),
        state=STATE,
        state_kinds=_KINDS,
        read_state=Reference(f"{_HERE}.facets:state"),
        facts=Reference(f"{_HERE}.facets:facts"),
        describe=Reference(f"{_HERE}.describe:describe"),
        files=Reference(f"{_HERE}.facets:files"),
        host=Reference(f"{package}.host:{host}"),
        secrets=Reference(f"{_HERE}.facets:secrets"),
        holders=Reference(f"{_HERE}.facets:holders"),
        templates=templates,
        type_at=("card", "type"),
        taken_for="cps",
        prefixes=prefixes,
    )
