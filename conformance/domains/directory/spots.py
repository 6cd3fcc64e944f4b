"""The directory that a fault strikes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.directory.part import DirectoryOfScene
from bifente.simulator.services.directory import DirectoryService

SPOTS: Mapping[type, Callable[[Act], Any]] = {DirectoryService: lambda act: act.scene.part(DirectoryOfScene).service}
