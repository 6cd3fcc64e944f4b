"""Vitale templates from plain data and from YAML files, faults told as for the templates of professionals' cards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from bifente.simulator.cards.template import TemplateError, TemplateProblem, checked, merged, read_yaml
from bifente.simulator.cards.vitale.template import VitaleTemplate, cross_checks


def parse_vitale(data: object, source: str) -> VitaleTemplate:
    """A checked template from plain data. Raises TemplateError listing every fault found."""
    return checked(VitaleTemplate, cross_checks, data, source)


def with_overrides(template: VitaleTemplate, overrides: Mapping[str, Any]) -> VitaleTemplate:
    """The template with some values replaced, nested mappings merged, checked again. Raises TemplateError."""
    data = template.model_dump(exclude_unset=True)
    return parse_vitale(merged(data, overrides), f"{template.id}+...")


def load_vitale(files: Iterable[Path | Traversable]) -> dict[str, VitaleTemplate]:
    """Templates by id. Raises TemplateError, also when two share an id or a serial number: both files are named."""
    templates: dict[str, VitaleTemplate] = {}
    seen: dict[tuple[str, str], str] = {}
    for file in files:
        template = parse_vitale(read_yaml(file), str(file))
        for what, value in (("id", template.id), ("card.serial", template.card.serial)):
            other = seen.setdefault((what, value), str(file))
            if other != str(file):
                loc = tuple(what.split("."))
                raise TemplateError(
                    str(file), [TemplateProblem(loc, f"{value} is already used by {other}; choose another")]
                )
        templates[template.id] = template
    return templates


@cache
def shipped_vitale() -> Mapping[str, VitaleTemplate]:
    """The templates of this package by id."""
    folder = resources.files(__package__) / "templates"
    return load_vitale(sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda f: f.name))
