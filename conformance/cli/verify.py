"""``bifente verify``: whether what the reports of a run say follows from its record.

Exit codes: 0 all that could be checked holds, 1 something does not, 2 there is no such record.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from bifente.conformance.cli.app import Exit, app, fail, out
from bifente.conformance.cli.formats import ALL, chosen_formats
from bifente.conformance.cli.options import LangOption, chosen_lang
from bifente.conformance.cli.records import journal_of
from bifente.conformance.run.environment import tool
from bifente.reports.journal import JournalError
from bifente.reports.verifying.telling import lines, plain
from bifente.reports.verifying.verify import verify

_SHA256 = re.compile("[0-9a-f]{64}")


@app.command(name="verify")
def verify_command(
    run: Annotated[Path, typer.Argument(help="Directory of a run, or its journal.")],
    sha256: Annotated[
        str | None, typer.Option("--sha256", metavar="HEX", help="The SHA-256 that the journal had, kept elsewhere.")
    ] = None,
    inputs: Annotated[
        bool, typer.Option("--inputs", help="A file that the run read and that changed, or is not here, fails.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts: one object.")] = False,
    lang: LangOption = None,
) -> None:
    """Check that the verdicts and reports of a run follow from its journal, line by line; nothing is signed.

    Journal whole, scenarios and steps in order, each verdict from its expectations, the reports beside it byte for
    byte, the files it read. A record rewritten with consistency passes: only who keeps the SHA-256 of the journal
    elsewhere sees it. Exit code 0 when all that could be checked holds, 1 when something does not, 2 for no record.
    """
    language = chosen_lang(lang)
    digest = sha256.strip().lower() if sha256 is not None else None
    if digest is not None and not _SHA256.fullmatch(digest):
        raise fail(f"--sha256 {sha256}: 64 hexadecimal digits are expected", Exit.BAD_INPUT)
    journal = journal_of(run)
    try:
        found = verify(
            journal,
            known=chosen_formats(ALL),
            ours=tool(),
            here=Path.cwd(),
            bench=Path(__file__).resolve().parents[2],
            digest=digest,
            inputs_needed=inputs,
        )
    except JournalError as error:  # the file is the user's, whatever happened to it
        raise fail(str(error), Exit.BAD_INPUT) from None
    if as_json:
        out.print(json.dumps(plain(found, language), ensure_ascii=False, indent=1), markup=False)
    else:
        for line in lines(found, language):
            out.tell(line)
    if not found.holds:
        raise typer.Exit(Exit.FAILED)
