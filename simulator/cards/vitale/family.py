"""What the descriptors of both Vitale share."""

from __future__ import annotations

from collections.abc import Mapping

from bifente.ground.extensions import Reference
from bifente.ground.text import Text
from bifente.simulator.cards.family import CardFamily, TemplateFolder

_HERE = __package__
POWERED = {"powered": Text("sous tension", "powered")}


def vitale_family(
    name: str,
    title: Text,
    package: str,
    taken_for: str,
    prefixes: tuple[str, ...],
    state: Mapping[str, Text],
    host: str | None = None,
    templates: TemplateFolder | None = None,
) -> CardFamily:
    """Return the descriptor of a family of Vitale; ``host`` is the class in its module ``host``, if it has one."""
    return CardFamily(
        name=name,
        title=title,
        package=package,
        template=Reference(f"{_HERE}.template:VitaleTemplate"),
        parse=Reference(f"{_HERE}.loading:parse_vitale"),
        override=Reference(f"{_HERE}.loading:with_overrides"),
        personalise=Reference(f"{_HERE}.personalise:personalise_vitale"),
        card=Reference(f"{package}.facets:card"),
        state=state,
        state_kinds={"powered": "truth", "selected": "text", "authenticated-by": "text"},
        read_state=Reference(f"{package}.facets:state"),
        facts=Reference(f"{_HERE}.facets:facts"),
        describe=Reference(f"{_HERE}.describe:describe"),
        files=Reference(f"{package}.facets:files"),
        host=Reference(f"{package}.host:{host}") if host else None,
        holders=Reference(f"{_HERE}.facets:holders"),
        numbers=Reference(f"{_HERE}.facets:numbers"),
        templates=templates,
        short_type="VITA",
        taken_for=taken_for,
        prefixes=prefixes,
    )
