"""``bifente requirements`` and ``bifente profiles``: what the bench knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from conformance.bench.profiles import ReaderProfile, known_profiles, load_profile
from conformance.cli.app import app, out
from conformance.cli.options import LangOption, chosen_lang
from conformance.loading import InputError, nearest
from conformance.requirements import load_catalogue
from conformance.run.session import default_paths
from conformance.scenario.loader import find_suites, load_suite

profiles = typer.Typer(help="Reader profiles.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(profiles, name="profiles")


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


@profiles.command(name="list")
def list_profiles(lang: LangOption = None) -> None:
    """List the profiles that come with the bench."""
    language = chosen_lang(lang)
    for name in known_profiles():
        profile, _document = load_profile(name)
        out.print(
            f"{name:32} {len(profile.slots)} slot(s)  {profile.title.text.get(language)} [{profile.fidelity}]",
            markup=False,
        )


@profiles.command(name="show")
def show_profile(name: Annotated[str, typer.Argument(help="Profile name or file.")], lang: LangOption = None) -> None:
    """Show one profile, validated."""
    profile, _document = load_profile(name)
    out.print(f"{profile.profile}: {profile.title.text.get(chosen_lang(lang))}", markup=False)
    for label, value in describe(profile):
        out.print(f"  {label:9} {value}", markup=False)


def describe(profile: ReaderProfile) -> Iterator[tuple[str, str]]:
    """What is known of a reader, label and value; the rest says that it is not."""
    unknown = "not known"
    yield "device", profile.device
    yield "PnP name", profile.pnp_name or unknown
    yield "USB", f"{profile.usb.vendor}:{profile.usb.product}" if profile.usb else unknown
    yield "firmware", ", ".join(profile.firmware) or unknown
    extended = profile.extended_length
    yield "extended", f"length {unknown}" if extended is None else "length" if extended else "no extended length"
    pad = profile.pin_pad
    yield "PIN pad", f"yes [{pad.fidelity}] ({pad.source})" if pad else "none known"
    yield "fidelity", f"{profile.fidelity} ({profile.source})"
    for slot in profile.slots:
        protocols = ", ".join(slot.protocols) or f"protocols {unknown}"
        yield "slot", f"{slot.role}: {slot.name} ({', '.join(slot.capabilities)}; {protocols})"
        for system, name in slot.names.items():
            yield "", f"{system}: {name}"
