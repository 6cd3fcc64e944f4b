"""The GALSS and the apCV service that a fault strikes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.vitale.apcv import ApcvBench
from bifente.conformance.domains.vitale.workstation import SOFTWARE, Workstation
from bifente.simulator.middleware.galss import Application
from bifente.simulator.middleware.galss.faults import GalssSpot
from bifente.simulator.services.apcv import ApcvService


def _galss(act: Act) -> GalssSpot:
    workstation = act.scene.part(Workstation)
    resources = workstation.resources(SOFTWARE)
    server = workstation.galss
    own = resources if isinstance(resources, Application) else server.application(SOFTWARE)
    return GalssSpot(server, own)


SPOTS: Mapping[type, Callable[[Act], Any]] = {
    GalssSpot: _galss,
    ApcvService: lambda act: act.scene.part(ApcvBench).service,
}
