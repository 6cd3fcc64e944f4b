"""What is attached to a bench: a wireless terminal around its slots, a PKCS#11 module in front of its cards.

An attachment lives as long as its bench. It adds facets, may hide some, and is told what happens.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

from bifente.conformance.model import CardChoice, ModuleAbility
from bifente.conformance.targets.facets import Facet, Facets
from bifente.ground.text import Text

if TYPE_CHECKING:
    from bifente.conformance.bench.scene import Scene


class Attachment:
    """Does nothing of itself: subclasses do what concerns them."""

    hides: ClassVar[frozenset[type[Facet]]] = frozenset()
    """What can no longer be done where this is attached."""

    @property
    def facets(self) -> Facets:
        """What can be done through it."""
        return Facets()

    def rest(self) -> None:
        """The scenario is over: the cards are about to change."""

    def opened(self, scene: Scene) -> None:
        """A scene opens: what passes from now on is told to it, and what is secret declared, until the next one."""

    def begin(self, chance: random.Random) -> None:
        """A scenario begins; no card is seated yet. ``chance`` draws for it."""

    def seated(self, *, destructive: bool) -> None:
        """The cards of the scenario are in their slots."""

    def time_passed(self) -> None:
        """The clock of the bench was advanced."""

    def keep(self) -> None:
        """Do what its own software does by itself while a live bench stands: renew a session before its end."""

    def settle(self) -> None:
        """Wait until applications see what became of it: software that looks next must find its cards gone."""

    def picture(self) -> Mapping[str, str]:
        """Return how it stands, in words of the device, for ``reports.events.BenchChange``."""
        return {}

    def inapplicable(self, cards: Iterable[CardChoice], abilities: Iterable[ModuleAbility]) -> Text | None:
        """Return why a scenario with these cards does not apply to it, None if it does."""
        return None

    def close(self) -> None:
        """The bench is closed."""
