"""A record that a command is given: the user's, whatever happened to it."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import typer

from bifente.conformance.cli.app import Exit, fail
from bifente.reports.journal import FILE_NAME, JournalError, JournalReader
from bifente.reports.model import Run
from bifente.reports.render import load


def journal_of(run: Path) -> Path:
    """Return the journal of a run, given by its directory or itself. Raise typer.Exit where there is none."""
    journal = run / FILE_NAME if run.is_dir() else run
    if not journal.is_file():
        raise fail(f"{journal}: no such journal; give the directory of a run", Exit.BAD_INPUT)
    return journal


def readable_journal(run: Path) -> Path:
    """Return the journal of a run once it has been read through. Raise typer.Exit for one that cannot be."""
    journal = journal_of(run)
    try:
        last = deque(JournalReader(journal), maxlen=1)
    except JournalError as error:
        raise fail(str(error), Exit.BAD_INPUT) from None
    if not last:
        raise holds_nothing(journal)
    return journal


def holds_nothing(journal: Path) -> typer.Exit:
    """Say that a journal tells of no beginning, and give the exception that ends the command."""
    return fail(f"{journal}: holds no whole event; give the journal of a run that began", Exit.BAD_INPUT)


def record_of(run: Path) -> Run:
    """Return what a record tells. Raise typer.Exit for one that is none, is damaged, or tells of no beginning."""
    journal = journal_of(run)
    if not journal.stat().st_size:
        raise fail(f"{journal}: is empty; give the journal of a run that began", Exit.BAD_INPUT)
    try:
        told = load(journal)
    except JournalError as error:
        raise fail(str(error), Exit.BAD_INPUT) from None
    if not told.began:
        raise holds_nothing(journal)
    return told
