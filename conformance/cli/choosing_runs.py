"""What a run is asked to do again: the scenarios that failed in an earlier one, from its journal alone."""

from __future__ import annotations

from pathlib import Path

from bifente.conformance.cli.app import Exit, fail
from bifente.conformance.cli.records import record_of
from bifente.reports.journal import FILE_NAME
from bifente.reports.model import Run


def earlier(run: Path | None, folder: Path) -> Run:
    """Return the record of a run, the newest of a folder unless one is named. Raise typer.Exit where there is none."""
    if run is not None:
        return record_of(run)
    journals = [(file.stat().st_mtime_ns, file) for file in folder.glob(f"*/{FILE_NAME}")]
    if not journals:
        raise fail(f"--failed: {folder} holds no earlier run; say which with --of RUN", Exit.BAD_INPUT)
    return record_of(max(journals)[1])


def failed_in(run: Run) -> tuple[str, ...]:
    """Return the scenarios of a record that failed, were blocked, or where the bench went wrong."""
    return tuple(scenario.id for scenario in run.scenarios if scenario.verdict.bad)


def files_of(run: Run) -> list[Path]:
    """Return the suite files of the scenarios that failed in a record."""
    return [Path(name) for name in dict.fromkeys(one.start.file for one in run.scenarios if one.verdict.bad)]
