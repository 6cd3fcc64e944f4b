"""The directory of one scenario: the holders of its cards, and a crowd of others."""

from __future__ import annotations

import httpx

from bifente.conformance.bench.scene import Scene
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.services.directory import DirectoryService, Register, entry_of
from bifente.simulator.services.directory.entries import crowd
from bifente.simulator.serving.calling import in_process
from bifente.simulator.serving.recording import recorded

CROWD = 120
"""Persons without a card: more than two pages."""


class DirectoryOfScene:
    """The service, and what calls it."""

    def __init__(self, service: DirectoryService, caller: httpx.Client) -> None:
        self.service = service
        self.caller = caller

    @classmethod
    def of(cls, scene: Scene) -> DirectoryOfScene:
        """Return the directory of a scene."""
        made = (card.made_as(PersonalisedCard) for card in scene.bench.seated.values())
        known = [entry_of(card) for card in made if card is not None and card.template.holder.rpps]
        register = Register([*known, *crowd(CROWD)])
        service = DirectoryService(register, scene.bench.clock, scene.random, scene.declare)
        return cls(service, in_process(recorded(service, scene.bench.clock, scene.hear)))

    def close(self) -> None:
        """Call no more."""
        self.caller.close()
