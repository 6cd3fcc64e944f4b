"""The shell line that runs one scenario again as it ran here."""

from __future__ import annotations

import shlex
from collections.abc import Sequence


def reproduce_line(command: Sequence[str], scenario: str) -> str:
    """``bifente run ... --select ID`` from the command of the whole run."""
    return shlex.join([*command, "--select", scenario])
