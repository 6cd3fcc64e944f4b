"""Every step that the installed domains bring."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from bifente.conformance.domain import domains, referred
from bifente.conformance.scenario.step import STEPS, Step


@cache
def steps() -> Mapping[str, type[Step]]:
    """Return every step by the name used in YAML. Raise DomainError."""
    for domain in domains():
        for module in domain.steps:
            referred(domain, module)
    return MappingProxyType(STEPS)
