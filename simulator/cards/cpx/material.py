"""What a family's own files are made of: all that is known of a card once its common files are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bifente.simulator.cards.cpx.business import Activity
from bifente.simulator.cards.cpx.template import Template
from bifente.simulator.cards.layout import Layout


@dataclass(frozen=True, slots=True)
class Material:
    """One card in the making. ``contents`` are the files written so far; ``updated`` when an update would begin."""

    template: Template
    layout: Layout
    contents: Mapping[str, bytes]
    updated: datetime


def cps2ter_activities(material: Material) -> dict[str, bytes]:
    """The CPS2TER twin of every activity: the same bytes (modelled)."""
    return {
        f"CPS2TER_ACTIVITY_{item.number:02}_PS": material.contents[Activity.NAME.format(item.number)]
        for item in material.template.activities
    }
