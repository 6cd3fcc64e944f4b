"""What a run is asked to do again: the scenarios that failed in an earlier one, from its journal alone."""

from __future__ import annotations

from pathlib import Path

from bifente.conformance.cli.app import Exit, fail
from bifente.reports.journal import FILE_NAME, JournalError
from bifente.reports.model import Run
from bifente.reports.render import load


def earlier(run: Path | None, folder: Path) -> Run:
    """Return the record of a run, the newest of a folder unless one is named. Raise typer.Exit where there is none."""
    if run is not None:
        journal = run / FILE_NAME if run.is_dir() else run
        if not journal.is_file():
            raise fail(f"{journal}: no such journal; give the directory of a run", Exit.BAD_INPUT)
        return _loaded(journal)
    journals = [(file.stat().st_mtime_ns, file) for file in folder.glob(f"*/{FILE_NAME}")]
    if not journals:
        raise fail(f"--failed: {folder} holds no earlier run; say which with --of RUN", Exit.BAD_INPUT)
    return _loaded(max(journals)[1])


def _loaded(journal: Path) -> Run:
    try:
        return load(journal)
    except JournalError as error:  # the file is the user's, whatever happened to it
        raise fail(str(error), Exit.BAD_INPUT) from None


def failed_in(run: Run) -> tuple[str, ...]:
    """Return the scenarios of a record that failed, were blocked, or where the bench went wrong."""
    return tuple(scenario.id for scenario in run.scenarios if scenario.verdict.bad)


def files_of(run: Run) -> list[Path]:
    """Return the suite files of the scenarios that failed in a record."""
    return [Path(name) for name in dict.fromkeys(one.start.file for one in run.scenarios if one.verdict.bad)]
