"""What installed packages bring to Bifente: descriptors found by their entry points, and references to the rest.

A descriptor says where things are rather than what they are: a module is imported when it is first needed, so that a
command which answers from data waits for nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, cast


class Named(Protocol):
    """A descriptor: it bears the name of its entry point."""

    @property
    def name(self) -> str:
        """Return the name."""
        ...


NamedT = TypeVar("NamedT", bound=Named)
T = TypeVar("T")


class ExtensionError(Exception):
    """What a package brings cannot be used. One sentence: which, what is wrong, and the cure."""


@dataclass(frozen=True)
class Reference(Generic[T]):
    """Where something is, written ``package.module:name``."""

    place: str

    def get(self) -> T:
        """Return it, imported at the first call. Raise ExtensionError."""
        return cast(T, _found(self.place))


def installed(group: str, kind: type[NamedT], what: str) -> tuple[NamedT, ...]:
    """Return the descriptors of an entry point group, by name; ``what`` calls one. Raise ExtensionError."""
    found = tuple(_loaded(entry, kind, what) for entry in sorted(entry_points(group=group), key=lambda one: one.name))
    names = [one.name for one in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ExtensionError(f"two installed packages bring a {what} {twice!r}: remove one")
    return found


def folder_of(package: str) -> Path:
    """Return the folder of a package without importing it. Raise ImportError."""
    spec = find_spec(package)
    folders = (spec.submodule_search_locations if spec else None) or ()
    if not (found := next(iter(folders), None)):
        raise ImportError(f"{package} is no package")
    return Path(found)


def _loaded(entry: EntryPoint, kind: type[NamedT], what: str) -> NamedT:
    try:
        one = entry.load()
    except Exception as error:
        # Whatever a package of somebody else's does when it is imported.
        raise ExtensionError(f"the {what} {entry.name!r} ({entry.value}) cannot be imported: {error}") from error
    if not isinstance(one, kind):
        raise ExtensionError(f"the {what} {entry.name!r}: {entry.value} is no {kind.__module__}.{kind.__name__}")
    if one.name != entry.name:
        raise ExtensionError(f"the {what} {entry.name!r} calls itself {one.name!r}: give both one name")
    return one


@cache
def _found(place: str) -> Any:
    module, _colon, name = place.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ExtensionError(f"{place} cannot be imported: {error}") from error
