"""The cards of a workstation put into its reader."""

from __future__ import annotations

import random
from datetime import date

from bifente.conformance.bench.base import Bench
from bifente.conformance.model import CardChoice
from bifente.simulator.workstation import ABSENT, Poste

ROLES = ("cps", "vitale")


def seat(bench: Bench, poste: Poste, chance: random.Random, day: date | None) -> None:
    """Seat the cards that the facts name, each in its own slot. Raise InputError for an unknown template."""
    named = {role: poste.get(role) for role in ROLES if role in bench.names}
    cards = {role: choice(poste, role) for role, name in named.items() if name != ABSENT}
    bench.seat(cards, chance, destructive=True, day=day)


def choice(poste: Poste, role: str, **parameters: str) -> CardChoice:
    """Return the card that a workstation has in a slot, with parameters of its template given anew."""
    family = {"family": poste.get("cps-family")} if role == "cps" else {}
    return CardChoice.model_validate({"template": poste.get(role), **family, **parameters})
