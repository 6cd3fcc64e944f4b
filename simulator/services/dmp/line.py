"""The line to the DMP as something that a fault can change: whoever holds it says what it is made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any


class DmpLine(ABC):
    """A line whose ``latency`` (seconds), ``mbps`` and ``down`` can be set."""

    @abstractmethod
    def shape(self) -> Mapping[str, Any]:
        """Return how it is now."""

    @abstractmethod
    def set_shape(self, shape: Mapping[str, Any]) -> None:
        """Make it so."""
