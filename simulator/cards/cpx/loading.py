"""Templates of professionals' cards, from plain data and from YAML files."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from bifente.simulator.cards.cpx.description import description
from bifente.simulator.cards.cpx.template import FAMILIES, Template, cross_checks
from bifente.simulator.cards.template import Loc, TemplateError, TemplateProblem, checked, merged, read_yaml


def parse_template(data: object, source: str) -> Template:
    """A checked template from plain data. Raises TemplateError listing every fault found."""
    return checked(Template, cross_checks, data, source)


def with_overrides(template: Template, overrides: Mapping[str, Any]) -> Template:
    """The template with some values replaced, nested mappings merged, checked again. Raises TemplateError."""
    data = template.model_dump(exclude_unset=True)
    return parse_template(merged(data, overrides), f"{template.id}+...")


def load_template(file: Path | Traversable) -> Template:
    """The template in one YAML file. Raises TemplateError, also for a file that cannot be read."""
    return parse_template(read_yaml(file), str(file))


def load_templates(paths: Iterable[Path | Traversable]) -> dict[str, Template]:
    """Templates by id, from files and from the ``*.yaml`` of folders.

    Raises TemplateError, also when two share an id, or would share a serial number in some family: both files are
    named.
    """
    templates: dict[str, Template] = {}
    seen: dict[tuple[Loc, str], str] = {}
    for file in _files(paths):
        template = load_template(file)
        serials = [(("card", "serial"), description(family).serial.number(template.card.serial)) for family in FAMILIES]
        for loc, value in ((("id",), template.id), *serials):
            other = seen.setdefault((loc, value), str(file))
            if other != str(file):
                raise TemplateError(
                    str(file), [TemplateProblem(loc, f"{value} is already used by {other}; choose another")]
                )
        templates[template.id] = template
    return templates


@cache
def shipped_templates() -> Mapping[str, Template]:
    """The templates of this package by id."""
    return load_templates([resources.files(__package__) / "templates"])


def pick(templates: Mapping[str, Template], name: str) -> Template:
    """The template of this id. Raises TemplateError suggesting the nearest ones."""
    if name in templates:
        return templates[name]
    near = [known for known in templates if name in known] or difflib.get_close_matches(name, templates)
    ways = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(sorted(templates))}"
    raise TemplateError(name, [TemplateProblem((), f"no such card template; {ways}")])


def _files(paths: Iterable[Path | Traversable]) -> Iterable[Path | Traversable]:
    for path in paths:
        if path.is_dir():
            yield from sorted((item for item in path.iterdir() if item.name.endswith(".yaml")), key=lambda f: f.name)
        else:
            yield path
