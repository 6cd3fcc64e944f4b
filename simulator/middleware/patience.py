"""Trying again as the field does: how often, how long between two tries, and on whose clock the wait is spent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from bifente.ground.clock import Clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How many times something is tried, and the seconds between two tries."""

    tries: int
    pause: float


EXCLUSIVITY = Patience(10, 0.5)
"""For a card that another program holds (SV-PCSC-01)."""
TRANSMISSION = Patience(1 + 4, 0.0)
"""For a command that did not come through: tried again up to four times (sources#pcsc-codes, SV-ERR-09)."""


def insist(patience: Patience, clock: Clock, action: Callable[[], T], worth: Callable[[Exception], bool]) -> T:
    """The result of ``action``, tried again while its exception is ``worth`` it; the last exception is raised."""
    for _ in range(patience.tries - 1):
        try:
            return action()
        except Exception as error:
            if not worth(error):
                raise
        clock.wait(patience.pause)
    return action()
