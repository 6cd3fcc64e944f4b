"""``bifente requirements``: the catalogue and its coverage."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer
from rich import box
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as RichText

from bifente.conformance.cli.app import app, out
from bifente.conformance.cli.options import LangOption, chosen_lang
from bifente.conformance.loading import InputError, nearest
from bifente.conformance.requirements import Catalogue, RequirementModel, RequirementSet, load_catalogue
from bifente.conformance.run.suites import default_paths
from bifente.conformance.scenario.loader import find_suites, load_suite
from bifente.ground.text import Lang, Text
from bifente.reports.words import labelled, say, translated

_Citing: TypeAlias = Mapping[str, Sequence[str]]
_HEADS = (
    Text("ensemble", "set"),
    Text("confiance", "confidence"),
    Text("exigences", "requirements"),
    Text("citées", "cited"),
    Text("%", "%"),
)
_WORDY = 1
"""The last column of words."""
_NOBODY = Text("citée par aucun scénario", "cited by no scenario")


@app.command()
def requirements(
    paths: Annotated[list[Path] | None, typer.Argument(help="Scenarios whose coverage is asked for.")] = None,
    show: Annotated[str | None, typer.Option(help="One set (CARD-CPS3) or one requirement, in full.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts: one object.")] = False,
    lang: LangOption = None,
) -> None:
    """The requirement catalogue and how much of it the scenarios cite."""
    language = chosen_lang(lang)
    catalogue = load_catalogue()
    citing: dict[str, list[str]] = defaultdict(list)
    for path in find_suites(tuple(paths) if paths else default_paths()):
        for scenario in load_suite(path, catalogue).scenarios:
            for requirement in scenario.model.requirements:
                citing[requirement].append(scenario.id)
    if show is not None:
        rules = _wanted(show, catalogue)
        if as_json:
            _tell({"requirements": [_plain(group, rule, citing, language) for group, rule in rules]})
        else:
            for group, rule in rules:
                _show(group, rule, citing, language)
        return
    covered = list(_covered(catalogue, citing))
    cited = sum(identifier in catalogue for identifier in citing)
    if as_json:
        sets = [one.plain(language) for one in covered]
        _tell({"total": len(catalogue), "cited": cited, "sets": sets})
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for number, head in enumerate(_HEADS):
        table.add_column(head.get(language), justify="right" if number > _WORDY else "left", no_wrap=number > _WORDY)
    for one in covered:
        named, *cells = map(RichText, one.row(language))
        table.add_row(Group(named, Padding(RichText(one.group.title.get(language)), (0, 0, 0, 2))), *cells)
    out.print(table)
    out.tell(
        Text(
            f"Exigences citées par au moins un scénario : {cited} sur {len(catalogue)}.",
            f"Requirements cited by at least one scenario: {cited} of {len(catalogue)}.",
        ).get(language)
    )


@dataclass(frozen=True, slots=True)
class _Covered:
    """A set, how many rules it has, and how many of them a scenario cites."""

    group: RequirementSet
    rules: int
    cited: int

    def row(self, lang: Lang) -> tuple[str, ...]:
        share = f"{100 * self.cited // self.rules}"
        confidence = translated("confidence", self.group.confidence, lang)
        return self.group.set, confidence, str(self.rules), str(self.cited), share

    def plain(self, lang: Lang) -> dict[str, Any]:
        return {
            "set": self.group.set,
            "title": self.group.title.get(lang),
            "source": self.group.source.get(lang),
            "confidence": self.group.confidence,
            "requirements": self.rules,
            "cited": self.cited,
        }


def _covered(catalogue: Catalogue, citing: _Citing) -> Iterator[_Covered]:
    sets: dict[str, list[str]] = defaultdict(list)
    for identifier, (group, _rule) in catalogue.by_id.items():
        sets[group.set].append(identifier)
    for identifiers in sets.values():
        group = catalogue.by_id[identifiers[0]][0]
        yield _Covered(group, len(identifiers), sum(identifier in citing for identifier in identifiers))


def _wanted(wanted: str, catalogue: Catalogue) -> list[tuple[RequirementSet, RequirementModel]]:
    rows = [(group, rule) for identifier, (group, rule) in catalogue.by_id.items() if wanted in (identifier, group.set)]
    if not rows:
        sets = {group.set for group, _rule in catalogue.by_id.values()}
        raise InputError.at("--show", f"no set or requirement {wanted!r}", cure=nearest(wanted, {*sets, *catalogue}))
    return rows


def _show(group: RequirementSet, rule: RequirementModel, citing: _Citing, lang: Lang) -> None:
    told = ", ".join(
        translated(kind, value, lang)
        for kind, value in (("level", rule.level), ("actor", rule.actor), ("confidence", group.confidence))
    )
    out.tell(f"{rule.id}  [{told}]")
    out.tell(f"    {rule.text.get(lang)}")
    if rule.note:
        out.tell(f"    {labelled(say('note', lang), rule.note.get(lang), lang)}")
    out.tell(f"    {', '.join(citing.get(rule.id, ())) or _NOBODY.get(lang)}")


def _plain(group: RequirementSet, rule: RequirementModel, citing: _Citing, lang: Lang) -> dict[str, Any]:
    return {
        "id": rule.id,
        "set": group.set,
        "level": rule.level,
        "actor": rule.actor,
        "confidence": group.confidence,
        "text": rule.text.get(lang),
        "note": rule.note.get(lang) if rule.note else None,
        "source": group.source.get(lang),
        "scenarios": list(citing.get(rule.id, ())),
    }


def _tell(plain: dict[str, Any]) -> None:
    out.print(json.dumps(plain, ensure_ascii=False, indent=1), markup=False)
