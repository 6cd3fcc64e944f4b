"""The host of each card family."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.cards.layout import Layout
from simulator.hosts.base import CardHost
from simulator.hosts.cps3 import Cps3Host
from simulator.hosts.cps4 import Cps4Host
from simulator.hosts.dialogue import Dialogue

HOSTS: Mapping[str, type[CardHost]] = {"cps3": Cps3Host, "cps4": Cps4Host}
"""By the name of the family."""


def host_for(dialogue: Dialogue, layout: Layout) -> CardHost:
    """A middleware's way with a card of this layout."""
    return HOSTS[layout.family](dialogue, layout)
