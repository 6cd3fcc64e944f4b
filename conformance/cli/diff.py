"""``bifente diff``: two runs of the same scenarios, and only what differs in what was observed.

Exit codes: 0 nothing differs, 1 something differs or could not be compared, 2 a journal is missing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bifente.conformance.cli.app import Exit, app, fail, out
from bifente.conformance.cli.options import LangOption, chosen_lang
from bifente.conformance.cli.records import holds_nothing, journal_of
from bifente.ground.text import Lang
from bifente.reports.comparison.compared import compare
from bifente.reports.comparison.telling import lines, plain
from bifente.reports.journal import JournalError


@app.command(name="diff")
def diff_command(
    first: Annotated[Path, typer.Argument(metavar="A", help="Directory of a run, or its journal.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another run: other target, reader, profile, library.")],
    again_a: Annotated[
        Path | None, typer.Option(help="Another run of what A ran: where these two differ, nothing is told.")
    ] = None,
    again_b: Annotated[Path | None, typer.Option(help="The same for B.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every place where a difference shows.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts: one object.")] = False,
    lang: LangOption = None,
) -> None:
    """Tell what differs between two runs: verdict, status word, data, PC/SC code, return code, timing class."""
    language = chosen_lang(lang)
    try:
        found = compare(
            journal_of(first),
            journal_of(second),
            first_again=journal_of(again_a) if again_a is not None else None,
            second_again=journal_of(again_b) if again_b is not None else None,
        )
    except JournalError as error:  # the files are the user's, whatever happened to them
        raise fail(str(error), Exit.BAD_INPUT) from None
    for run, start in ((first, found.first), (second, found.second)):
        if start is None:
            raise holds_nothing(journal_of(run))
    if as_json:
        out.print(json.dumps(plain(found), ensure_ascii=False, indent=1), markup=False)
    else:
        for line in lines(found, language, everything=everything):
            out.tell(line)
    if not found.alike:
        raise typer.Exit(Exit.FAILED)


def tell_differences(first: Path, second: Path, lang: Lang) -> bool:
    """Print what differs between two journals; whether nothing does. Raise JournalError."""
    found = compare(first, second)
    for line in lines(found, lang):
        out.tell(line)
    return found.alike
