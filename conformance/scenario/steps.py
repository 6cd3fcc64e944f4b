"""Every step that the installed domains bring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from bifente.conformance.domain import Domain, domains, referred
from bifente.conformance.scenario.step import STEPS, Step


@cache
def steps() -> Mapping[str, type[Step]]:
    """Return every step by the name used in YAML. Reading it raises DomainError for a domain that cannot be used."""
    return _StepsByName(domains())


class _StepsByName(Mapping[str, type[Step]]):
    """The steps of all domains. A domain is imported when a name is asked for that those imported so far do not have.

    Importing all of them takes a second, and most suites use the steps of one or two.
    """

    def __init__(self, installed: tuple[Domain, ...]) -> None:
        self._waiting = list(installed)

    def __getitem__(self, name: str) -> type[Step]:
        while name not in STEPS and self._waiting:
            self._import(min(self._waiting, key=lambda domain: _distance(domain, name)))
        return STEPS[name]

    def __iter__(self) -> Iterator[str]:
        while self._waiting:
            self._import(self._waiting[0])
        return iter(STEPS)

    def __len__(self) -> int:
        return sum(1 for _name in self)

    def _import(self, domain: Domain) -> None:
        for module in domain.steps:
            referred(domain, module)
        self._waiting.remove(domain)


def _distance(domain: Domain, name: str) -> tuple[bool, bool, bool, str]:
    """Order domains by where a step is likely to be found, and by what it costs to look: a service is heavy."""
    return (not name.startswith(domain.prefix), not domain.prefix, bool(domain.services), domain.name)
