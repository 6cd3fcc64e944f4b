"""The groups of a care sheet: those of 3.6 that the zones know, and our own from 9000 on (``groups.yaml``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bifente.ground.shipped import shipped
from bifente.simulator.zones import GROUPS, GroupType

_FIRST_OF_OURS = 9000
_DATA: Mapping[str, Any] = shipped(__package__, "groups.yaml")
#: Our own groups by their number: they are in no real zone.
OURS: Mapping[int, GroupType] = {
    number: GroupType.model_validate(
        {**group, "id": number, "fidelity": "modelled", "source": _DATA["source"], "open": False}
    )
    for number, group in _DATA["groups"].items()
}
if any(number < _FIRST_OF_OURS or number in GROUPS for number in OURS):
    raise ValueError(f"groups.yaml: a group of ours has a number from {_FIRST_OF_OURS} that the zones do not know")

FORMAT_NAME: str = _DATA["format"]["name"]
FORMAT_VERSION: str = _DATA["format"]["version"]


def group_type(number: int) -> GroupType | None:
    """What a group of a care sheet holds; None if its number is unknown."""
    return OURS.get(number) or GROUPS.get(number)
