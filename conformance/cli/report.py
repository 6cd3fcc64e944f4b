"""``bifente report``: renders a record again, from its journal alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bifente.conformance.cli.app import Exit, app, fail, out
from bifente.conformance.cli.formats import ALL, FormatsOption, chosen_formats
from bifente.conformance.cli.options import LangOption, chosen_lang
from bifente.reports.journal import FILE_NAME, JournalError
from bifente.reports.render import load, render


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="Directory of a run, or its journal.")],
    formats: FormatsOption = ALL,
    out_dir: Annotated[Path | None, typer.Option("--out", help="Where to write (default: beside the journal).")] = None,
    lang: LangOption = None,
) -> None:
    """Render the reports of a run again; an interrupted run is rendered as far as it went."""
    journal = run / FILE_NAME if run.is_dir() else run
    if not journal.is_file():
        raise fail(f"{journal}: no such journal; give the directory of a run", Exit.BAD_INPUT)
    if not journal.stat().st_size:
        raise fail(f"{journal}: is empty; give the journal of a run that began", Exit.BAD_INPUT)
    language = chosen_lang(lang) if lang else None
    wanted = chosen_formats(formats)
    try:
        run_told = load(journal)
    except JournalError as error:  # the file is the user's, whatever happened to it
        raise fail(str(error), Exit.BAD_INPUT) from None
    for path in render(run_told, wanted, out_dir or journal.parent, language, known=wanted):
        out.print(f"{path}", markup=False)
