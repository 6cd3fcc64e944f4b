"""The register of card families: every one that is installed, by name."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bifente.ground.extensions import installed
from bifente.ground.text import Text
from bifente.simulator.cards.family import CardFamily

if TYPE_CHECKING:
    from bifente.simulator.cards.dialogue import Dialogue
    from bifente.simulator.cards.family import FamilyImage
    from bifente.simulator.cards.host import CardHost
    from bifente.simulator.cards.layout import Layout
    from bifente.simulator.iso7816.card import Card
    from bifente.simulator.iso7816.memory import MemoryStore

GROUP = "bifente.card_families"
"""The entry point group. The name of an entry is the family's own; its value leads to a ``CardFamily``."""
UNNAMED = "cps3"
"""Whose parser reads a template that names no family that is known, and says so."""


@cache
def families() -> Mapping[str, CardFamily]:
    """Return every family that is installed, by name. Raise ExtensionError for one that cannot be used."""
    return MappingProxyType({family.name: family for family in installed(GROUP, CardFamily, "card family")})


def family_named(name: str) -> CardFamily:
    """Return a family. Raise ValueError for an unknown one."""
    known = families()
    if name not in known:
        raise ValueError(f"no card family is named {name}; known: {', '.join(known)}")
    return known[name]


def layout(name: str) -> Layout:
    """Return the layout of a family, read once. Raise ValueError for an unknown one."""
    return family_named(name).layout


def family_of(data: object, default: str | None = None) -> CardFamily:
    """Return the family whose template plain data are meant for: the one they name, else the default one."""
    named = data.get("family") if isinstance(data, Mapping) else None
    return families().get(str(named)) or families()[default or UNNAMED]


def state_keys() -> dict[str, Text]:
    """Return what can be looked up inside a virtual card, each key with a sentence."""
    return {key: words for family in families().values() for key, words in family.state.items()}


def state_kinds() -> dict[str, str | tuple[str, ...]]:
    """Return what each of those can be: ``number``, ``truth``, ``text``, or one of some words."""
    return {key: kind for family in families().values() for key, kind in family.state_kinds.items()}


def make_card(
    image: FamilyImage, *, memory: MemoryStore | None = None, random: Callable[[int], bytes] = secrets.token_bytes
) -> Any:
    """Give life to an image. Raise ValueError for an unknown family, else what its cards raise."""
    card: Card = family_named(image.family).card.get()(image, memory=memory, random=random)
    return card


def host_for(dialogue: Dialogue, layout: Layout) -> CardHost:
    """Return a middleware's way with a card of this layout. Raise NotOnThisCardError for one without such commands."""
    host = family_named(layout.family).host
    if host is None:
        from bifente.simulator.cards.host import NotOnThisCardError

        raise NotOnThisCardError(layout.family, "n'a pas de commandes ISO 7816-4", "has no ISO 7816-4 commands")
    return host.get()(dialogue, layout)
