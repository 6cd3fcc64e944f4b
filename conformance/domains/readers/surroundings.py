"""What there is around a fault on a bench: the spots of every domain, by type."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from bifente.conformance.bench.scene import Act
from bifente.conformance.bench.serving import services
from bifente.conformance.domain import domains, referred
from bifente.simulator.fault import MissingPartError
from bifente.simulator.serving.service import Service

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The parts that the domains of this bench offer to injectors (see ``bifente.simulator.fault.Around``)."""

    act: Act

    def part(self, kind: type[T]) -> T:
        """Return the part of that type. Raise MissingPartError if no domain offers it, or if this bench has none."""
        for one in self.act.scene.served:
            if isinstance(one, kind):
                return one
        if self.act.scene.live and issubclass(kind, Service) and kind.name in services():
            raise MissingPartError(f"the service {kind.name}, which is not served (--services {kind.name})")
        offered = _offered(kind)
        found = offered(self.act) if offered is not None else None
        if not isinstance(found, kind):
            raise MissingPartError(f"a {kind.__name__}, which this bench has not")
        return found


def _offered(kind: type) -> Callable[[Act], Any] | None:
    """What gives a part of that type. Domains whose steps are in use are asked first: the rooms of others may wait."""
    for domain in sorted(domains(), key=lambda one: not any(step in sys.modules for step in one.steps)):
        spots: Mapping[type, Callable[[Act], Any]] = referred(domain, domain.spots) if domain.spots is not None else {}
        if kind in spots:
            return spots[kind]
    return None
