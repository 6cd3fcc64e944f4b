"""The published JSON Schemas, written from the definitions by `python -m bifente.reports.schemas`."""

from __future__ import annotations

from pathlib import Path

from bifente.reports.events import journal_schema
from bifente.reports.writers import json_writer

FOLDER = Path(__file__).parent
"""Where the schema files are."""


def contents() -> dict[str, str]:
    """Return the text each schema file must have, by file name."""
    return {
        "journal.schema.json": json_writer.pretty(journal_schema()),
        "run.schema.json": json_writer.pretty(json_writer.schema()),
    }


def publish(folder: Path = FOLDER) -> None:
    """Write the schema files in `folder`."""
    for name, text in contents().items():
        (folder / name).write_text(text, encoding="utf-8")
