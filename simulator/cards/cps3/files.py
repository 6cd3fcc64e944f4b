"""What only a CPS3 has beside the directories every family has: EF.DIR, EF.ATR, EF_ACTUA and its CPS2ter part."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bifente.simulator.cards.cpx import elementary
from bifente.simulator.cards.cpx.description import description
from bifente.simulator.cards.cpx.elementary import ApplicationTemplate
from bifente.simulator.cards.cpx.material import Material, cps2ter_activities
from bifente.simulator.cards.cpx.template import Lifecycle
from bifente.simulator.cards.layout import Layout
from bifente.simulator.iso7816 import tlv

KEYS = description("cps3").keys
_UPDATE_LASTS = timedelta(minutes=5)


def files(material: Material) -> dict[str, bytes]:
    """The bytes of these files, by their names in the layout."""
    layout = material.layout
    contents = {
        "EF.DIR": application_directory(layout),
        "EF.ATR": elementary.answer_file(layout.aids["root"]),
        # Clients look for a CPS2ter twin of each activity (CARD-CPS3-32); what a real one holds is unknown: modelled.
        **cps2ter_activities(material),
    }
    update = _update(material.template.lifecycle, material.updated)
    return contents if update is None else {**contents, "EF_ACTUA": update}


def application_directory(layout: Layout) -> bytes:
    """EF.DIR: the contactless application first, or OpenSC binds to the wrong one; both described by the contact one
    (CARD-CPS3-09).
    """
    contact, contactless = layout.aids["cpx-ias"], layout.aids["cpx-ias-cl"]
    described = tlv.encode(0x4F, contact)
    return elementary.directory(
        [
            ApplicationTemplate(contactless, "CPX IAS CL", layout.path("ADF.CPX-IAS-CL"), described),
            ApplicationTemplate(contact, "CPX IAS", layout.path("ADF.CPX-IAS"), described),
        ]
    )


def _update(state: Lifecycle, start: datetime) -> bytes | None:
    """EF_ACTUA, which only a card that went through an update has (CARD-CPS3-13)."""
    contents: Mapping[Lifecycle, bytes] = {
        Lifecycle.UPDATED: elementary.update_times(start, start + _UPDATE_LASTS),
        Lifecycle.DAMAGED_UPDATE: elementary.DAMAGED_UPDATE,
        Lifecycle.EMPTY_UPDATE: elementary.EMPTY_UPDATE,
    }
    return contents.get(state)
