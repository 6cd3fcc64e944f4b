"""What a process that runs scenarios imports sooner or later, imported before it is forked.

Each worker would do it in its turn, on both cores at once; here it is done once, while the suites are still being read.
"""

from __future__ import annotations

import gc
import pkgutil
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module

from bifente.conformance.domain import domains, referred
from bifente.conformance.scenario.steps import steps

_OURS = "bifente."
_ROOMS = tuple(f"{_OURS}simulator.{room}" for room in ("cards", "middleware", "services", "software", "workstation"))
"""Packages whose modules are imported where they are first needed: of these every one."""
_LATE = ("anyio._backends._asyncio", "holidays.countries.france", "cryptography.hazmat.backends.openssl.backend")
"""What libraries import at the first request, at the first day that is counted."""


def _slices() -> Iterator[str]:
    """The packages of our domains: what somebody else's modules do when they are imported is not known."""
    for domain in domains():
        for reference in domain.steps:
            if reference.startswith(_OURS):
                yield reference.partition(".steps")[0]


def _inside(package: str) -> Iterator[str]:
    path = getattr(import_module(package), "__path__", ())
    yield from (module.name for module in pkgutil.walk_packages(path, f"{package}."))


# What is wrong with a domain is told where a suite is read, in words.
with suppress(Exception):
    list(steps())
    for domain in domains():
        if domain.spots is not None:
            referred(domain, domain.spots)
    for name in (*(module for package in (*_ROOMS, *_slices()) for module in _inside(package)), *_LATE):
        with suppress(Exception):
            import_module(name)

# It stays: no process that is forked looks for circles in it.
gc.freeze()
