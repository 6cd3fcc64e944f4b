"""``bifente requirements``: the catalogue and its coverage."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bifente.conformance.cli.app import app, out
from bifente.conformance.loading import InputError, nearest
from bifente.conformance.requirements import load_catalogue
from bifente.conformance.run.session import default_paths
from bifente.conformance.scenario.loader import find_suites, load_suite


@app.command()
def requirements(
    paths: Annotated[list[Path] | None, typer.Argument(help="Scenarios whose coverage is asked for.")] = None,
    show: Annotated[str | None, typer.Option(help="One set (CARD-CPS3) or one requirement, in full.")] = None,
) -> None:
    """The requirement catalogue and how much of it the scenarios cite."""
    catalogue = load_catalogue()
    citing: dict[str, list[str]] = defaultdict(list)
    for path in find_suites(tuple(paths) if paths else default_paths()):
        for scenario in load_suite(path, catalogue).scenarios:
            for requirement in scenario.model.requirements:
                citing[requirement].append(scenario.id)
    if show is not None:
        _show(show, citing)
        return
    table = Table("set", "title", "confidence", "requirements", "cited", "%")
    sets: dict[str, list[str]] = defaultdict(list)
    for identifier, (group, _rule) in catalogue.by_id.items():
        sets[group.set].append(identifier)
    for name, identifiers in sets.items():
        group = catalogue.by_id[identifiers[0]][0]
        cited = sum(identifier in citing for identifier in identifiers)
        share = f"{100 * cited // len(identifiers)}"
        table.add_row(name, group.title, group.confidence, str(len(identifiers)), str(cited), share)
    out.print(table)
    out.print(f"{len(citing)} of {len(catalogue)} requirements are cited by at least one scenario.")


def _show(wanted: str, citing: dict[str, list[str]]) -> None:
    catalogue = load_catalogue()
    rows = [(group, rule) for identifier, (group, rule) in catalogue.by_id.items() if wanted in (identifier, group.set)]
    if not rows:
        sets = {group.set for group, _rule in catalogue.by_id.values()}
        raise InputError.at("--show", f"no set or requirement {wanted!r}", cure=nearest(wanted, {*sets, *catalogue}))
    for group, rule in rows:
        out.print(f"{rule.id}  [{rule.level}, {rule.actor}, {group.confidence}]", markup=False)
        out.print(f"    {rule.text}" + (f" ({rule.note})" if rule.note else ""), markup=False)
        out.print(f"    {', '.join(citing.get(rule.id, ())) or 'cited by no scenario'}", markup=False)
