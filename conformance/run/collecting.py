"""When Python looks for circles in what a run makes."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept() -> Iterator[None]:
    """While suites are read: what is made stays, and to look for circles in it takes a sixth of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


SELDOM = (20_000, 20, 20)
"""The collector's thresholds: what a scenario leaves goes with its last reference; what goes in circles may wait."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """While scenarios run."""
    before = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)
