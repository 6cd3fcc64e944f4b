"""The provider that a fault strikes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.psc.part import PscBench
from bifente.simulator.services.psc.service import PscService

SPOTS: Mapping[type, Callable[[Act], Any]] = {PscService: lambda act: act.scene.part(PscBench).service}
