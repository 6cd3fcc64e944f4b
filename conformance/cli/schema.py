"""``bifente schema``: JSON Schemas of the files people write, for completion in their editors."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import typer

from bifente.conformance.bench.module_profiles import ModuleProfile
from bifente.conformance.bench.profiles import profile_model
from bifente.conformance.cli.app import Exit, app, fail
from bifente.conformance.cli.options import LangOption, chosen_lang
from bifente.conformance.scenario.reference import steps_page
from bifente.conformance.scenario.schema import DIALECT, stages_schema, suite_schema
from bifente.reports.events import journal_schema
from bifente.simulator.cards.families import families, family_named


class Kind(StrEnum):
    """The kinds of file that have a schema."""

    SCENARIO = "scenario"
    STAGES = "stages"
    TEMPLATE = "template"
    VITALE = "vitale"
    PROFILE = "profile"
    MODULE = "module"
    JOURNAL = "journal"
    STEPS = "steps"


def template_schema(family: str) -> dict[str, Any]:
    """Return the schema of the templates of a card family. Raise ValueError for an unknown one."""
    return {"$schema": DIALECT, **family_named(family).template.get().model_json_schema()}


SCHEMAS: dict[Kind, Callable[[], dict[str, Any]]] = {
    Kind.SCENARIO: suite_schema,
    Kind.STAGES: stages_schema,
    Kind.TEMPLATE: lambda: template_schema("cps3"),
    Kind.VITALE: lambda: template_schema("vitale2"),
    Kind.MODULE: lambda: {"$schema": DIALECT, **ModuleProfile.model_json_schema()},
    Kind.PROFILE: lambda: {"$schema": DIALECT, **profile_model().model_json_schema()},
    Kind.JOURNAL: journal_schema,
}
"""How each schema is made: always from the definitions the loader itself uses."""


@app.command()
def schema(
    kind: Annotated[Kind, typer.Argument(help="What the schema describes.")] = Kind.SCENARIO,
    family: Annotated[str | None, typer.Option("--family", help="With template: of which card family.")] = None,
    lang: LangOption = None,
) -> None:
    """Print a JSON Schema (point your editor's YAML plugin at it), or the reference page of steps."""
    if family is not None and (kind is not Kind.TEMPLATE or family not in families()):
        raise fail(f"--family goes with template, and is one of {', '.join(families())}", Exit.BAD_INPUT)
    if kind is Kind.STEPS:
        typer.echo(steps_page(chosen_lang(lang)))
        return
    made = SCHEMAS[kind] if family is None else partial(template_schema, family)
    # One line a definition: small enough for an editor, and still to be read.
    whole = made()
    definitions = whole.pop("$defs", {})
    rows = [f"  {_line(name)}: {_line(one)}" for name, one in sorted(definitions.items())]
    rest = [f"{_line(key)}: {_line(value)}" for key, value in sorted(whole.items())]
    if rows:
        rest.append('"$defs": {\n' + ",\n".join(rows) + "\n}")
    typer.echo("{\n" + ",\n".join(rest) + "\n}")


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
