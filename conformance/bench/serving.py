"""Services that ``bifente serve`` starts: what each is given, and what it tells whoever sets a software up for it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from bifente.conformance.bench.scene import Scene
from bifente.conformance.domain import Domain, DomainError, domains, referred
from bifente.ground.clock import Clock
from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.serving.recording import Hear
from bifente.simulator.serving.service import Declare, Service

S = TypeVar("S", bound=BaseModel)
P = TypeVar("P")

PORTS = 10
"""The ports that are each service's own where the first of all is given."""


@dataclass(frozen=True, slots=True)
class ServingBench:
    """What a service is started with. ``folder`` is where it may write files for the software (CA, certificates).

    ``stack`` closes what it opened. ``port`` is the first of the ports it may take, ``PORTS`` in all, 0 for any free
    ones. ``said`` are what a file says to domains, as under ``bench`` in a suite.
    """

    clock: Clock
    keys: KeySource
    pki: Pki
    chance: random.Random
    folder: Path
    stack: ExitStack
    declare: Declare
    hear: Hear
    port: int = 0
    said: tuple[BaseModel, ...] = ()
    scene: Scene | None = None
    """The workstation beside which it stands, if there is one: a local service reads its cards."""
    beside: dict[str, ServedService] = field(default_factory=dict)
    """What is served with it, by name, as far as it stands."""
    afterwards: list[Callable[[], None]] = field(default_factory=list)
    """What is done once all stand: by those that stand on others, whatever the order."""
    _shared: dict[type, Any] = field(default_factory=dict)

    def shared(self, kind: type[P], make: Callable[[], P]) -> P:
        """Return what the services of one command hold in common, made by the first that asks."""
        if kind not in self._shared:
            self._shared[kind] = make()
        found: P = self._shared[kind]
        return found

    def section(self, kind: type[S]) -> S | None:
        """Return what the file says by a domain's own model, None if nothing."""
        return next((one for one in self.said if isinstance(one, kind)), None)


@dataclass(frozen=True, slots=True)
class ServedService:
    """What is told of a service that answers. ``settings`` are what a software is configured with, in their order.

    ``services`` are those that faults may strike. ``ended`` gives the lines to be told when it stops: what is to be
    said of the software that called.
    """

    settings: Mapping[str, str]
    services: tuple[Service, ...] = ()
    ended: Callable[[], list[str]] = field(default=list)


StartService = Callable[[ServingBench], ServedService]
"""Starts a service. Raises ServingError."""


def services() -> Mapping[str, Callable[[], StartService]]:
    """Return what leads to each service that domains bring, by name. Raise DomainError."""
    return {
        name: partial(_starter, domain, reference)
        for domain in domains()
        for name, reference in domain.services.items()
    }


def _starter(domain: Domain, reference: str) -> StartService:
    """What a domain names, held to the contract: what somebody else's package gives may be anything."""
    start = referred(domain, reference)

    def started(bench: ServingBench) -> ServedService:
        try:
            signature(start).bind(bench)
        except (TypeError, ValueError):
            raise _no_service(domain, reference) from None
        served = start(bench)
        if not isinstance(served, ServedService):
            raise _no_service(domain, reference)
        return served

    return started


def _no_service(domain: Domain, reference: str) -> DomainError:
    cure = "a function of one ServingBench that returns a ServedService is expected"
    return DomainError(f"the domain {domain.name!r}: {reference} starts no service: {cure}")
