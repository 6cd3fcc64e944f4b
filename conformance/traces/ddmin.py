"""Delta debugging: the smallest part of a sequence that still fails (Zeller and Hildebrandt, 2002)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


class TooManyRunsError(Exception):
    """The bound on runs was met; `smallest` is the smallest failing part found until then."""

    def __init__(self, smallest: Sequence[int]) -> None:
        super().__init__("too many runs")
        self.smallest = tuple(smallest)


def ddmin(items: Sequence[T], fails: Callable[[Sequence[T]], bool], *, most_runs: int = 2_000) -> list[T]:
    """Return a part of `items` that fails and of which no single item can be left out, order kept.

    `fails` is asked of the whole at first: a whole that does not fail is a ValueError. Raise TooManyRunsError.
    """
    known: dict[tuple[int, ...], bool] = {}

    def failing(part: Sequence[int]) -> bool:
        key = tuple(part)
        if key not in known:
            if len(known) >= most_runs:
                raise TooManyRunsError(current)
            known[key] = fails([items[index] for index in key])
        return known[key]

    current = list(range(len(items)))
    if not failing(current):
        raise ValueError("the whole does not fail")
    if failing([]):
        return []
    parts = 2
    while len(current) > 1:
        size = -(-len(current) // parts)
        starts = range(0, len(current), size)
        pieces = [current[at : at + size] for at in starts]
        rests = [current[:at] + current[at + size :] for at in starts]
        if (smaller := next((piece for piece in pieces if failing(piece)), None)) is not None:
            current, parts = smaller, 2
        elif (smaller := next((rest for rest in rests if len(pieces) > 2 and failing(rest)), None)) is not None:
            current, parts = smaller, max(len(pieces) - 1, 2)
        elif len(pieces) == len(current):
            break
        else:
            parts = min(len(current), 2 * len(pieces))
    return [items[index] for index in current]
