"""The option that chooses reports, for the commands that write some, and the forms of report there are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Annotated

import typer

from bifente.conformance.cli.app import Exit, fail
from bifente.conformance.domain import Domain, DomainError, domains, referred
from bifente.ground.text import Lang
from bifente.reports.journal import FILE_NAME
from bifente.reports.model import Run
from bifente.reports.render import FORMATS, Format, RenderError

ALL = "all"
FormatsOption = Annotated[
    str,
    typer.Option("--formats", help=f"Reports to write, out of {','.join(FORMATS)} and those of installed domains."),
]


def form_names() -> tuple[str, ...]:
    """Return the name of every form of report: ours, then those of installed domains. Raise DomainError."""
    return (*FORMATS, *_brought())


def chosen_formats(formats: str) -> Mapping[str, Format]:
    """Return the forms of report named in a list with commas, by name. Raise DomainError for one that is no form."""
    known = form_names()
    wanted = known if formats == ALL else [name.strip() for name in formats.split(",") if name.strip()]
    if unknown := [name for name in wanted if name not in known]:
        raise fail(f"unknown report format {unknown[0]!r}; there are {', '.join(known)}", Exit.BAD_INPUT)
    brought = _brought()
    found: dict[str, Format] = {}
    for name in wanted:
        found[name] = FORMATS[name] if name in FORMATS else _form(brought[name], name)
    _each_its_own_file(brought, found)
    return found


def _brought() -> Mapping[str, Domain]:
    """Return which domain brings each form of report that is not ours."""
    found: dict[str, Domain] = {}
    for domain in domains():
        for name in domain.writers:
            if name in FORMATS or name in found or name == ALL:
                raise DomainError(f"the domain {domain.name!r} brings a report {name!r}, which is there already")
            found[name] = domain
    return found


def _form(domain: Domain, name: str) -> Format:
    reference = domain.writers[name]
    form = referred(domain, reference)
    if not isinstance(form, Format):
        raise DomainError(f"the domain {domain.name!r}: {reference} is no {Format.__module__}.{Format.__name__}")
    if not form.file or PurePath(form.file).name != form.file:
        raise DomainError(f"the domain {domain.name!r}: {form.file!r} is no name of a report's file")

    def write(run: Run, lang: Lang) -> str:
        try:
            return form.write(run, lang)
        except Exception as error:
            # Whatever a writer of somebody else's does: it is told as theirs, and hides no verdict.
            said = f"{type(error).__name__}: {error}"
            raise RenderError(f"the report {name!r} of the domain {domain.name!r} cannot be made: {said}") from error

    return Format(form.file, write)


def _each_its_own_file(brought: Mapping[str, Domain], wanted: Mapping[str, Format]) -> None:
    taken = {FILE_NAME: "the journal", **{form.file: f"the report {name!r}" for name, form in FORMATS.items()}}
    for name, form in wanted.items():
        if name in FORMATS:
            continue
        if form.file in taken:
            raise DomainError(f"the domain {brought[name].name!r}: {form.file} is the file of {taken[form.file]}")
        taken[form.file] = f"the report {name!r}"
