"""What a fault of the DMP strikes: the service, or the line to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.dmp.bench import DmpBench
from bifente.simulator.fault import MissingPartError
from bifente.simulator.services.dmp.line import DmpLine
from bifente.simulator.services.dmp.service import DmpService


class _SceneLine(DmpLine):
    """The line of the user who is at work."""

    def __init__(self, bench: DmpBench) -> None:
        if bench.line is None:
            raise MissingPartError("a line to the DMP: connect first")
        self._line = bench.line

    def shape(self) -> Mapping[str, Any]:
        """Return how it is now."""
        return {"latency": self._line.latency, "mbps": self._line.mbps, "down": self._line.down}

    def set_shape(self, shape: Mapping[str, Any]) -> None:
        """Make it so."""
        self._line.latency = float(shape.get("latency", 0.0))
        self._line.mbps = float(shape["mbps"]) if shape.get("mbps") else None
        self._line.down = str(shape.get("down", False)).lower() == "true"


SPOTS: Mapping[type, Callable[[Act], Any]] = {
    DmpService: lambda act: act.scene.part(DmpBench).service,
    DmpLine: lambda act: _SceneLine(act.scene.part(DmpBench)),
}
