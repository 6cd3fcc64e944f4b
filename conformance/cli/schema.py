"""``bifente schema``: JSON Schemas of the files people write, for completion in their editors."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer

from bifente.conformance.bench.module_profiles import ModuleProfile
from bifente.conformance.bench.profiles import profile_model
from bifente.conformance.cli.app import app
from bifente.conformance.scenario.reference import steps_page
from bifente.conformance.scenario.schema import DIALECT, stages_schema, suite_schema
from bifente.reports.events import journal_schema
from bifente.simulator.cards.cpx.template import Template
from bifente.simulator.cards.vitale.template import VitaleTemplate


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


SCHEMAS: dict[Kind, Callable[[], dict[str, Any]]] = {
    Kind.SCENARIO: suite_schema,
    Kind.STAGES: stages_schema,
    Kind.TEMPLATE: lambda: {"$schema": DIALECT, **Template.model_json_schema()},
    Kind.VITALE: lambda: {"$schema": DIALECT, **VitaleTemplate.model_json_schema()},
    Kind.MODULE: lambda: {"$schema": DIALECT, **ModuleProfile.model_json_schema()},
    Kind.PROFILE: lambda: {"$schema": DIALECT, **profile_model().model_json_schema()},
    Kind.JOURNAL: journal_schema,
}
"""How each schema is made: always from the definitions the loader itself uses."""


@app.command()
def schema(kind: Annotated[Kind, typer.Argument(help="What the schema describes.")] = Kind.SCENARIO) -> None:
    """Print a JSON Schema (point your editor's YAML plugin at it), or the reference page of steps."""
    if kind is Kind.STEPS:
        typer.echo(steps_page())
        return
    typer.echo(json.dumps(SCHEMAS[kind](), indent=2, ensure_ascii=False, sort_keys=True))
