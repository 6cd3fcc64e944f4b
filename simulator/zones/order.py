"""The order of the groups in a zone, and how many of each (sources#zone-encoding, sources#zone-vitale)."""

from __future__ import annotations

from collections.abc import Sequence

from bifente.simulator.zones.catalogue import ORDERS, GroupPlace, called
from bifente.simulator.zones.codec import Group


class OrderError(ValueError):
    """A group that is missing, misplaced or too many; ``index`` is its rank in the zone, from 0."""

    def __init__(self, index: int, problem: str) -> None:
        self.index = index
        super().__init__(f"group at rank {index}: {problem}")


def check_order(groups: Sequence[Group], order: str = "vitale") -> None:
    """Check that the groups come as ``ORDERS[order]`` says. Raises OrderError at the first that does not."""
    places = ORDERS[order]
    end = _walk([group.id for group in groups], 0, places)
    if end < len(groups):
        raise OrderError(
            end, f"{called(groups[end].id)} is misplaced or one too many; the order is {_in_words(places)}"
        )


def _walk(ids: Sequence[int], index: int, places: Sequence[GroupPlace]) -> int:
    for place in places:
        count = 0
        while index < len(ids) and ids[index] == place.group and (place.max is None or count < place.max):
            index = _walk(ids, index + 1, place.then)
            count += 1
        if count < place.min:
            raise OrderError(index, f"{called(place.group)} was expected here")
    return index


def _in_words(places: Sequence[GroupPlace]) -> str:
    return ", ".join(_place_in_words(place) for place in places)


def _place_in_words(place: GroupPlace) -> str:
    inside = f"{place.group} {_in_words(place.then)}" if place.then else str(place.group)
    if place.max == 1:
        return inside if place.min else f"[{inside}]"
    return f"{{{inside}}}"
