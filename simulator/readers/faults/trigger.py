"""When a fault strikes: at the nth command, on one instruction, some times or always, by chance or not."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

_INS = 1
_CERTAIN = 100


@dataclass(frozen=True, slots=True)
class When:
    """The commands that a fault strikes.

    ``command`` counts from 1 the commands that bear ``instruction`` (the INS byte; None for any), since the injection.
    ``times`` is how many commands are struck from there on, None for all. ``percent`` is the chance of each of them.
    """

    command: int = 1
    instruction: int | None = None
    times: int | None = 1
    percent: int = _CERTAIN

    def __post_init__(self) -> None:
        if self.command < 1:
            raise ValueError(f"commands are counted from 1, not {self.command}")
        if self.instruction is not None and not 0 <= self.instruction <= 0xFF:
            raise ValueError(f"an instruction is one byte, not {self.instruction:#x}")
        if self.times is not None and self.times < 1:
            raise ValueError(f"a fault strikes at least once, not {self.times} times")
        if not 1 <= self.percent <= _CERTAIN:
            raise ValueError(f"a chance goes from 1 to {_CERTAIN} percent, not {self.percent}")


@dataclass(slots=True)
class Trigger:
    """Counts the commands of one injection. The same ``chance`` gives the same strikes."""

    when: When
    chance: random.Random
    seen: int = field(default=0, init=False)
    struck: int = field(default=0, init=False)

    def strikes(self, command: bytes) -> bool:
        """Whether this command, the next to come, is struck."""
        when = self.when
        if when.instruction is not None and (len(command) <= _INS or command[_INS] != when.instruction):
            return False
        self.seen += 1
        if self.seen < when.command or (when.times is not None and self.struck >= when.times):
            return False
        if when.percent < _CERTAIN and self.chance.randrange(_CERTAIN) >= when.percent:
            return False
        self.struck += 1
        return True
