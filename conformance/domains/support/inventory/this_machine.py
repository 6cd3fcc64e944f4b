"""The inventory of the machine it runs on: every fact of a workstation is told, or is said not to have been seen."""

from __future__ import annotations

import sys

from bifente.conformance.domains.support.inventory.cards import look_at_cards
from bifente.conformance.domains.support.inventory.collected import PosteInventory
from bifente.conformance.domains.support.inventory.components import look_at_components
from bifente.conformance.domains.support.inventory.holders import look_at_holders
from bifente.conformance.domains.support.inventory.machine import Machine
from bifente.conformance.domains.support.inventory.system import look_at_system
from bifente.conformance.loading import InputError
from bifente.simulator.workstation import poste_facts

_BY_GROUP = {
    "software": "à demander à l'utilisateur",
    "browser": "ne se voit pas d'un programme",
    "cards": "rien n'est présenté à une carte",
    "services": "le service distant n'est pas interrogé",
}
_OTHERWISE = "ne se regarde pas d'ici"


def inventory(machine: Machine | None = None) -> PosteInventory:
    """Return the inventory of a Linux machine. Raise InputError on another system."""
    if machine is None and sys.platform != "linux":
        raise InputError.at(
            "--this-machine", "only Linux is looked at from here", cure="bifente inventory --script windows (or macos)"
        )
    machine = machine or Machine()
    found = PosteInventory("ce-poste")
    for look in (look_at_system, look_at_components, look_at_cards, look_at_holders):
        look(machine, found)
    for key, fact in poste_facts().items():
        if key not in found.facts:
            found.unseen.setdefault(key, _BY_GROUP.get(fact.group, _OTHERWISE))
    return found
