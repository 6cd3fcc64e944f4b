"""A service that gives identities: what others may ask of one that stands beside them, without knowing which it is."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol, runtime_checkable


@runtime_checkable
class GivesIdentities(Protocol):
    """``identities`` are the numbers it gave so far, without their keys."""

    identities: Collection[str]
