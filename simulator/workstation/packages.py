"""Installing, removing and restarting: what becomes of the facts of a workstation."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from bifente.ground.shipped import shipped
from bifente.simulator.workstation.poste import Poste, PosteError
from bifente.simulator.workstation.rules import condition
from bifente.simulator.workstation.vocabulary import ABSENT

REMOVABLE = "atsam"
_LINK = "io-comm"


@cache
def _data() -> Mapping[str, Any]:
    found: Mapping[str, Any] = shipped(__package__, "packages.yaml")
    return found


def package_names() -> tuple[str, ...]:
    """Return every package by its name and its other names."""
    rows = _data()["packages"]
    return (*rows, *(other for row in rows.values() for other in row.get("also", ())))


def install(poste: Poste, package: str) -> Poste:
    """Install a package: its set is there afterwards, and an update over an older set may damage a neighbour.

    Raise PosteError for a package that nobody knows.
    """
    row = _row(package)
    changes = {key: str(value) for key, value in row["installs"].items()}
    for key, damage in _data()["neighbours"].items():
        older = changes.get(key) is not None and any(poste.get(one) != ABSENT for one in changes if one != key)
        if older and poste.get(_LINK) != ABSENT:
            changes |= {name: str(value) for name, value in damage.items()}
    return poste.changed(changes)


def fits(poste: Poste, package: str) -> bool:
    """Whether a package is meant for the system of a workstation: what an installer ought to look at first."""
    wanted = _row(package).get("meant-for", {})
    return all(condition(key, written).meets(poste) for key, written in wanted.items())


def remove(poste: Poste, package: str = REMOVABLE) -> Poste:
    """Remove a set by its tool: all of it or nothing; caches stay. Raise PosteError for what has no tool."""
    removal = _data()["removal"]
    if package not in removal:
        raise PosteError(package, f"has no tool that removes it alone; there is one for {', '.join(removal)}")
    return poste.changed({key: str(value) for key, value in removal[package].items()})


def restart(poste: Poste) -> Poste:
    """Restart the workstation: services run again, and what was emptied comes back."""
    services = {key: "running" for key in poste.facts if key.endswith("-service") and poste.get(key) == "stopped"}
    return poste.changed({**services, **{key: str(value) for key, value in _data()["restart"].items()}})


def _row(package: str) -> Mapping[str, Any]:
    for name, row in _data()["packages"].items():
        if package == name or package in row.get("also", ()):
            found: Mapping[str, Any] = row
            return found
    raise PosteError(package, f"is no known package; known: {', '.join(package_names())}")
