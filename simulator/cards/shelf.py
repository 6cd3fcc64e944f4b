"""The templates that come with the card families, by the names a bench calls them, told without being built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bifente.ground.extensions import ExtensionError
from bifente.ground.own import CARDS, own_files
from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.cards.families import UNNAMED, families, family_of
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
    for name, path in own_files(CARDS):
        if name in found:
            raise ExtensionError(f"{path}: a card template {name!r} is already at {found[name][1]}: rename one")
        found[name] = (_owner(name), path)
    return found


def _owner(name: str) -> CardFamily:
    """Whose template a file of the user's is, unless it says so itself: by the folder it is in, as ours are."""
    folder = name.rpartition("/")[0]
    prefixes = {one.templates.prefix: one for one in families().values() if one.templates is not None}
    return prefixes.get(f"{folder}/" if folder else "", families()[UNNAMED])


def shelf() -> Iterator[ShelvedTemplate]:
    """Give every template that comes with a family. What a file says is taken as it is: ``show`` checks it."""
    for name, (owner, path) in template_files().items():
        data = _data(owner, path)
        family = family_of(data, owner.name)
        title = data.get("title", {})
        title = title if isinstance(title, Mapping) else {"fr": title, "en": title}
        yield ShelvedTemplate(
            name,
            family.short_type or str(_at(data, family.type_at)),
            str(data.get("family", owner.name)),
            Text(str(title.get("fr", "")), str(title.get("en", ""))),
        )


def _data(owner: CardFamily, path: Path) -> Mapping[str, Any]:
    folder = owner.templates
    if folder is not None and path.parent == Path(str(folder.path)):
        return dict(shipped(folder.package, folder.folder, path.name))
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return {}  # ``show`` says what is wrong with it
    return data if isinstance(data, dict) else {}


def _at(data: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        data = data.get(key, "") if isinstance(data, Mapping) else ""
    return data
