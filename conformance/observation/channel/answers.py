"""What an order is answered, and how it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from bifente.ground.text import Text


class Refused(IntEnum):
    """Why an order was not carried out, as HTTP says it."""

    UNKNOWN = 404
    """There is no such order."""
    WRONG = 422
    """It is no order as it is written."""
    IMPOSSIBLE = 409
    """It cannot be done with this bench as it stands."""


class OrderRefusedError(Exception):
    """An order that is not carried out; the text says why, and ``cure`` what would help."""

    def __init__(self, refused: Refused, why: Text, cure: str = "") -> None:
        super().__init__(why.en)
        self.refused = refused
        self.why = why
        self.cure = cure

    def plain(self, order: str) -> dict[str, Any]:
        """Return what the client is told."""
        told = {"ok": False, "order": order, "error": {"fr": self.why.fr, "en": self.why.en}}
        return {**told, "cure": self.cure} if self.cure else told


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """What was done, in words, and what the order gives."""

    said: Text
    given: Mapping[str, Any] = field(default_factory=dict)

    def plain(self, order: str) -> dict[str, Any]:
        """Return what the client is told."""
        return {"ok": True, "order": order, "said": {"fr": self.said.fr, "en": self.said.en}, **self.given}
