"""The host of each card family."""

from __future__ import annotations

from collections.abc import Mapping

from bifente.simulator.cards.layout import Layout
from bifente.simulator.hosts.base import CardHost, NotOnThisCardError
from bifente.simulator.hosts.cps3 import Cps3Host
from bifente.simulator.hosts.cps4 import Cps4Host
from bifente.simulator.hosts.dialogue import Dialogue
from bifente.simulator.hosts.vitale import VitaleHost

HOSTS: Mapping[str, type[CardHost]] = {"cps3": Cps3Host, "cps4": Cps4Host, "vitale2": VitaleHost}
"""By the name of the family."""


def host_for(dialogue: Dialogue, layout: Layout) -> CardHost:
    """A middleware's way with a card of this layout. Raises NotOnThisCardError for one that has no such commands."""
    host = HOSTS.get(layout.family)
    if host is None:
        raise NotOnThisCardError(layout.family, "n'a pas de commandes ISO 7816-4", "has no ISO 7816-4 commands")
    return host(dialogue, layout)
