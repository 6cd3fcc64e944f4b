"""The teleservice that a fault strikes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.ins.bench import InsBench
from bifente.simulator.services.insi.service import Insi

SPOTS: Mapping[type, Callable[[Act], Any]] = {Insi: lambda act: act.scene.part(InsBench).service}
