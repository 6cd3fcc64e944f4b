"""What an examination of a configuration file found: the place, the code it would cause, and the cure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bifente.ground.text import Text


class Severity(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    """The middleware refuses the file, or the cards cannot be reached with it."""
    WARNING = "warning"
    """The file is taken, and something will not work as its author meant."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake. ``line`` counts from 1, 0 for the file as a whole; ``code`` is None where no code is documented."""

    line: int
    message: Text
    cure: Text
    code: int | None = None
    severity: Severity = Severity.ERROR
