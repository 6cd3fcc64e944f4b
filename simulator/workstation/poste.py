"""One workstation: its facts, what could not be looked at, and the files that lie on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from bifente.simulator.workstation.version import ComponentVersion
from bifente.simulator.workstation.vocabulary import ABSENT, FactKind, fact_named, poste_facts

_NONE: Mapping[str, str] = MappingProxyType({})
_NO_FILES: Mapping[str, bytes] = MappingProxyType({})


class PosteError(ValueError):
    """A fact that no workstation has, or a value that it cannot take. One sentence."""

    def __init__(self, key: str, why: str) -> None:
        self.key, self.why = key, why
        super().__init__(f"{key}: {why}")


@dataclass(frozen=True, slots=True)
class PosteDifference:
    """One fact that two workstations have otherwise."""

    key: str
    one: str
    other: str


@dataclass(frozen=True, slots=True)
class Poste:
    """A workstation and the services it meets, as facts by key. ``unseen`` are those that nobody could look at, each
    with why: they are neither right nor wrong. ``files`` are configuration files as they lie there, by name, ``slots``
    the PC/SC names that were seen, each with the card in it (``cps``, ``vitale``, or empty).

    Two of one content are equal; what changes one gives another.
    """

    facts: Mapping[str, str] = field(default_factory=dict)
    unseen: Mapping[str, str] = field(default_factory=lambda: _NONE)
    files: Mapping[str, bytes] = field(default_factory=lambda: _NO_FILES, repr=False)
    slots: Mapping[str, str] = field(default_factory=lambda: _NONE)
    name: str = field(default="poste", compare=False)

    def __post_init__(self) -> None:
        known = poste_facts()
        for key, value in self.facts.items():
            if key not in known:
                raise PosteError(key, "is no fact of a workstation")
            if (why := known[key].complaint(value)) is not None:
                raise PosteError(key, why)
        for key in self.unseen:
            if key not in known:
                raise PosteError(key, "is no fact of a workstation")

    def __hash__(self) -> int:
        """By the facts: two that are equal have the same."""
        return hash(frozenset(self.facts.items()))

    def get(self, key: str) -> str:
        """Return the value of a fact: as it is told, else its default. Raise KeyError for no fact."""
        told = self.facts.get(key)
        return fact_named(key).default if told is None else told

    def told(self, key: str) -> bool:
        """Whether a fact was looked at."""
        return key in self.facts and key not in self.unseen

    def version(self, key: str) -> ComponentVersion | None:
        """Return the version of a component; None if it is absent."""
        value = self.get(key)
        return None if value == ABSENT else ComponentVersion(value)

    def changed(self, changes: Mapping[str, str], name: str | None = None) -> Poste:
        """Return the same with other facts. Raise PosteError."""
        unseen = {key: why for key, why in self.unseen.items() if key not in changes}
        return replace(self, facts={**self.facts, **changes}, unseen=unseen, name=name or self.name)

    def differences(self, other: Poste) -> tuple[PosteDifference, ...]:
        """Return every fact that the other has otherwise, in the order of the vocabulary; versions as versions."""
        found = []
        for key, fact in poste_facts().items():
            one, two = self.get(key), other.get(key)
            versions = fact.kind in (FactKind.VERSION, FactKind.COMPONENT) and ABSENT not in (one, two)
            if (ComponentVersion(one) != ComponentVersion(two)) if versions else one != two:
                found.append(PosteDifference(key, one, two))
        return tuple(found)
