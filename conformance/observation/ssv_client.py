"""One program that calls the SSV functions: what it is answered, and what is told of its calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bifente.conformance.observation.ssv_functions import FUNCTIONS, SsvProgram, answered
from bifente.ground.clock import Clock
from bifente.reports.events import Call
from bifente.simulator.middleware.full_pcsc import FullPcsc
from bifente.simulator.readers import ReaderAccess


class SsvClient:
    """A library of its own, and the calls to it, told as they return."""

    def __init__(self, access: ReaderAccess, clock: Clock, pid: int, told: Callable[[Call], None]) -> None:
        self._program, self._pid, self._told = SsvProgram(FullPcsc(access, clock), clock), pid, told

    def answer(self, parts: Sequence[bytes]) -> tuple[int, tuple[bytes, ...]]:
        """Return the code and the zones of one call: a name, then its arguments."""
        name, *given = parts
        function = name.decode("latin-1")
        code, zones = answered(self._program, function, given)
        if function in FUNCTIONS:
            arguments = _shown(function, given)
            self._told(Call(function=function, client=str(self._pid), arguments=arguments, result=f"{code:04X}"))
        return code, zones

    def end(self) -> None:
        """End what the program left open."""
        self._program.formatting.end()


def _shown(function: str, given: Sequence[bytes]) -> dict[str, str]:
    """What the record tells of the arguments: the first two texts, of which none is a code, and how large zones are."""
    count = FUNCTIONS[function].texts
    texts = [text.decode("latin-1") for text in given[: min(count, 2)]]
    shown = dict(zip(("first", "second"), texts, strict=False))
    if zones := given[count:]:
        shown["zones"] = f"{len(zones)}, {sum(map(len, zones))} bytes"
    return shown
