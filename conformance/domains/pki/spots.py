"""The PKI that a fault strikes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.pki.part import PkiOfScene
from bifente.simulator.services.pki import PkiService

SPOTS: Mapping[type, Callable[[Act], Any]] = {PkiService: lambda act: act.scene.part(PkiOfScene).service}
