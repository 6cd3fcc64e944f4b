"""Every fact that a workstation may have: what kind it is, which words it takes, what it is unless it is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.workstation.version import ComponentVersion

ABSENT = "absent"
"""The value of a component that is not there."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/+=-]{0,119}")


def _galss_breakages() -> Iterable[str]:
    # With it comes the GALSS: who only reads what the rules say need not wait for it.
    from bifente.simulator.middleware.galss.breaking import breakages

    return breakages()


_FURTHER: Mapping[str, Callable[[], Iterable[str]]] = {"": tuple, "galss-breakages": _galss_breakages}
"""Words that other data brings."""


class FactKind(StrEnum):
    """How a fact is written."""

    VERSION = "version"
    COMPONENT = "component"
    """A version, or ``absent``."""
    CHOICE = "choice"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class PosteFact:
    """One fact. ``group`` is where it stands in a file; ``default`` holds where nothing is told."""

    key: str
    group: str
    kind: FactKind
    title: Text
    choices: tuple[str, ...]
    default: str

    def complaint(self, value: str) -> str | None:
        """Return what is wrong with a value, None if nothing."""
        if self.kind is FactKind.CHOICE:
            return None if value in self.choices else f"{value!r} is none of {', '.join(self.choices)}"
        if self.kind is FactKind.NAME:
            return None if value == "" or _NAME.fullmatch(value) else f"{value!r} is no plain name"
        if value == ABSENT and self.kind is FactKind.COMPONENT:
            return None
        try:
            ComponentVersion(value)
        except ValueError as error:
            return str(error)
        return None


@cache
def poste_facts() -> Mapping[str, PosteFact]:
    """Return every fact by its key, group by group."""
    found: dict[str, PosteFact] = {}
    for group, rows in shipped(__package__, "facts.yaml")["groups"].items():
        for key, row in rows.items():
            found[key] = PosteFact(
                key=key,
                group=group,
                kind=FactKind(row["kind"]),
                title=Text(row["fr"], row["en"]),
                choices=(*map(str, row.get("choices", ())), *_FURTHER[row.get("further", "")]()),
                default=str(row["default"]),
            )
    return found


def fact_named(key: str) -> PosteFact:
    """Return a fact by its key. Raise KeyError."""
    return poste_facts()[key]
