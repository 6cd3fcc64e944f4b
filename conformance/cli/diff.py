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
from bifente.reports.comparison.compared import compare
from bifente.reports.comparison.telling import lines, plain
from bifente.reports.journal import FILE_NAME


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
    found = compare(
        _journal(first),
        _journal(second),
        first_again=_journal(again_a) if again_a is not None else None,
        second_again=_journal(again_b) if again_b is not None else None,
    )
    if as_json:
        out.print(json.dumps(plain(found), ensure_ascii=False, indent=1), markup=False)
    else:
        for line in lines(found, language, everything=everything):
            out.tell(line)
    if not found.alike:
        raise typer.Exit(Exit.FAILED)


def _journal(run: Path) -> Path:
    journal = run / FILE_NAME if run.is_dir() else run
    if not journal.is_file():
        raise fail(f"{journal}: no such journal; give the directory of a run", Exit.BAD_INPUT)
    return journal
