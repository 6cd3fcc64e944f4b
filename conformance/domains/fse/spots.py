"""The front end that a fault strikes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.fse.bench import FseBench
from bifente.simulator.services.frontal.frontal import Frontal

SPOTS: Mapping[type, Callable[[Act], Any]] = {Frontal: lambda act: act.scene.part(FseBench).front_end.frontal}
