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
from typing import Any

from bifente.ground.extensions import ExtensionError, installed
from bifente.ground.text import Text

GROUP = "bifente.domains"
"""The entry point group. The name of an entry is the domain's own; its value leads to a ``Domain``."""


class DomainError(ExtensionError):
    """What a domain brings cannot be used. One sentence: the domain, what is wrong, and the cure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """What a field of rules brings to the bench. References are written ``package.module:name``.

    ``steps`` are modules whose steps scenarios may use; ``prefix`` is what the names of these steps begin with, if they
    do so: a suite without such a name does not wait for the modules. ``orders`` are those by which a hand acts on a
    live bench (the control channel), each under the name of its order. ``sections`` are models of what may stand under
    ``bench`` in a suite, ``profile_sections`` of what may stand in a reader profile, by their keys. ``features`` are
    what a reader may offer beyond those that every bench knows, each with why a scenario does not apply without it; a
    profile offers the feature whose name is that of a section it has. ``attachments`` are functions that are given each
    virtual bench and give what the domain adds to it, or None. ``writers`` lead to forms of report
    (``reports.render.Format``), by name. ``services`` lead to what ``bifente serve --services`` starts
    (``conformance.bench.serving.StartService``), by name. ``profiles`` are packages whose folder has reader profiles,
    ``readers/*.yaml``. ``spots`` leads to what injectors of faults may ask for: a mapping from its type to a function
    of the step's ``Act``.
    """

    name: str
    title: Text
    steps: tuple[str, ...] = ()
    prefix: str = ""
    orders: Mapping[str, str] = field(default_factory=dict)
    sections: Mapping[str, str] = field(default_factory=dict)
    profile_sections: Mapping[str, str] = field(default_factory=dict)
    features: Mapping[str, Text] = field(default_factory=dict)
    attachments: tuple[str, ...] = ()
    writers: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    profiles: tuple[str, ...] = ()
    spots: str | None = None


@cache
def domains() -> tuple[Domain, ...]:
    """Return every domain that is installed, by name. Raise ExtensionError for one that cannot be used."""
    return installed(GROUP, Domain, "domain")


def referred(domain: Domain, reference: str) -> Any:
    """Return what ``package.module:name`` leads to; a module if it has no name. Raise DomainError."""
    module, _colon, name = reference.partition(":")
    try:
        found = import_module(module)
        return getattr(found, name) if name else found
    except ExtensionError:
        raise
    except Exception as error:
        # Whatever a package of somebody else's does when it is imported.
        raise DomainError(f"the domain {domain.name!r}: {reference} cannot be imported: {error}") from error
