"""Business data objects seen by scenarios: every decoded field becomes something that can be expected."""

from __future__ import annotations

from typing import Any

from bifente.conformance.scenario.step import kebab
from bifente.simulator.cards.cpx.business import OBJECTS, Billing, BillingSituation, BusinessError
from bifente.simulator.cards.cpx.business import decode as decode_object

FIELD_NAMES: tuple[str, ...] = tuple(
    sorted(
        {kebab(name) for model in (*OBJECTS.values(), BillingSituation) for name in model.model_fields} | {"decodable"}
    )
)
"""The fields of all objects, as ``expect`` writes them; ``decodable`` tells whether the bytes made sense at all."""


def decode(name: str, data: bytes) -> tuple[dict[str, Any], tuple[tuple[str, str], ...]]:
    """The fields of a file by name, and the rows a report shows; nothing for a file that is no business object.

    Billing situations give lists: one value per situation.
    """
    if name not in OBJECTS:
        return {}, ()
    try:
        found = decode_object(name, data)
    except BusinessError as error:
        return {"decodable": False}, (("decodable", f"false: {error}"),)
    fields = {kebab(key): getattr(found, key) for key in type(found).model_fields}
    if isinstance(found, Billing):
        for key in BillingSituation.model_fields:
            fields[kebab(key)] = [getattr(situation, key) for situation in found.situations]
    return {**fields, "decodable": True}, tuple(found.rows("fr"))
