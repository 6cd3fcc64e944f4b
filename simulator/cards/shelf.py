"""The templates that come with the card families, by the names a bench calls them, told without being built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.cards.families import families, family_of
from bifente.simulator.cards.family import CardFamily


@dataclass(frozen=True, slots=True)
class ShelvedTemplate:
    """A template as a list tells it."""

    name: str
    short_type: str
    family: str
    title: Text


def template_files() -> Mapping[str, tuple[CardFamily, Path]]:
    """Return the file of each template by its name, and the family whose folder it is in."""
    found: dict[str, tuple[CardFamily, Path]] = {}
    for family in families().values():
        if family.templates is None:
            continue
        for path in sorted(Path(str(family.templates.path)).glob("*.yaml"), key=lambda path: path.stem):
            found.setdefault(f"{family.templates.prefix}{path.stem}", (family, path))
    return found


def shelf() -> Iterator[ShelvedTemplate]:
    """Give every template that comes with a family. What a file says is taken as it is: ``show`` checks it."""
    for name, (owner, path) in template_files().items():
        folder = owner.templates
        data = shipped(folder.package, folder.folder, path.name) if folder else {}
        family = family_of(data, owner.name)
        title = data.get("title", {})
        yield ShelvedTemplate(
            name,
            family.short_type or str(_at(data, family.type_at)),
            str(data.get("family", owner.name)),
            Text(str(title.get("fr", "")), str(title.get("en", ""))),
        )


def _at(data: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        data = data.get(key, "") if isinstance(data, Mapping) else ""
    return data
