"""A domain: one field of rules as a slice, described by one object that is found through an entry point.

A package names its domains in the entry point group ``bifente.domains``, an editor's own like ours. The descriptor says
where things are rather than what they are: modules are imported when they are first needed, so that a command which
answers from data waits for no bench.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from bifente.ground.text import Text

GROUP = "bifente.domains"
"""The entry point group. The name of an entry is the domain's own; its value leads to a ``Domain``."""


class DomainError(Exception):
    """A domain that cannot be used. One sentence: the domain, what is wrong, and the cure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """What a field of rules brings to the bench. References are written ``package.module:name``.

    ``steps`` are modules whose steps scenarios may use. ``state`` gives the keys of a card's inner state that the
    domain's cards answer for, each with a sentence. ``sections`` are models of what may stand under ``bench`` in a
    suite, ``profile_sections`` of what may stand in a reader profile, by their keys. ``features`` are what a reader may
    offer beyond those that every bench knows, each with why a scenario does not apply without it; a profile offers the
    feature whose name is that of a section it has. ``attachments`` are functions that are given each virtual bench and
    give what the domain adds to it, or None. ``writers`` are forms of report, by name.
    """

    name: str
    title: Text
    steps: tuple[str, ...] = ()
    state: Mapping[str, Text] = field(default_factory=dict)
    sections: Mapping[str, str] = field(default_factory=dict)
    profile_sections: Mapping[str, str] = field(default_factory=dict)
    features: Mapping[str, Text] = field(default_factory=dict)
    attachments: tuple[str, ...] = ()
    writers: Mapping[str, str] = field(default_factory=dict)


@cache
def domains() -> tuple[Domain, ...]:
    """Return every domain that is installed, by name. Raise DomainError for one that cannot be used."""
    found = tuple(_loaded(entry) for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name))
    names = [domain.name for domain in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise DomainError(f"two installed packages bring a domain {twice!r}: remove one")
    return found


def _loaded(entry: EntryPoint) -> Domain:
    try:
        domain = entry.load()
    except Exception as error:
        # Whatever a package of somebody else's does when it is imported.
        raise DomainError(f"the domain {entry.name!r} ({entry.value}) cannot be imported: {error}") from error
    if not isinstance(domain, Domain):
        raise DomainError(f"the domain {entry.name!r}: {entry.value} is no bifente.conformance.domain.Domain")
    if domain.name != entry.name:
        raise DomainError(f"the domain {entry.name!r} calls itself {domain.name!r}: give both one name")
    return domain


def referred(domain: Domain, reference: str) -> Any:
    """Return what ``package.module:name`` leads to; a module if it has no name. Raise DomainError."""
    module, _colon, name = reference.partition(":")
    try:
        found = import_module(module)
        return getattr(found, name) if name else found
    except (ImportError, AttributeError) as error:
        raise DomainError(f"the domain {domain.name!r}: {reference} cannot be imported: {error}") from error
