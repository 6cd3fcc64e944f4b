"""``bifente report``: renders a record again, from its journal alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bifente.conformance.cli.app import app, out
from bifente.conformance.cli.formats import ALL, FormatsOption, chosen_formats
from bifente.conformance.cli.options import LangOption, chosen_lang
from bifente.conformance.cli.records import journal_of, record_of
from bifente.reports.render import render


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="Directory of a run, or its journal.")],
    formats: FormatsOption = ALL,
    out_dir: Annotated[Path | None, typer.Option("--out", help="Where to write (default: beside the journal).")] = None,
    lang: LangOption = None,
) -> None:
    """Render the reports of a run again; an interrupted run is rendered as far as it went."""
    language = chosen_lang(lang) if lang else None
    wanted = chosen_formats(formats)
    told = record_of(run)
    for path in render(told, wanted, out_dir or journal_of(run).parent, language, known=wanted):
        out.print(f"{path}", markup=False)
